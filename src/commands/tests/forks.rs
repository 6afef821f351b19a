//! Forks: their code is planned, and planned once more, only while the stack plans forks and by whoever may let it.

use super::*;
use crate::commands::allow_plan::allow_plan;
use crate::commands::retry::retry;
use crate::commands::save_settings::{Page, save_settings};
use crate::domain::pull_request::{PullRequest, PullRequestState, fork_branch};
use crate::queries;

/// The number of the pull request.
const NUMBER: i64 = 7;

impl World {
    /// A commit that only a fork has, as GitHub keeps it for the pull request; it is the pull request's newest.
    async fn push_fork(&self) -> CommitHash {
        let commit = self.origin.commit("of-a-fork", Some("main"), "network/fork.tf");
        self.origin.git(&["update-ref", &format!("refs/pull/{NUMBER}/head"), commit.as_str()], "");
        self.origin.delete("of-a-fork");
        let pull = PullRequest {
            repository: 1,
            number: NUMBER,
            title: "From afar".into(),
            author: "eve".into(),
            state: PullRequestState::Open,
            draft: false,
            base_branch: "main".into(),
            head_branch: "change".into(),
            head_commit: commit.clone(),
            fork: true,
            address: String::new(),
            opened_at: self.context.now(),
            updated_at: self.context.now(),
        };
        let mut writing = self.context.store.write().await.unwrap();
        assert!(writing.save_pull_request(&pull).await.unwrap());
        writing.commit().await.unwrap();
        commit
    }

    async fn plan_forks(&self, fork_plans: bool) {
        let page = Page::Integration(Integration { fork_plans, ..Integration::default() });
        save_settings(&self.context, &self.may("ada"), self.stack().await.version, page).await.unwrap();
    }

    /// Whether the run's page offers to plan it once more.
    async fn retryable(&self, run: &RunId) -> bool {
        queries::run(&self.context, &self.may("ada"), run, None).await.unwrap().retryable
    }
}

#[tokio::test]
async fn a_forks_plan_is_repeated_only_while_and_by_whom_it_may_be_allowed() {
    each(async |world| {
        let context = &world.context;
        world.on_github().await;
        world.plan_forks(true).await;
        let commit = world.push_fork().await;
        let first = allow_plan(context, &world.may("ada"), NUMBER, &commit).await.unwrap();
        assert_eq!(world.to(&first, RunState::Finished).await.branch, fork_branch(NUMBER));
        let forbidden = Err(Problem::Forbidden { needs: Role::Writer });
        assert_eq!(retry(context, &world.may_as("rosa", Role::Reader), &first).await, forbidden);
        let again = retry(context, &world.may_as("wanda", Role::Writer), &first).await.unwrap();
        world.to(&again, RunState::Finished).await;
        assert!(world.retryable(&again).await);

        world.plan_forks(false).await;
        let before = world.picture().await;
        for refused in [
            refusal(retry(context, &world.may("ada"), &again).await),
            refusal(allow_plan(context, &world.may("ada"), NUMBER, &commit).await),
        ] {
            assert_eq!(refused.reason(), "The stack does not plan forks.");
            assert!(refused.cure().unwrap().contains("Plans for forks"));
        }
        assert_eq!(world.picture().await, before);
        assert!(!world.retryable(&again).await);
        // Its own branches are none of a fork's.
        let own = world.finished("topic", "main").await;
        assert!(world.retryable(&own.id).await);
        retry(context, &world.may_as("rosa", Role::Reader), &own.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn plans_for_forks_that_are_switched_off_while_the_commit_is_fetched_keep_it_from_its_plan() {
    each(async |world| {
        world.on_github().await;
        world.plan_forks(true).await;
        let commit = world.push_fork().await;
        let version = world.stack().await.version;
        let mut writing = world.context.store.write().await.unwrap();
        let off = Settings { integration: Integration::default(), ..settings() };
        writing.save_settings(&world.stack, &off, version).await.unwrap();
        let permission = world.may("ada");
        let allowed = allow_plan(&world.context, &permission, NUMBER, &commit);
        let refused = refusal(behind(&world, writing, &commit, allowed).await);
        assert_eq!(refused.reason(), "The stack does not plan forks.");
        assert_eq!(world.runs(RunKind::Proposed).await, []);
        assert_eq!(world.read().await.fork_allowance(&world.stack, &commit).await.unwrap(), None);
    })
    .await;
}
