//! Who may do what. [`permit`] is the one place that decides; what it returns, a [`Permit`], is demanded by the
//! command, so that no surface can forget to ask (CVE-2026-27111 was a surface that forgot).

use super::StackId;
use super::person::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// What a person may do, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything, and has a proposed run planned again or stopped.
    Reader,
    /// Starts, promotes, confirms and discards runs.
    Writer,
    /// Also creates, changes and deletes stacks, and says who may do what.
    Administrator,
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Writer, Self::Administrator];

    /// The word for it on a page and in a form.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this label.
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label)
    }
}

/// The person or program that asks, with its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name that runs, locks and the activity log show: `ada`, `token/NAME`, `github/LOGIN`, or `Headway` itself.
    pub name: String,
    /// From where: the address of the browser or script, or the way it came; empty for Headway itself.
    pub from: String,
    /// The person, when they are here themselves; none for a token, GitHub or Headway.
    pub person: Option<PersonId>,
    /// The role in the whole of this Headway, if any.
    pub role: Option<Role>,
    /// Roles on single stacks. On a stack the higher of the two counts.
    pub stacks: BTreeMap<StackId, Role>,
}

impl Viewer {
    /// Somebody with one role everywhere.
    pub fn everywhere(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), from: String::new(), person: None, role: Some(role), stacks: BTreeMap::new() }
    }

    /// Headway itself: the poller and the workers.
    pub fn system() -> Self {
        Self::everywhere("Headway", Role::Administrator)
    }

    /// Somebody of whom only the address is known, and who may do nothing.
    pub fn stranger(from: impl Into<String>) -> Self {
        Self { from: from.into(), role: None, ..Self::everywhere("", Role::Reader) }
    }

    /// The role on a stack; for a stack that has none of its own, that in the whole of this Headway.
    pub fn role_on(&self, stack: &StackId) -> Option<Role> {
        self.role.max(self.stacks.get(stack).copied())
    }

    /// The same viewer with no more than `role`, and, when `stack` is given, on that stack alone.
    pub fn limited(self, role: Role, stack: Option<&StackId>) -> Self {
        match stack {
            Some(stack) => {
                let own = self.role_on(stack).map(|own| (stack.clone(), own.min(role)));
                Self { role: None, stacks: own.into_iter().collect(), ..self }
            }
            None => {
                let stacks = self.stacks.into_iter().map(|(stack, own)| (stack, own.min(role))).collect();
                Self { role: self.role.map(|own| own.min(role)), stacks, ..self }
            }
        }
    }
}

/// Proof that a person is here themselves, for what concerns nobody else: the password, sessions and tokens. A token does
/// not have it, so that a stolen one makes no others.
#[derive(Debug)]
pub struct Oneself {
    viewer: Viewer,
    person: PersonId,
}

impl Oneself {
    /// Who they are.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Their id.
    pub fn person(&self) -> &PersonId {
        &self.person
    }
}

/// Whether the viewer is a person who is here themselves.
pub fn oneself(viewer: &Viewer) -> Option<Oneself> {
    viewer.person.clone().map(|person| Oneself { viewer: viewer.clone(), person })
}

/// Something that only some may do.
pub trait Action {
    /// What the activity log calls it.
    const NAME: &'static str;
    /// The least role that may do it (Spacelift's table of rights, section 2.4).
    const NEEDS: Role;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident $name:literal $role:ident;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub enum $action {}
        impl Action for $action {
            const NAME: &'static str = $name;
            const NEEDS: Role = Role::$role;
        })*
    };
}

actions! {
    /// Sees a stack, its runs and its settings.
    Look "look" Reader;
    /// Sees what concerns this Headway as a whole: the activity log, and what GitHub sent.
    LookAround "look around" Reader;
    /// Makes a tracked run of a proposed one.
    Promote "promote" Writer;
    /// Starts a proposed run.
    Propose "propose" Writer;
    /// Starts a tracked run at the current commit.
    Trigger "trigger" Writer;
    /// Accepts a plan.
    Confirm "confirm" Writer;
    /// Rejects a plan, or removes a waiting run.
    Discard "discard" Writer;
    /// Interrupts a run that initializes or plans.
    Stop "stop" Reader;
    /// Interrupts a run that keeps the stack to itself.
    StopTracked "stop tracked" Writer;
    /// Runs the same commit once more.
    Retry "retry" Reader;
    /// Starts a tracked run once more.
    RetryTracked "retry tracked" Writer;
    /// Keeps the stack for oneself.
    Lock "lock" Writer;
    /// Gives one's own lock back.
    Unlock "unlock" Writer;
    /// Takes somebody else's lock away.
    ForceUnlock "force unlock" Administrator;
    /// Fetches the repository now and follows the tracked branch.
    Sync "sync" Writer;
    /// Moves the current commit on purpose.
    SetCurrentCommit "set current commit" Writer;
    /// Lets exactly one commit of a fork be planned.
    AllowPlan "allow plan" Writer;
    /// Connects a GitHub App, changes or removes it, and has its deliveries worked on again.
    ConnectGithub "connect GitHub" Administrator;
    /// Invites and removes people, says who may do what and how people sign in.
    ManagePeople "manage people" Administrator;
    /// Makes a stack.
    CreateStack "create stack" Administrator;
    /// Changes a stack's settings or environment.
    Configure "change settings" Administrator;
    /// Removes a stack with its history.
    DeleteStack "delete stack" Administrator;
}

/// Proof that this viewer may do `A` on this stack. Only [`permit`] makes one.
#[derive(Debug)]
pub struct Permit<A> {
    viewer: Viewer,
    stack: StackId,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// Who was permitted.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The stack it is good for.
    pub fn stack(&self) -> &StackId {
        &self.stack
    }

    /// What the same viewer needs on the same stack for more than this: some deeds of a command take a higher role.
    pub fn also<B: Action>(&self) -> Result<Permit<B>, Forbidden> {
        permit(&self.viewer, &self.stack)
    }
}

/// A viewer lacks a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forbidden {
    /// The least role that would do.
    pub needs: Role,
}

/// Decides whether `viewer` may do `A` on `stack`. The stack without a name stands for the whole of this Headway.
pub fn permit<A: Action>(viewer: &Viewer, stack: &StackId) -> Result<Permit<A>, Forbidden> {
    if viewer.role_on(stack) < Some(A::NEEDS) {
        return Err(Forbidden { needs: A::NEEDS });
    }
    Ok(Permit { viewer: viewer.clone(), stack: stack.clone(), action: PhantomData })
}

#[cfg(test)]
mod tests;
