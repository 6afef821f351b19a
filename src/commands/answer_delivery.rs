//! Answer delivery: works on what GitHub sent, after it was kept. Nothing depends on the order: each delivery makes
//! Headway look, and what it sees decides.

use super::press::{Answer, press, repeat_commit};
use super::{Context, fetch, follow_pull_request, read_installations};
use crate::domain::permission::{ConnectGithub, Permit};
use crate::domain::problem::{Problem, Refusal, Thing};
use crate::domain::{RunId, StackId, Timestamp};
use crate::github::GitHubError;
use crate::github::event::{self, Event};
use crate::store::{Delivery, DeliveryState, Received, UNCONCERNED};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many deliveries are worked on at the same time.
const TOGETHER: usize = 16;

/// For how long a delivery is tried again, in milliseconds: since it came, or since it was last to be worked on again.
const PATIENCE: i64 = 10 * 60_000;

/// How a delivery ended.
struct Ended {
    state: DeliveryState,
    sentence: String,
    led_to: Option<(StackId, Option<RunId>)>,
}

impl Ended {
    fn done(sentence: impl Into<String>) -> Self {
        Self { state: DeliveryState::Done, sentence: sentence.into(), led_to: None }
    }

    fn ignored(sentence: impl Into<String>) -> Self {
        Self { state: DeliveryState::Ignored, sentence: sentence.into(), led_to: None }
    }
}

impl From<Answer> for Ended {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Done { sentence, stack, run } => Self { led_to: Some((stack, run)), ..Self::done(sentence) },
            Answer::Refused { sentence, stack, run } => {
                Self { led_to: stack.map(|stack| (stack, run)), ..Self::done(format!("Refused: {sentence}")) }
            }
            Answer::Ignored(sentence) => Self::ignored(sentence),
        }
    }
}

/// Why a delivery could not be worked on now.
#[derive(Debug)]
enum Trouble {
    /// It may work later.
    Later(String),
    /// It never will.
    Never(String),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        match &problem {
            Problem::Refused(refusal) if matches!(**refusal, Refusal::Unreachable { .. } | Refusal::Overtaken) => {
                Self::Later(problem.sentence())
            }
            Problem::Unavailable { .. } | Problem::Unanswered | Problem::TooMany { .. } => {
                Self::Later(problem.sentence())
            }
            Problem::Refused(_)
            | Problem::NotFound(_)
            | Problem::NotSignedIn
            | Problem::Forbidden { .. }
            | Problem::Invalid(_)
            | Problem::Stale { .. }
            | Problem::Malformed => Self::Never(problem.sentence()),
        }
    }
}

impl From<GitHubError> for Trouble {
    fn from(error: GitHubError) -> Self {
        if error.is_passing() { Self::Later(error.to_string()) } else { Self::Never(error.to_string()) }
    }
}

/// Works on deliveries until it is dropped.
pub async fn work(context: Context) {
    let mut working = JoinSet::new();
    let mut busy: Vec<String> = Vec::new();
    loop {
        match due(&context).await {
            Ok(deliveries) => {
                for delivery in deliveries {
                    if busy.len() >= TOGETHER || busy.contains(&delivery.id) {
                        continue;
                    }
                    busy.push(delivery.id.clone());
                    let context = context.clone();
                    working.spawn(async move {
                        let id = delivery.id.clone();
                        if let Err(problem) = answer(&context, &delivery).await {
                            tracing::error!(delivery.id = id, ?problem, "cannot note what became of a delivery");
                            // Whatever is wrong with the store would be wrong again at once.
                            tokio::time::sleep(Duration::from_secs(1)).await;
                        }
                        id
                    });
                }
            }
            Err(problem) => tracing::error!(?problem, "cannot read the deliveries"),
        }
        let tick = Duration::from_secs(1);
        tokio::select! {
            Some(ended) = working.join_next() => match ended {
                Ok(id) => busy.retain(|working| *working != id),
                // One that panicked is tried again: who it was is not told.
                Err(error) => { tracing::error!(%error, "a delivery broke"); busy.clear(); }
            },
            () = context.delivered.notified() => {}
            () = tokio::time::sleep(tick) => {}
        }
    }
}

async fn due(context: &Context) -> Result<Vec<Delivery>, Problem> {
    let most = i64::try_from(2 * TOGETHER).unwrap_or(i64::MAX);
    Ok(context.store.read().await?.deliveries_due(context.now(), most).await?)
}

/// Works on one delivery and notes what became of it.
pub async fn answer(context: &Context, delivery: &Delivery) -> Result<(), Problem> {
    let attempt = attempt(context, delivery).await;
    let now = context.now();
    let mut writing = context.store.write().await?;
    match attempt {
        Ok(ended) => {
            tracing::info!(
                delivery.id,
                event = delivery.event,
                action = delivery.action,
                "delivery {}",
                ended.state.name()
            );
            let led_to = ended.led_to.as_ref().map(|(stack, run)| (stack, run.as_ref()));
            writing.end_delivery(&delivery.id, ended.state, &ended.sentence, led_to, now).await?;
        }
        Err(Trouble::Later(why)) if now.since(delivery.waiting_since) < PATIENCE => {
            writing.retry_delivery(&delivery.id, &why, later(delivery.attempts, now)).await?;
        }
        Err(Trouble::Later(why) | Trouble::Never(why)) => {
            tracing::warn!(delivery.id, event = delivery.event, why, "a delivery failed");
            writing.end_delivery(&delivery.id, DeliveryState::Failed, &why, None, now).await?;
        }
    }
    Ok(writing.commit().await?)
}

/// 1 s, 2 s, 4 s … a minute.
fn later(attempts: i64, now: Timestamp) -> Timestamp {
    now.plus(1000 << attempts.clamp(0, 6)).min(now.plus(60_000))
}

async fn attempt(context: &Context, delivery: &Delivery) -> Result<Ended, Trouble> {
    let app = context.store.read().await.map_err(Problem::from)?.github_app().await.map_err(Problem::from)?;
    let Some(app) = app else { return Err(Trouble::Never("No GitHub App is connected.".into())) };
    let event = event::read(&delivery.event, delivery.body.as_bytes(), app.app_id)
        .map_err(|error| Trouble::Never(error.to_string()))?;
    let Some(event) = event else { return Ok(Ended::ignored(UNCONCERNED)) };
    let last = context.now().since(delivery.waiting_since) >= PATIENCE;
    Ok(match event {
        Event::Ping => Ended::done("GitHub reaches Headway."),
        Event::Push { repository } => pushed(context, repository).await?,
        Event::PullRequest { pull } => {
            let sentence = follow_pull_request::follow_pull_request(context, &pull).await?;
            // Its commit may be newer than what was fetched; a fork's is fetched when somebody allows it.
            let fetched = pushed(context, pull.repository).await?;
            Ended { sentence, ..fetched }
        }
        Event::Pressed(click) | Event::Rerequested(click) => press(context, &click, app.app_id, last)
            .await?
            .map_or_else(|why| Err(Trouble::Later(why)), |answer| Ok(Ended::from(answer)))?,
        Event::SuiteRerequested { repository, commit, sender } => {
            repeat_commit(context, repository, &commit, &sender, last)
                .await?
                .map_or_else(|why| Err(Trouble::Later(why)), |answer| Ok(Ended::from(answer)))?
        }
        Event::Installation { id } => Ended::done(read_installations::read_installation(context, id).await??),
        Event::Uninstalled { id } => {
            read_installations::forget_installation(context, id).await?;
            Ended::done("The App was uninstalled. Its stacks stay; nothing more is told to GitHub.")
        }
        Event::Repository { id, installation } => {
            Ended::done(read_installations::read_repository(context, id, installation).await??)
        }
        Event::RepositoryDeleted { id } => {
            read_installations::detach(context, id).await?;
            Ended::done("The repository is gone on GitHub. Its stacks and their history stay.")
        }
    })
}

/// Fetches the repository; what its stacks answered.
async fn pushed(context: &Context, github: i64) -> Result<Ended, Trouble> {
    let mut reading = context.store.read().await.map_err(Problem::from)?;
    let repository = reading.github_repository(github).await.map_err(Problem::from)?;
    drop(reading);
    let Some(repository) = repository else { return Ok(Ended::ignored("The App does not know the repository.")) };
    let Some(mirrored) = repository.repository_id else {
        return Ok(Ended::ignored(format!("No stack uses {}.", repository.full_name)));
    };
    let started = fetch::fetch(context, &mirrored).await?;
    let sentence = match started.len() {
        0 => "Fetched; no run was started.".to_owned(),
        1 => "Fetched; a run was started.".to_owned(),
        count => format!("Fetched; {count} runs were started."),
    };
    let led_to = started.into_iter().next().map(|(stack, run)| (stack, Some(run)));
    Ok(Ended { led_to, ..Ended::done(sentence) })
}

/// Has a delivery worked on again, because a person asked.
pub async fn replay(context: &Context, permit: &Permit<ConnectGithub>, id: &str) -> Result<(), Problem> {
    let result = revive(context, permit, id).await;
    context.noted(permit, None, result).await
}

async fn revive(context: &Context, permit: &Permit<ConnectGithub>, id: &str) -> Result<(), Problem> {
    let mut writing = context.store.write().await?;
    let delivery = writing.delivery(id).await?.ok_or(Problem::NotFound(Thing::Delivery))?;
    if delivery.body.is_empty() {
        return Err(Problem::github(
            "What this delivery said is no longer kept.",
            "Have GitHub send it again: Recent Deliveries in the App's settings.",
        ));
    }
    if writing.revive_delivery(id, context.now()).await? == Received::Repeated {
        return Err(Problem::github("Another delivery says the same, and was worked on.", "Replay that one."));
    }
    let detail = format!("delivery {id} ({}) is worked on again", delivery.event);
    context.record(&mut writing, permit.viewer(), "replay", None, None, detail).await?;
    writing.commit().await?;
    context.delivered.notify_one();
    Ok(())
}
