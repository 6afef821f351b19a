//! People, groups and grants: who has which role where, and through what. [`roles`] is the one function that turns
//! grants into what a viewer may do.

use super::permission::{Role, Viewer};
use super::{StackId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest name of a person, a group or a token, in characters.
pub const NAME_LIMIT: usize = 60;

/// The names under which Headway itself acts.
const KEPT: [&str; 5] = ["headway", "the sample", "system", "the system", "nobody"];

super::text_id! {
    /// A person's ULID.
    PersonId
}

/// Who is granted a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// One person.
    Person(PersonId),
    /// Everybody in this group.
    Group(String),
}

/// A role for somebody, on one stack or, without one, in the whole of this Headway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its ULID.
    pub id: String,
    /// Who has it.
    pub holder: Holder,
    /// Where it is good.
    pub stack: Option<StackId>,
    /// What it is.
    pub role: Role,
}

/// Whom a grant is looked up for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub id: PersonId,
    /// The name they act under.
    pub name: String,
    /// Their groups.
    pub groups: Vec<String>,
}

impl Member {
    /// Whether the grant is theirs, directly or through a group.
    pub fn has(&self, grant: &Grant) -> bool {
        match &grant.holder {
            Holder::Person(person) => *person == self.id,
            Holder::Group(group) => self.groups.contains(group),
        }
    }

    /// What they may do, by all their grants; `from` is the address they ask from.
    pub fn viewer(&self, grants: &[Grant], from: String) -> Viewer {
        let (role, stacks) = roles(grants.iter().filter(|grant| self.has(grant)));
        Viewer { name: self.name.clone(), from, person: Some(self.id.clone()), role, stacks }
    }

    /// Their role on a stack, and the grants that give them exactly that one.
    pub fn role_on<'a>(&self, grants: &'a [Grant], stack: &StackId) -> Option<(Role, Vec<&'a Grant>)> {
        let here = |grant: &&Grant| grant.stack.as_ref().is_none_or(|granted| granted == stack);
        let theirs: Vec<&Grant> = grants.iter().filter(|grant| self.has(grant)).filter(here).collect();
        let role = theirs.iter().map(|grant| grant.role).max()?;
        Some((role, theirs.into_iter().filter(|grant| grant.role == role).collect()))
    }
}

/// The highest role in the whole, and the highest on each stack that has grants of its own.
pub fn roles<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> (Option<Role>, BTreeMap<StackId, Role>) {
    let (mut whole, mut stacks) = (None, BTreeMap::new());
    for grant in grants {
        match &grant.stack {
            None => whole = whole.max(Some(grant.role)),
            Some(stack) => {
                let role = stacks.entry(stack.clone()).or_insert(grant.role);
                *role = (*role).max(grant.role);
            }
        }
    }
    (whole, stacks)
}

/// What is wrong with a name for a person, a group or a token, if anything. A slash would make it look like a token or
/// somebody of GitHub's, and Headway's own names are kept.
pub fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() || name.chars().count() > NAME_LIMIT {
        return Some(format!("A name has 1 to {NAME_LIMIT} characters."));
    }
    if !name.chars().all(fits_a_name) || name.trim() != name {
        return Some("A name has letters, digits, spaces and - _ . @ + : only.".into());
    }
    if KEPT.contains(&name.to_lowercase().as_str()) {
        return Some(format!("{name} is kept for Headway itself."));
    }
    None
}

fn fits_a_name(letter: char) -> bool {
    // Letters that are others in another dress would make two names that look alike.
    let dressed = matches!(letter, '\u{ff00}'..='\u{ffef}' | '\u{1d400}'..='\u{1d7ff}');
    (letter.is_alphanumeric() && !dressed) || matches!(letter, '-' | '_' | '.' | '@' | '+' | ' ' | ':')
}

/// A name that somebody has elsewhere, made fit for here, with room for a number; none when nothing of it is left.
pub fn fitting_name(name: &str) -> Option<String> {
    let letters = name.trim().chars().map(|letter| if fits_a_name(letter) { letter } else { '-' });
    let name: String = letters.take(NAME_LIMIT - 5).collect();
    let name = name.trim().to_owned();
    (name.chars().any(char::is_alphanumeric) && name_problem(&name).is_none()).then_some(name)
}

/// A session as its person may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSession {
    /// Its id, which opens nothing.
    pub id: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// The address it was last used from.
    pub came_from: String,
    /// What the browser called itself.
    pub browser: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An access token as its person may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownToken {
    /// Its id, which opens nothing.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub person: String,
    /// The most it may do.
    pub role: Role,
    /// The only stack it is good for; none is any.
    pub stack: Option<StackId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grants() -> impl Strategy<Value = Vec<Grant>> {
        let holder = prop_oneof![
            (0..3_u8).prop_map(|number| Holder::Person(PersonId::new(format!("person {number}")))),
            (0..3_u8).prop_map(|number| Holder::Group(format!("group {number}"))),
        ];
        let stack = prop::option::of((0..2_u8).prop_map(|number| StackId::new(format!("stack-{number}"))));
        let grant = (holder, stack, prop::sample::select(Role::ALL.to_vec())).prop_map(|(holder, stack, role)| Grant {
            id: String::new(),
            holder,
            stack,
            role,
        });
        prop::collection::vec(grant, 0..12)
    }

    proptest! {
        #[test]
        fn the_page_that_says_why_agrees_with_what_is_permitted(
            grants in grants(), groups in prop::collection::vec((0..3_u8).prop_map(|g| format!("group {g}")), 0..3)
        ) {
            let member = Member { id: PersonId::new("person 0"), name: "ada".into(), groups };
            let viewer = member.viewer(&grants, String::new());
            for stack in ["stack-0", "stack-1"].map(StackId::new) {
                let said = member.role_on(&grants, &stack);
                prop_assert_eq!(said.as_ref().map(|(role, _)| *role), viewer.role_on(&stack));
                if let Some((_, through)) = said {
                    prop_assert!(!through.is_empty() && through.iter().all(|grant| member.has(grant)));
                }
            }
        }
    }

    #[test]
    fn a_name_from_elsewhere_is_made_fit_or_not_taken() {
        for (name, fitting) in [
            ("ada@example.com", Some("ada@example.com")),
            (" Ada/Lovelace\n", Some("Ada-Lovelace")),
            ("token/ci", Some("token-ci")),
            ("Headway", None),
            ("///", None),
            ("", None),
        ] {
            assert_eq!(fitting_name(name).as_deref(), fitting, "{name}");
        }
        assert_eq!(fitting_name(&"a".repeat(90)).map(|name| name.len()), Some(NAME_LIMIT - 5));
    }

    #[test]
    fn names_cannot_pass_for_something_else() {
        for name in ["ada", "Grace Hopper", "ada@example.com", "sre:network"] {
            assert_eq!(name_problem(name), None, "{name}");
        }
        for name in [
            "",
            " ada",
            "github/ada",
            "token/ci",
            "Headway",
            "SYSTEM",
            "The system",
            "nobody",
            "ａda",
            "𝐚da",
            "a\nb",
            "<b>",
            &"a".repeat(61),
        ] {
            assert!(name_problem(name).is_some(), "{name}");
        }
    }
}
