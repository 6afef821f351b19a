//! Press: a click on a check's button on GitHub.
//!
//! GitHub's display is a hint; who may do what is decided here, and in the one command that does it. Every refusal is
//! written into the check and the activity log.

mod deploy;
mod sender;
mod unknown;

use super::github_place::{Reached, reach};
use super::propose::start_proposed;
use super::{Context, allow_plan, find_run, retry, take_again};
use crate::config::limits::Keep;
use crate::domain::check_run::{Button, Refusal, sentences, told};
use crate::domain::permission::{Action, AllowPlan, Forbidden, Promote, Propose, Retry, Viewer, permit};
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use crate::domain::stack::Stack;
use crate::domain::{CommitHash, RunId, StackId};
use crate::github::event::{Press, Sender};
use crate::store::{CheckKind, GithubCheck, StoreError};
use sender::{Unauthorised, clicker};
use unknown::refuse_unknown;

/// What the activity log calls a click of which it cannot be told what it asks for.
const PRESS: &str = "press";

/// What a click led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done {
        /// What.
        sentence: String,
        /// On which stack.
        stack: StackId,
        /// Which run came of it.
        run: Option<RunId>,
    },
    /// It was refused.
    Refused {
        /// Why, and what would help.
        sentence: String,
        /// On which stack.
        stack: Option<StackId>,
        /// On which run.
        run: Option<RunId>,
    },
    /// It is none of Headway's business.
    Ignored(String),
}

/// Answered, or why it cannot be answered yet.
type Pressed = Result<Result<Answer, String>, Problem>;

/// What is needed to act on a click that is what it says.
struct Click<'a> {
    context: &'a Context,
    check: GithubCheck,
    stack: Stack,
    reached: Reached,
    sender: &'a Sender,
}

/// Answers a click on a check run of ours; an error text says that it is to be tried again, unless it is the `last` try.
pub async fn press(context: &Context, click: &Press, app: i64, last: bool) -> Pressed {
    if click.app != Some(app) {
        return Ok(Ok(Answer::Ignored("It is another App's check run.".into())));
    }
    let mut reading = context.store.read().await?;
    let mut check = reading.check_on_github(click.check_run).await?;
    if check.is_none() {
        // Made by an attempt whose answer was lost.
        check = reading.check(&click.external_id).await?.filter(|check| check.check_run_id.is_none());
    }
    let Some(check) = check else {
        drop(reading);
        return refuse_unknown(context, click, last).await;
    };
    let repository = reading.github_repository(check.github_repository_id).await?;
    drop(reading);
    let pressed = click.button.as_deref().map_or(Some(Button::Preview), Button::parse);
    let action = pressed.map_or(PRESS, name);
    let refuse = |problem: Problem| refuse(context, &check, &click.sender, action, problem);
    let forged = check.github_repository_id != click.repository || check.commit_hash.as_str() != click.commit;
    let installation = repository.as_ref().and_then(|repository| repository.installation_id);
    if forged || (click.installation.is_some() && click.installation != installation) {
        return refuse(Refusal::Forged.problem()).await;
    }
    let Some(button) = pressed else {
        return refuse(Refusal::NoSuchButton.problem()).await;
    };
    answer(context, check, &click.sender, button, last).await
}

/// Answers a click that is what it says.
async fn answer(context: &Context, check: GithubCheck, sender: &Sender, button: Button, last: bool) -> Pressed {
    let mut reading = context.store.read().await?;
    let repository = reading.github_repository(check.github_repository_id).await?;
    let stack = reading.stack(&check.stack_id).await?;
    let followed = match &stack {
        Some(stack) => reading.github_of(&stack.repository).await?.map(|followed| followed.id),
        None => None,
    };
    drop(reading);
    let (Some(stack), Some(repository)) = (stack, repository) else {
        return refuse(context, &check, sender, name(button), Refusal::StackGone.problem()).await;
    };
    if let Keep::For(known) = context.config.limits.keep_ledger
        && context.now().since(check.created_at) >= known
    {
        return refuse(context, &check, sender, name(button), Refusal::TooOld.problem()).await;
    }
    // Who may write to the repository that it left has no say over it any more.
    if followed != Some(repository.id) {
        return refuse(context, &check, sender, name(button), Refusal::StackMoved.problem()).await;
    }
    let reached = match reach(context, repository).await? {
        Ok(reached) => reached,
        Err(why) => {
            return refuse(context, &check, sender, name(button), Refusal::OutOfReach(&why).problem()).await;
        }
    };
    Click { context, check, stack, reached, sender }.answer(button, last).await
}

/// What a button does, as the activity log calls it.
fn name(button: Button) -> &'static str {
    match button {
        Button::Deploy => Promote::NAME,
        Button::Preview => Propose::NAME,
        Button::AllowPlan => AllowPlan::NAME,
    }
}

/// Plans a commit again for every stack that has a check on it, as *Re-run all checks* asks.
pub async fn repeat_commit(
    context: &Context,
    repository: i64,
    commit: &CommitHash,
    sender: &Sender,
    last: bool,
) -> Pressed {
    let mut reading = context.store.read().await?;
    if reading.github_repository(repository).await?.is_none() {
        return Ok(Ok(Answer::Ignored("The App does not know the repository.".into())));
    };
    let mut checks = reading.checks_of_commit(repository, commit).await?;
    // Of each stack the newest plan; deployments are not repeated, and what is not touched stays so.
    checks.retain(|check| check.kind == CheckKind::Proposed);
    let mut seen = Vec::new();
    checks.retain(|check| {
        let new = !seen.contains(&check.stack_id);
        seen.push(check.stack_id.clone());
        new
    });
    let mut answers = Vec::new();
    for check in checks {
        match answer(context, check, sender, Button::Preview, last).await? {
            Ok(answer) => answers.push(answer),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(answers.into_iter().next().unwrap_or_else(|| Answer::Ignored("No stack has a plan of that commit.".into()))))
}

/// Why a click led to nothing.
enum Stopped {
    /// It was refused here, and nobody has been told.
    Here(Problem),
    /// A command refused it, and has written that to the activity log.
    ByCommand(Problem),
    /// Whether it may be done cannot be told while GitHub does not answer: why, and what is said when it never does.
    Unverified(String, Problem),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::ByCommand(problem)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::ByCommand(error.into())
    }
}

impl From<Forbidden> for Stopped {
    fn from(forbidden: Forbidden) -> Self {
        Self::Here(forbidden.into())
    }
}

impl From<Refusal<'_>> for Stopped {
    fn from(refusal: Refusal<'_>) -> Self {
        Self::Here(refusal.problem())
    }
}

impl Click<'_> {
    async fn answer(&self, button: Button, last: bool) -> Pressed {
        let viewer = match self.authorised(button).await {
            Ok(viewer) => viewer,
            Err(Unauthorised::Unknown(why)) if !last => return Ok(Err(why)),
            Err(Unauthorised::Unknown(why)) => {
                let refusal = Refusal::Unverified { login: &self.sender.login, why: &why };
                return self.refuse(button, refusal.problem()).await;
            }
            Err(Unauthorised::No(problem)) => return self.refuse(button, problem).await,
        };
        let done = match button {
            Button::Deploy => self.deploy(&viewer).await,
            Button::Preview => self.preview(&viewer).await,
            Button::AllowPlan => self.allow_plan(&viewer).await,
        };
        match done {
            Ok(answer) => {
                let mut writing = self.context.store.write().await?;
                writing.set_refusal(&self.check, None).await?;
                writing.commit().await?;
                Ok(Ok(answer))
            }
            Err(Stopped::Here(Problem::Unavailable { .. }) | Stopped::ByCommand(Problem::Unavailable { .. })) => {
                Ok(Err("Headway could not do it now.".into()))
            }
            Err(Stopped::Unverified(why, _)) if !last => Ok(Err(why)),
            Err(Stopped::Here(problem) | Stopped::Unverified(_, problem)) => self.refuse(button, problem).await,
            Err(Stopped::ByCommand(problem)) => tell(self.context, &self.check, self.sender, &problem).await,
        }
    }

    async fn run(&self) -> Result<Run, Stopped> {
        let gone = || Stopped::from(Refusal::RunGone);
        let id = self.check.run_id.as_ref().ok_or_else(gone)?;
        let mut reading = self.context.store.read().await?;
        find_run(&mut reading, &self.stack.id, id).await.map_err(|_| gone())
    }

    async fn preview(&self, viewer: &Viewer) -> Result<Answer, Stopped> {
        if self.check.kind == CheckKind::Tracked {
            return Err(Refusal::Deployment.into());
        }
        let mut reading = self.context.store.read().await?;
        let newest = reading.newest_proposed_at(&self.stack.id, &self.check.commit_hash).await?;
        drop(reading);
        match newest {
            Some(run) if !run.state.is_terminal() => {
                Ok(self.done("That commit is being planned already.".into(), run.id))
            }
            // Whoever clicks on an older check of the commit wants what the newer one has done already.
            Some(run) if self.check.run_id.as_ref().is_some_and(|clicked| *clicked < run.id) => {
                Ok(self.done("That commit was planned again already.".into(), run.id))
            }
            Some(run) => {
                let permit = permit::<Retry>(viewer, &self.stack.id)?;
                let again = retry::retry(self.context, &permit, &run.id).await?;
                Ok(self.done(format!("{} had the commit planned again.", self.sender.login), again))
            }
            None if self.check.kind == CheckKind::Fork => Err(Refusal::ForkNotAllowed.into()),
            None => self.plan_untouched(viewer).await,
        }
    }

    async fn plan_untouched(&self, viewer: &Viewer) -> Result<Answer, Stopped> {
        let hash = &self.check.commit_hash;
        let mut reading = self.context.store.read().await?;
        let repository = reading.repository(&self.stack.repository).await?.ok_or(Problem::UNAVAILABLE)?;
        drop(reading);
        let branch = repository.heads.iter().find(|(_, head)| *head == hash).map(|(branch, _)| branch.clone());
        let branch = branch.ok_or(Refusal::NoBranchAt(hash))?;
        let commit = self.context.commit(&self.stack, hash).await.map_err(Stopped::Here)?;
        self.context.permitted::<Propose>(viewer, &self.stack.id).await?;
        let mut writing = self.context.store.write().await?;
        let stack = take_again(&mut writing, &self.stack).await.map_err(Stopped::Here)?;
        let started = start_proposed(self.context, &mut writing, &stack, &branch, commit, &viewer.name, None).await;
        let run = started.map_err(Stopped::Here)?;
        let detail = format!("{} on {branch}", hash.short());
        self.context.record(&mut writing, viewer, Propose::NAME, Some(&stack.id), Some(&run.id), detail).await?;
        writing.commit().await?;
        self.context.work.notify_one();
        Ok(self.done(format!("{} had the commit planned.", self.sender.login), run.id))
    }

    async fn allow_plan(&self, viewer: &Viewer) -> Result<Answer, Stopped> {
        let hash = &self.check.commit_hash;
        let mut reading = self.context.store.read().await?;
        let open = reading.open_pull_requests(self.reached.repository.id).await?;
        drop(reading);
        let of_fork = open.into_iter().find(|pull| pull.fork && pull.head_commit == *hash);
        let pull = of_fork.ok_or(Refusal::NoForkAt)?;
        let permit = permit::<AllowPlan>(viewer, &self.stack.id)?;
        let run = allow_plan::allow_plan(self.context, &permit, pull.number, hash).await?;
        Ok(self.done(format!("{} let the fork's commit be planned.", self.sender.login), run))
    }

    fn done(&self, sentence: String, run: RunId) -> Answer {
        Answer::Done { sentence, stack: self.stack.id.clone(), run: Some(run) }
    }

    async fn refuse(&self, button: Button, problem: Problem) -> Pressed {
        refuse(self.context, &self.check, self.sender, name(button), problem).await
    }
}

/// Writes a refusal to the activity log and into the check.
async fn refuse(
    context: &Context,
    check: &GithubCheck,
    sender: &Sender,
    action: &'static str,
    problem: Problem,
) -> Pressed {
    context.note_refusal(&clicker(sender), action, Some(&check.stack_id), check.run_id.as_ref(), &problem).await?;
    tell(context, check, sender, &problem).await
}

/// Has the check say why a click did nothing.
async fn tell(context: &Context, check: &GithubCheck, sender: &Sender, problem: &Problem) -> Pressed {
    let sentence = sentences(problem);
    let mut writing = context.store.write().await?;
    writing.set_refusal(check, Some(&told(problem, &sender.login, context.now()))).await?;
    writing.commit().await?;
    Ok(Ok(Answer::Refused { sentence, stack: Some(check.stack_id.clone()), run: check.run_id.clone() }))
}
