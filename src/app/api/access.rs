//! What every server function begins with: who asks, and whether they may.

use super::session_cookie;
pub use crate::commands::authenticate::Identity;
pub use crate::commands::sign_in::inside;
pub use crate::commands::{
    Context, add_repository, allow_plan, answer_delivery, catch_up, confirm, connect_github, create_stack,
    delete_stack, discard, invite, lock, manage_people, own_account, promote, propose, retry, save_settings,
    save_sign_in, set_current, set_variable, sign_in, stop, sync, trigger,
};
pub use crate::domain::permission::{self, Action, Oneself, Permit, Role, Viewer, oneself};
pub use crate::domain::person::{Holder, PersonId};
pub use crate::domain::problem::Problem;
pub use crate::domain::stack::{Behavior, Integration};
pub use crate::domain::vendor::Vendor;
pub use crate::domain::{RepositoryId, RunId, StackId};
pub use crate::queries;
pub use crate::runner::engine;
pub use crate::store::Settings;
use axum::http::HeaderValue;
use axum::http::header::{InvalidHeaderValue, SET_COOKIE};
use leptos::prelude::use_context;

/// What commands and queries work with.
pub fn context() -> Result<Context, Problem> {
    use_context::<Context>().ok_or(Problem::UNAVAILABLE)
}

/// Who asks, and from where; perhaps nobody.
pub fn identity() -> Identity {
    use_context::<Identity>().unwrap_or_default()
}

/// Who asks.
pub fn viewer() -> Result<Viewer, Problem> {
    identity().viewer.ok_or(Problem::NotSignedIn)
}

/// The person who asks, with the name of their session; a token is nobody's self.
pub fn myself() -> Result<(Oneself, String), Problem> {
    let viewer = viewer()?;
    let oneself = oneself(&viewer).ok_or_else(|| {
        Problem::people("A token cannot do this.", "Sign in with a browser: it concerns the person alone.")
    })?;
    Ok((oneself, identity().session.unwrap_or_default()))
}

/// The permit to do `A` on a stack; without one the attempt is written to the activity log.
pub async fn permitted<A: Action>(context: &Context, stack: &str) -> Result<Permit<A>, Problem> {
    context.permitted(&viewer()?, &StackId::new(stack)).await
}

/// The permit for what concerns this Headway as a whole and no stack.
pub async fn everywhere<A: Action>(context: &Context) -> Result<Permit<A>, Problem> {
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

/// One item a line.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Has the browser keep a session.
pub fn keep_session(context: &Context, secret: &str) -> Result<(), Problem> {
    set_cookie(session_cookie::keep(&context.config, secret))
}

/// Has the browser forget its session.
pub fn forget_session(context: &Context) -> Result<(), Problem> {
    set_cookie(session_cookie::forget(&context.config))
}

fn set_cookie(cookie: Result<HeaderValue, InvalidHeaderValue>) -> Result<(), Problem> {
    let response = use_context::<leptos_axum::ResponseOptions>().ok_or(Problem::UNAVAILABLE)?;
    response.append_header(SET_COOKIE, cookie.map_err(|_| Problem::UNAVAILABLE)?);
    Ok(())
}
