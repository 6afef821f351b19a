//! The sender of a click: who they are here, and whether they may press the button. GitHub says that they may write to the
//! repository; of a person who has connected their account, their role here counts as well.

use super::Click;
use crate::commands::Context;
use crate::domain::StackId;
use crate::domain::check_run::{Button, Refusal};
use crate::domain::permission::{Action, AllowPlan, Promote, Retry, Role, Viewer};
use crate::domain::problem::Problem;
use crate::github::event::Sender;

/// Why somebody may not press a button.
pub enum Unauthorised {
    /// They may not.
    No(Problem),
    /// It cannot be told now.
    Unknown(String),
}

/// Whoever clicked, once GitHub has said that they may write to the repository.
pub fn clicker(sender: &Sender) -> Viewer {
    Viewer { from: "GitHub".into(), ..Viewer::everywhere(format!("github/{}", sender.login), Role::Writer) }
}

impl Click<'_> {
    /// What the sender may do: what GitHub and Headway both let them; failing closed.
    pub async fn authorised(&self, button: Button) -> Result<Viewer, Unauthorised> {
        let login = &self.sender.login;
        if self.sender.kind == "Bot" {
            return Err(Unauthorised::No(Refusal::Bot(login).problem()));
        }
        match self.context.github.may_write(self.reached.place(), login).await {
            Ok(true) => {}
            Ok(false) => {
                let repository = &self.reached.repository.full_name;
                return Err(Unauthorised::No(Refusal::NoWriteAccess { login, repository }.problem()));
            }
            Err(error) => return Err(Unauthorised::Unknown(error.to_string())),
        }
        let known = match person(self.context, self.sender).await {
            Ok(known) => known,
            Err(Problem::Refused(refusal)) => return Err(Unauthorised::No(Problem::Refused(refusal))),
            Err(problem) => return Err(Unauthorised::Unknown(problem.sentence())),
        };
        match known {
            None => Ok(clicker(self.sender)),
            Some(person) => {
                let needs = match button {
                    Button::Deploy => Promote::NEEDS,
                    Button::Preview => Retry::NEEDS,
                    Button::AllowPlan => AllowPlan::NEEDS,
                };
                both(clicker(self.sender), &person, &self.stack.id, needs).map_err(Unauthorised::No)
            }
        }
    }
}

/// The person who has connected the sender's account, by its id: logins change hands.
async fn person(context: &Context, sender: &Sender) -> Result<Option<Viewer>, Problem> {
    let Some(person) = context.store.read().await?.person_of_github(sender.id).await? else { return Ok(None) };
    let viewer = context.viewer(&person.id, "GitHub").await?;
    viewer.map(Some).ok_or_else(|| Refusal::ShutOut { login: &sender.login, person: &person.name }.problem())
}

/// What the sender may do on a stack: the lesser of what GitHub and what Headway lets them.
fn both(sender: Viewer, person: &Viewer, stack: &StackId, needs: Role) -> Result<Viewer, Problem> {
    match person.role_on(stack) {
        Some(role) if role >= needs => Ok(sender.limited(role, Some(stack))),
        has => {
            let login = sender.name.trim_start_matches("github/");
            Err(Refusal::Role { login, person: &person.name, has, needs }.problem())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn sender() -> Viewer {
        let sender = Sender { id: 7, login: "acme".into(), kind: "User".into() };
        clicker(&sender)
    }

    #[test]
    fn the_lesser_role_counts_under_the_name_on_github() {
        let stack = StackId::new("network");
        for (role, needs, expected) in [
            (Role::Reader, Role::Reader, Some(Role::Reader)),
            (Role::Reader, Role::Writer, None),
            (Role::Writer, Role::Writer, Some(Role::Writer)),
            (Role::Administrator, Role::Writer, Some(Role::Writer)),
        ] {
            let person = Viewer::everywhere("ada", role);
            let viewer = both(sender(), &person, &stack, needs).ok();
            assert_eq!(viewer.as_ref().and_then(|viewer| viewer.role_on(&stack)), expected, "{role:?} {needs:?}");
            assert!(viewer.is_none_or(|viewer| viewer.name == "github/acme" && viewer.person.is_none()));
        }
    }

    #[test]
    fn a_role_elsewhere_is_none_here_and_the_refusal_says_so() {
        let elsewhere = Viewer::everywhere("ada", Role::Writer).limited(Role::Writer, Some(&StackId::new("other")));
        let refused = both(sender(), &elsewhere, &StackId::new("network"), Role::Writer).unwrap_err();
        assert_eq!(
            refused.sentence(),
            "acme is ada in Headway, with no role on this stack; this takes the role writer."
        );
    }
}
