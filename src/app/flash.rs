//! What a form without JavaScript was answered, for the one page that shows it: the problem, and what had been typed.

use super::boot::Boot;
use crate::domain::problem::Problem;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

/// Fields that are sealed at once and never shown again.
const SEALED: [&str; 7] = ["private_key", "webhook_secret", "password", "present", "new", "client_secret", "link"];

/// The answer to a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The address that the form was sent to: `/api/promote_run`.
    pub action: String,
    /// Why it was not done.
    pub problem: Problem,
    fields: Vec<(String, String)>,
}

impl Flash {
    /// Keeps what was sent, but nothing that a page must not repeat: secret values and credentials in addresses.
    pub fn new(action: String, problem: Problem, mut fields: Vec<(String, String)>) -> Self {
        let secret = fields.iter().any(|(name, value)| name == "secret" && value == "true");
        fields.retain(|(name, _)| !(SEALED.contains(&name.as_str()) || secret && name == "value"));
        for (_, value) in fields.iter_mut().filter(|(name, _)| name == "address") {
            *value = without_credential(value);
        }
        Self { action, problem, fields }
    }
}

/// An address without the user and password in it, whole or mistyped. A user alone is no secret to SSH, as in
/// `git@host:path` or `ssh://git@host/path`; before https it may be a token.
fn without_credential(address: &str) -> String {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| scheme.chars().all(char::is_alphanumeric));
    match (scheme, address.rsplit_once('@')) {
        (Some("ssh"), Some((before, _))) if before.strip_prefix("ssh://").is_some_and(is_user_alone) => {
            address.to_owned()
        }
        (Some(scheme), Some((_, place))) => format!("{scheme}://{place}"),
        (None, Some((before, place))) if may_be_user_and_password(before) => place.to_owned(),
        (Some(_) | None, Some(_) | None) => address.to_owned(),
    }
}

fn is_user_alone(before: &str) -> bool {
    !may_be_user_and_password(before)
}

/// Whether what stands before the last `@` can be `user:password`: no path, and no `git@host:path` with an `@` in it.
fn may_be_user_and_password(before: &str) -> bool {
    let colon = before.find(':').filter(|_| !before.starts_with('/'));
    colon.is_some_and(|colon| before.find('@').is_none_or(|at| colon < at))
}

/// The flash of this page, if it has one for this form.
pub fn flash_of(action: &str) -> Option<Flash> {
    let shown = use_query_map().read_untracked().get("problem").is_some();
    use_context::<Boot>().and_then(|boot| boot.flash).filter(|flash| shown && flash.action == action)
}

/// What had been typed into a field of the form for `S`, when that form was refused without JavaScript.
pub fn typed<S: ServerFn>(field: &str) -> Option<String> {
    flash_of(S::url()).and_then(|flash| flash.field(field))
}

/// Whether a switch of the form for `S` was on when that form was refused; none when it was not.
pub fn switched<S: ServerFn>(field: &str) -> Option<bool> {
    flash_of(S::url()).map(|flash| flash.field(field).is_some())
}

impl Flash {
    /// What had been typed into a field; none when the form did not send it.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_repeated() {
        let sent = [("name", "A"), ("value", "hunter2"), ("secret", "true")];
        let fields = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let flash = Flash::new("/api/set_variable".into(), Problem::UNAVAILABLE, fields);
        assert_eq!((flash.field("name").as_deref(), flash.field("value")), (Some("A"), None));
        let fields = vec![("address".to_owned(), "https://me:hunter2@example.com/x.git".to_owned())];
        let flash = Flash::new("/api/add_repository".into(), Problem::UNAVAILABLE, fields);
        assert_eq!(flash.field("address").as_deref(), Some("https://example.com/x.git"));
    }

    #[test]
    fn a_mistyped_address_comes_back_without_its_password() {
        for (typed, back) in [
            ("https://me:hunter2@example.com/x.git", "https://example.com/x.git"),
            ("https://hunter2@example.com/x.git", "https://example.com/x.git"),
            ("me:hunter2@example.com/x.git", "example.com/x.git"),
            ("https:/me:hunter2@example.com/x.git", "example.com/x.git"),
            ("https:me:hunter2@example.com/x.git", "example.com/x.git"),
            ("me:hunt@er2@example.com/x.git", "example.com/x.git"),
            ("me:hunter://2@example.com/x.git", "example.com/x.git"),
            ("ssh://git@example.com/x.git", "ssh://git@example.com/x.git"),
            ("ssh://me:hunter2@example.com/x.git", "ssh://example.com/x.git"),
            ("git@example.com:team/x.git", "git@example.com:team/x.git"),
            ("git@example.com:team/x@2.git", "git@example.com:team/x@2.git"),
            ("/srv/a:b/c@d", "/srv/a:b/c@d"),
            ("/srv/git/team@home.git", "/srv/git/team@home.git"),
            ("relative/path", "relative/path"),
        ] {
            let fields = vec![("address".to_owned(), typed.to_owned())];
            let flash = Flash::new("/api/save_source".into(), Problem::UNAVAILABLE, fields);
            assert_eq!(flash.field("address").as_deref(), Some(back), "{typed}");
        }
    }
}
