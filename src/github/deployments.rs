//! Deployments on GitHub: one for each tracked run, with the states it goes through.

use super::checks::Place;
use super::{GitHub, Result};
use crate::domain::deployment::DeploymentState;
use crate::domain::{CommitHash, RunId};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Answer {
    id: i64,
    #[serde(default)]
    payload: Value,
}

impl GitHub {
    /// Finds the deployment of a run, or makes it; its id. The environment is the stack's name.
    pub async fn deployment(
        &self,
        place: Place<'_>,
        run: &RunId,
        commit: &CommitHash,
        environment: &str,
    ) -> Result<i64> {
        let name: String = url::form_urlencoded::byte_serialize(environment.as_bytes()).collect();
        let path = place.path(&format!("/deployments?sha={commit}&environment={name}&per_page=100"));
        let found = self.ask_all(place.auth(), &path, |page: Vec<Answer>| page).await?;
        if let Some(known) = found.into_iter().find(|answer| run_of(&answer.payload).as_deref() == Some(run.as_str())) {
            return Ok(known.id);
        }
        let body = json!({
            "ref": commit.as_str(),
            "task": "deploy",
            "auto_merge": false,
            // Headway's own check is still at work; GitHub would wait for it.
            "required_contexts": [],
            "payload": { "run": run.as_str() },
            "environment": environment,
            "description": "Headway",
        });
        let answer: Answer = self.tell(place.auth(), Method::POST, &place.path("/deployments"), &body).await?;
        Ok(answer.id)
    }

    /// Says where a deployment stands.
    pub async fn deployment_status(
        &self,
        place: Place<'_>,
        deployment: i64,
        state: DeploymentState,
        page: &str,
    ) -> Result<()> {
        let path = place.path(&format!("/deployments/{deployment}/statuses"));
        let body = json!({ "state": state.name(), "log_url": page, "auto_inactive": true });
        let _: Answer = self.tell(place.auth(), Method::POST, &path, &body).await?;
        Ok(())
    }
}

/// The run in a deployment's payload, which GitHub gives back as an object or as text.
fn run_of(payload: &Value) -> Option<String> {
    let parsed: Option<Value> = payload.as_str().and_then(|text| serde_json::from_str(text).ok());
    parsed.as_ref().unwrap_or(payload)["run"].as_str().map(str::to_owned)
}
