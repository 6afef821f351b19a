//! Where GitHub leads a browser back to: after the App was made, and after it was installed. What stands in the address is
//! a hint that is checked with GitHub.

use super::Server;
use crate::commands::authenticate::Identity;
use crate::commands::{connect_github, read_installations};
use crate::domain::StackId;
use crate::domain::permission::{ConnectGithub, Permit};
use crate::domain::problem::Problem;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The page of the GitHub App.
const PAGE: &str = "/settings/github";

#[derive(Deserialize)]
pub struct Made {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// After the App was made: exchanges the code, then leads on to installing it.
pub async fn callback(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(made): Query<Made>,
) -> Response {
    let done = async {
        let permit = permitted(&server, identity).await?;
        connect_github::complete(&server.context, &permit, &made.state, &made.code).await
    };
    answer(&server, done.await)
}

#[derive(Deserialize)]
pub struct Installed {
    #[serde(default)]
    installation_id: Option<i64>,
}

/// After the App was installed, or its repositories were changed.
pub async fn installed(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Query(installed): Query<Installed>,
) -> Response {
    let done = async {
        permitted(&server, identity).await?;
        if let Some(id) = installed.installation_id {
            // Anybody can lead a browser here with any number: GitHub is asked whether there is such an installation.
            let read = read_installations::read_installation(&server.context, id).await?;
            read.map_err(|error| {
                Problem::github(error.to_string(), "Look at the installations below, then try again.")
            })?;
        }
        Ok(PAGE.to_owned())
    };
    answer(&server, done.await)
}

async fn permitted(server: &Server, identity: Identity) -> Result<Permit<ConnectGithub>, Problem> {
    let viewer = identity.viewer.ok_or(Problem::NotSignedIn)?;
    server.context.permitted(&viewer, &StackId::new("")).await
}

fn answer(server: &Server, done: Result<String, Problem>) -> Response {
    match done {
        Ok(next) => Redirect::to(&next).into_response(),
        Err(problem) => server.flashes.lead_to(PAGE, problem),
    }
}

/// The origin of the GitHub that the page's form is to be sent to: the query's, or github.com.
pub fn web_origin(query: &str) -> Option<String> {
    let web = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "web").map(|(_, web)| web);
    let addresses = connect_github::addresses(&web.unwrap_or_default(), "").ok()?;
    url::Url::parse(&addresses.web).ok().map(|url| url.origin().ascii_serialization())
}
