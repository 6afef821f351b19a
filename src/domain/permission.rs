//! Who may do what. [`permit`] is the one place that decides; what it returns, a [`Permit`], is demanded by the
//! command, so that no surface can forget to ask (CVE-2026-27111 was a surface that forgot).

use super::StackId;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// What a person may do, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything.
    Reader,
    /// Starts, promotes, confirms and discards runs.
    Writer,
    /// Also creates, changes and deletes stacks.
    Administrator,
}

impl Role {
    /// The word for it on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Administrator => "administrator",
        }
    }
}

/// The person or program that asks, with its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The name that runs, locks and the activity log show.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Viewer {
    /// Headway itself: the poller and the workers.
    pub fn system() -> Self {
        Self { name: "Headway".into(), role: Role::Administrator }
    }
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
    Stop "stop" Writer;
    /// Runs the same commit once more.
    Retry "retry" Writer;
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
}

/// A viewer lacks a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forbidden {
    /// The least role that would do.
    pub needs: Role,
}

/// Decides whether `viewer` may do `A` on `stack`.
pub fn permit<A: Action>(viewer: &Viewer, stack: &StackId) -> Result<Permit<A>, Forbidden> {
    if viewer.role < A::NEEDS {
        return Err(Forbidden { needs: A::NEEDS });
    }
    Ok(Permit { viewer: viewer.clone(), stack: stack.clone(), action: PhantomData })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed<A: Action>(role: Role) -> bool {
        permit::<A>(&Viewer { name: "ada".into(), role }, &StackId::new("network")).is_ok()
    }

    #[test]
    fn each_role_may_do_its_share() {
        let writer_actions: [fn(Role) -> bool; 12] = [
            allowed::<AllowPlan>,
            allowed::<Promote>,
            allowed::<Propose>,
            allowed::<Trigger>,
            allowed::<Confirm>,
            allowed::<Discard>,
            allowed::<Stop>,
            allowed::<Retry>,
            allowed::<Lock>,
            allowed::<Unlock>,
            allowed::<Sync>,
            allowed::<SetCurrentCommit>,
        ];
        for allowed in writer_actions {
            assert!(!allowed(Role::Reader) && allowed(Role::Writer) && allowed(Role::Administrator));
        }
        let administrator_actions: [fn(Role) -> bool; 5] = [
            allowed::<ForceUnlock>,
            allowed::<ConnectGithub>,
            allowed::<CreateStack>,
            allowed::<Configure>,
            allowed::<DeleteStack>,
        ];
        for allowed in administrator_actions {
            assert!(!allowed(Role::Reader) && !allowed(Role::Writer) && allowed(Role::Administrator));
        }
    }
}
