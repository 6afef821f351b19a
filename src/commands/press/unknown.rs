//! A click on a check run of the App that Headway has nothing of: its run was deleted, or the database is an older copy.
//! There is no check for the reconciler to bring up to date, so the refusal is written into it here.

use super::sender::clicker;
use super::{Answer, PRESS, Pressed};
use crate::commands::Context;
use crate::commands::github_place::reach;
use crate::domain::check_run::{Detail, Facts, Refusal, Subject, check_run, sentences, told};
use crate::domain::problem::Problem;
use crate::github::event::Press;

/// Refuses it, in the check and in the activity log; it is to be tried again, unless this is the `last` try, while
/// GitHub does not answer.
pub async fn refuse_unknown(context: &Context, click: &Press, last: bool) -> Pressed {
    let problem = Refusal::UnknownCheckRun.problem();
    let mut sentence = sentences(&problem);
    match tell(context, click, &problem).await? {
        Told::Shown => {}
        Told::Later(why) if !last => return Ok(Err(why)),
        Told::Later(why) | Told::Never(why) => {
            sentence = format!("{sentence} This could not be written into the check: {why}");
        }
    }
    context.note_refusal(&clicker(&click.sender), PRESS, None, None, &problem).await?;
    Ok(Ok(Answer::Refused { sentence, stack: None, run: None }))
}

/// Whether GitHub shows why nothing was done.
enum Told {
    Shown,
    Later(String),
    Never(String),
}

async fn tell(context: &Context, click: &Press, problem: &Problem) -> Result<Told, Problem> {
    let repository = context.store.read().await?.github_repository(click.repository).await?;
    let Some(repository) = repository else { return Ok(Told::Never("the App does not know the repository.".into())) };
    let reached = match reach(context, repository).await? {
        Ok(reached) => reached,
        Err(why) => return Ok(Told::Never(why)),
    };
    let refusal = told(problem, &click.sender.login, context.now());
    let facts = Facts {
        stack: "",
        subject: Subject::Gone,
        plan: None,
        detail: Detail::Counts,
        page: &context.config.home(),
        refusal: Some(&refusal),
    };
    let updated = context
        .github
        .update_unknown_check_run(reached.place(), click.check_run, &check_run(&facts), click.ended)
        .await;
    Ok(match updated {
        Ok(()) => Told::Shown,
        Err(error) if error.is_passing() => Told::Later(error.to_string()),
        Err(error) => Told::Never(error.to_string()),
    })
}
