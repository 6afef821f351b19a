//! Deploy, pressed in a check: the run is promoted by the one command that does it, once GitHub has said that the pull
//! requests which Headway knows of it are open at its commit, or that it never had one; failing closed.

use super::{Answer, Click, Stopped};
use crate::commands::follow_pull_request::follow_pull_request;
use crate::commands::promote::{Promotion, promote};
use crate::commands::reconcile::standing::standing;
use crate::domain::check_run::Refusal;
use crate::domain::permission::{Promote, Viewer, permit};
use crate::domain::pull_request::{PullRequest, PullRequestState, number_of_fork_branch};
use crate::domain::run::Run;

/// How many pull requests of other branches at the clicked commit are asked for.
const OTHERS: usize = 5;

impl Click<'_> {
    pub(super) async fn deploy(&self, viewer: &Viewer) -> Result<Answer, Stopped> {
        let run = self.run().await?;
        let promoted = self.context.store.read().await?.promoted_as(&run.id).await?;
        if promoted.is_none() {
            self.verify_pull_requests(&run).await?;
            let mut reading = self.context.store.read().await?;
            let standing = standing(&mut reading, &self.reached.repository, &self.stack, &run).await?;
            if let Some(refusal) = Refusal::overtaken(&standing) {
                return Err(refusal.into());
            }
        }
        let permit = permit::<Promote>(viewer, &self.stack.id)?;
        let promotion = promote(self.context, &permit, &run.id).await?;
        let sentence = match &promotion {
            Promotion::Created(_) => format!("{} pressed Deploy: a tracked run was started.", self.sender.login),
            Promotion::Existing(_) => "It had been promoted before; this is the tracked run.".into(),
        };
        Ok(self.done(sentence, promotion.run().clone()))
    }

    /// Asks GitHub how the pull requests of the run's commit stand now, and refuses when none of them is open at it: what was
    /// told of them may be late, and so may be what was fetched.
    async fn verify_pull_requests(&self, run: &Run) -> Result<(), Stopped> {
        if number_of_fork_branch(&run.branch).is_some() {
            return Ok(());
        }
        let repository = self.reached.repository.id;
        let mut reading = self.context.store.read().await?;
        let of_branch = reading.pull_requests_of(repository, &run.branch).await?;
        let of_commit = reading.pull_requests_at(repository, &run.commit.hash).await?;
        drop(reading);
        // The newest of its branch, and the others that have its commit on offer.
        let others = of_commit.into_iter().filter(|pull| pull.state == PullRequestState::Open);
        let others = others.filter(|pull| pull.head_branch != run.branch).take(OTHERS);
        let mut overtaken = None;
        let mut offered = false;
        for known in of_branch.into_iter().take(1).chain(others) {
            let pull = self.verified(&known).await?;
            if pull != known {
                follow_pull_request(self.context, &pull).await.map_err(Stopped::Here)?;
            }
            let at_commit = pull.head_commit == run.commit.hash;
            offered = offered || (at_commit && pull.state == PullRequestState::Open);
            if overtaken.is_none() && pull.state == PullRequestState::Open && !at_commit {
                overtaken = Some(Stopped::from(Refusal::Superseded(&pull.head_commit)));
            }
        }
        // Of one that has ended, or of a branch without any, Git says how it stands.
        match overtaken {
            Some(overtaken) if !offered => Err(overtaken),
            Some(_) | None => Ok(()),
        }
    }

    /// What GitHub says of a pull request at this moment.
    async fn verified(&self, known: &PullRequest) -> Result<PullRequest, Stopped> {
        let number = known.number;
        match self.context.github.pull_request(self.reached.place(), known.repository, number).await {
            Ok(Some(pull)) => Ok(pull),
            Ok(None) => {
                let why = "GitHub's answer cannot be read";
                Err(Refusal::HeadUnverified { number, why }.into())
            }
            Err(error) => {
                let why = error.to_string();
                let problem = Refusal::HeadUnverified { number, why: &why }.problem();
                Err(if error.is_passing() { Stopped::Unverified(why, problem) } else { Stopped::Here(problem) })
            }
        }
    }
}
