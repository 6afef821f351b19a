//! What every server function begins with: who asks, and whether they may.

pub use crate::commands::{
    Context, add_repository, allow_plan, answer_delivery, catch_up, confirm, connect_github, create_stack,
    delete_stack, discard, lock, promote, propose, retry, save_settings, set_current, set_variable, stop, sync,
    trigger,
};
pub use crate::domain::permission::{self, Action, Permit, Viewer, permit};
pub use crate::domain::problem::Problem;
pub use crate::domain::stack::{Behavior, Integration};
pub use crate::domain::vendor::Vendor;
pub use crate::domain::{RepositoryId, RunId, StackId};
pub use crate::queries;
pub use crate::store::Settings;
use leptos::prelude::use_context;

/// What commands and queries work with.
pub fn context() -> Result<Context, Problem> {
    use_context::<Context>().ok_or(Problem::Unavailable)
}

/// Who asks. Whoever reaches this Headway is its operator: it listens on this machine only.
pub fn viewer(context: &Context) -> Viewer {
    Viewer::everywhere(context.config.operator.clone(), permission::Role::Administrator)
}

/// The permit to do `A` on a stack; without one the attempt is written to the activity log.
pub async fn permitted<A: Action>(context: &Context, stack: &str) -> Result<Permit<A>, Problem> {
    let viewer = viewer(context);
    let stack = StackId::new(stack);
    match permit::<A>(&viewer, &stack) {
        Ok(permit) => Ok(permit),
        Err(forbidden) => {
            let problem = Problem::from(forbidden);
            context.note_refusal(&viewer, A::NAME, Some(&stack), None, &problem).await?;
            Err(problem)
        }
    }
}

/// The permit for what concerns this Headway as a whole and no stack.
pub async fn administrator<A: Action>(context: &Context) -> Result<Permit<A>, Problem> {
    permitted(context, "").await
}

/// Leads to a page.
pub fn go(page: &str) {
    leptos_axum::redirect(page, false);
}

/// One item a line, or between commas.
pub fn list(text: &str) -> Vec<String> {
    text.split(['\n', ',']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
