//! Check runs on GitHub: made, changed, found again.

use super::client::Auth;
use super::{App, GitHub, Result};
use crate::domain::CommitHash;
use crate::domain::check_run::{CheckRun, Status};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where something of a repository is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The App.
    pub app: &'a App,
    /// The installation.
    pub installation: i64,
    /// `owner/name`.
    pub repository: &'a str,
}

impl Place<'_> {
    pub(super) fn auth(&self) -> Auth<'_> {
        Auth::Installation(self.app, self.installation)
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }
}

/// A check run with what ties it to Headway.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The name that branch protection demands.
    pub name: &'a str,
    /// The commit.
    pub commit: &'a CommitHash,
    /// Headway's id of it.
    pub external_id: &'a str,
    /// The run's page.
    pub page: &'a str,
    /// What it says.
    pub check_run: &'a CheckRun,
}

#[derive(Deserialize)]
struct Answer {
    id: i64,
    #[serde(default)]
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct Answers {
    check_runs: Vec<Answer>,
}

/// What GitHub is to show, as the API takes it.
///
/// The buttons are always said, an empty list too: what a change without them would do is not documented. A check run
/// that has ended stays ended, so that is not said twice.
pub fn body(sent: &Sent<'_>, ended: bool) -> Value {
    let mut body = shown(sent.check_run, ended);
    body.insert("name".into(), sent.name.into());
    body.insert("external_id".into(), sent.external_id.into());
    body.insert("details_url".into(), sent.page.into());
    Value::Object(body)
}

fn shown(run: &CheckRun, ended: bool) -> Map<String, Value> {
    let mut body = Map::new();
    if !ended {
        match run.status {
            Status::Queued => body.insert("status".into(), "queued".into()),
            Status::InProgress => body.insert("status".into(), "in_progress".into()),
            Status::Completed(conclusion) => {
                body.insert("conclusion".into(), conclusion.name().into());
                body.insert("status".into(), "completed".into())
            }
        };
    }
    let mut output = json!({ "title": run.title, "summary": run.summary });
    if let Some(text) = &run.text {
        output["text"] = text.as_str().into();
    }
    body.insert("output".into(), output);
    let buttons: Vec<Value> = run
        .buttons
        .iter()
        .map(|button| {
            json!({ "label": button.label(), "description": button.description(), "identifier": button.identifier() })
        })
        .collect();
    body.insert("actions".into(), buttons.into());
    body
}

impl GitHub {
    /// Makes a check run; its id.
    pub async fn create_check_run(&self, place: Place<'_>, sent: &Sent<'_>) -> Result<i64> {
        let mut body = body(sent, false);
        body["head_sha"] = sent.commit.as_str().into();
        let answer: Answer = self.tell(place.auth(), Method::POST, &place.path("/check-runs"), &body).await?;
        Ok(answer.id)
    }

    /// Changes a check run; `ended` says that GitHub was told of its end before.
    pub async fn update_check_run(&self, place: Place<'_>, id: i64, sent: &Sent<'_>, ended: bool) -> Result<()> {
        let path = place.path(&format!("/check-runs/{id}"));
        let _: Answer = self.tell(place.auth(), Method::PATCH, &path, &body(sent, ended)).await?;
        Ok(())
    }

    /// Has a check run of the App that Headway has nothing of say something else.
    pub async fn update_unknown_check_run(
        &self,
        place: Place<'_>,
        id: i64,
        check_run: &CheckRun,
        ended: bool,
    ) -> Result<()> {
        let path = place.path(&format!("/check-runs/{id}"));
        let body = Value::Object(shown(check_run, ended));
        let _: Answer = self.tell(place.auth(), Method::PATCH, &path, &body).await?;
        Ok(())
    }

    /// Finds the check run that an attempt with unknown outcome may have made.
    pub async fn find_check_run(&self, place: Place<'_>, sent: &Sent<'_>) -> Result<Option<i64>> {
        let name: String = url::form_urlencoded::byte_serialize(sent.name.as_bytes()).collect();
        let path =
            place.path(&format!("/commits/{}/check-runs?check_name={name}&filter=all&per_page=100", sent.commit));
        let found = self.ask_all(place.auth(), &path, |page: Answers| page.check_runs).await?;
        Ok(found.into_iter().find(|run| run.external_id.as_deref() == Some(sent.external_id)).map(|run| run.id))
    }
}
