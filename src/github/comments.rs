//! The one comment that Headway keeps up to date on a pull request.

use super::checks::Place;
use super::{GitHub, GitHubError, Result};
use crate::domain::check_run::COMMENT_MARK;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Answer {
    id: i64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    performed_via_github_app: Option<Via>,
}

#[derive(Deserialize)]
struct Via {
    id: i64,
}

impl GitHub {
    /// Has the pull request's comment say this; the comment's id. One that was deleted is made again.
    pub async fn save_comment(&self, place: Place<'_>, number: i64, known: Option<i64>, text: &str) -> Result<i64> {
        let body = json!({ "body": text });
        let known = match known {
            Some(known) => Some(known),
            None => self.find_comment(place, number).await?,
        };
        if let Some(id) = known {
            let path = place.path(&format!("/issues/comments/{id}"));
            match self.tell::<Answer>(place.auth(), Method::PATCH, &path, &body).await {
                Ok(answer) => return Ok(answer.id),
                Err(GitHubError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let path = place.path(&format!("/issues/{number}/comments"));
        let answer: Answer = self.tell(place.auth(), Method::POST, &path, &body).await?;
        Ok(answer.id)
    }

    /// The comment that an attempt with unknown outcome may have made: ours by its mark and by its App.
    async fn find_comment(&self, place: Place<'_>, number: i64) -> Result<Option<i64>> {
        let path = place.path(&format!("/issues/{number}/comments?per_page=100"));
        let comments = self.ask_all(place.auth(), &path, |page: Vec<Answer>| page).await?;
        let ours = |comment: &Answer| {
            comment.body.as_deref().is_some_and(|body| body.starts_with(COMMENT_MARK))
                && comment.performed_via_github_app.as_ref().is_none_or(|via| via.id == place.app.id)
        };
        Ok(comments.into_iter().find(ours).map(|comment| comment.id))
    }
}
