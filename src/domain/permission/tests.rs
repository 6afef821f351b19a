//! The table of who may do what, and what a scope takes away.

use super::*;

fn allowed<A: Action>(role: Option<Role>) -> bool {
    let viewer = Viewer { role, ..Viewer::everywhere("ada", Role::Reader) };
    permit::<A>(&viewer, &StackId::new("network")).is_ok()
}

fn least<A: Action>() -> Option<Role> {
    assert!(!allowed::<A>(None));
    let allowed = Role::ALL.map(|role| allowed::<A>(Some(role)));
    // Whatever a role may, the ones above it may too.
    assert!(allowed.is_sorted());
    Role::ALL.into_iter().zip(allowed).find(|(_, allowed)| *allowed).map(|(role, _)| role)
}

#[test]
fn each_role_may_do_its_share() {
    let reader: [fn() -> Option<Role>; 4] = [least::<Look>, least::<LookAround>, least::<Stop>, least::<Retry>];
    let writer: [fn() -> Option<Role>; 12] = [
        least::<AllowPlan>,
        least::<Promote>,
        least::<Propose>,
        least::<Trigger>,
        least::<Confirm>,
        least::<Discard>,
        least::<StopTracked>,
        least::<RetryTracked>,
        least::<Lock>,
        least::<Unlock>,
        least::<Sync>,
        least::<SetCurrentCommit>,
    ];
    let administrator: [fn() -> Option<Role>; 6] = [
        least::<ForceUnlock>,
        least::<ConnectGithub>,
        least::<ManagePeople>,
        least::<CreateStack>,
        least::<Configure>,
        least::<DeleteStack>,
    ];
    assert!(reader.iter().all(|least| least() == Some(Role::Reader)));
    assert!(writer.iter().all(|least| least() == Some(Role::Writer)));
    assert!(administrator.iter().all(|least| least() == Some(Role::Administrator)));
}

#[test]
fn a_role_on_one_stack_is_good_there_and_nowhere_else() {
    let (network, dns, whole) = (StackId::new("network"), StackId::new("dns"), StackId::new(""));
    let viewer = Viewer {
        role: Some(Role::Reader),
        stacks: [(network.clone(), Role::Writer)].into(),
        ..Viewer::everywhere("ada", Role::Reader)
    };
    assert!(permit::<Promote>(&viewer, &network).is_ok());
    assert!(permit::<Promote>(&viewer, &dns).is_err() && permit::<Look>(&viewer, &dns).is_ok());
    assert!(permit::<ManagePeople>(&viewer, &whole).is_err() && permit::<LookAround>(&viewer, &whole).is_ok());
    // A lower role on a stack takes nothing away from the one in the whole.
    let viewer = Viewer { stacks: [(network.clone(), Role::Reader)].into(), ..Viewer::everywhere("ada", Role::Writer) };
    assert!(permit::<Promote>(&viewer, &network).is_ok());
    let viewer = Viewer { role: None, ..viewer };
    assert!(permit::<Look>(&viewer, &network).is_ok() && permit::<Look>(&viewer, &dns).is_err());
    assert!(permit::<LookAround>(&viewer, &whole).is_err());
}

#[test]
fn a_scope_only_takes_away() {
    let stacks = ["", "network", "dns"].map(StackId::new);
    let roles = [None, Some(Role::Reader), Some(Role::Writer), Some(Role::Administrator)];
    for (own, on_network, scope) in roles
        .into_iter()
        .flat_map(|own| roles.map(|one| (own, one)))
        .flat_map(|(own, one)| Role::ALL.map(|s| (own, one, s)))
    {
        let viewer = Viewer {
            role: own,
            stacks: on_network.into_iter().map(|role| (stacks[1].clone(), role)).collect(),
            ..Viewer::everywhere("ada", Role::Reader)
        };
        for only in [None, Some(&stacks[1]), Some(&stacks[2])] {
            let limited = viewer.clone().limited(scope, only);
            for stack in &stacks {
                let expected = match only {
                    Some(only) if only != stack => None,
                    Some(_) | None => viewer.role_on(stack).map(|role| role.min(scope)),
                };
                assert_eq!(limited.role_on(stack), expected, "{viewer:?} {scope:?} {only:?} {stack}");
            }
        }
    }
}
