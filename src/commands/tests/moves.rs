//! Moves: a stack goes to another repository while somebody acts on the one it had, and nothing comes of what was read there.

use super::*;
use crate::commands::propose::propose;
use crate::commands::set_current::set_current;
use crate::commands::trigger::trigger;
use crate::store::Repository;

/// Moves the stack while a deed has read the commit and not yet written; then moves it back.
async fn overtaken<T: std::fmt::Debug>(
    world: &World,
    commit: &CommitHash,
    deed: impl Future<Output = Result<T, Problem>>,
) {
    let before = world.picture().await;
    let mut writing = world.context.store.write().await.unwrap();
    let elsewhere = Repository {
        id: RepositoryId::new("ELSEWHERE"),
        address: "/nowhere/elsewhere.git".into(),
        credential: None,
        heads: std::collections::BTreeMap::new(),
        fetched_at: None,
        next_fetch_at: world.context.now(),
        failures: 0,
        problem: None,
        added_at: world.context.now(),
    };
    let elsewhere = writing.add_repository(&elsewhere).await.unwrap().id;
    writing.set_repository(&world.stack, &elsewhere).await.unwrap();
    assert_eq!(refusal(behind(world, writing, commit, deed).await), Refusal::Overtaken);
    let mut writing = world.context.store.write().await.unwrap();
    writing.set_repository(&world.stack, &world.repository).await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(world.picture().await, before);
}

#[tokio::test]
async fn what_was_read_in_a_repository_that_the_stack_has_left_leads_to_nothing() {
    each(async |world| {
        let (context, stack) = (&world.context, world.stack().await);
        let head = CommitHash::parse(&world.origin.git(&["rev-parse", "main"], "")).unwrap();
        overtaken(&world, &head, trigger(context, &world.may("ada"))).await;
        // No file of the stack changes, so that no run has kept them before.
        let docs = world.origin.commit("docs", Some("main"), "README.md");
        let more = world.origin.commit("more", Some("main"), "README.md");
        world.fetch().await;
        overtaken(&world, &docs, propose(context, &world.may("ada"), "docs")).await;
        overtaken(&world, &more, set_current(context, &world.may("ada"), more.as_str())).await;
        assert_eq!(world.stack().await, stack);

        // Where it has stayed, the same goes through.
        set_current(context, &world.may("ada"), more.as_str()).await.unwrap();
        propose(context, &world.may("ada"), "docs").await.unwrap();
        trigger(context, &world.may("ada")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_stack_is_taken_again_only_from_the_repository_that_was_read() {
    let world = World::new().await;
    let read = world.stack().await;
    let mut writing = world.context.store.write().await.unwrap();
    assert_eq!(take_again(&mut writing, &read).await, Ok(read.clone()));
    let left = Stack { repository: RepositoryId::new("elsewhere"), ..read.clone() };
    assert_eq!(refusal(take_again(&mut writing, &left).await), Refusal::Overtaken);
    let gone = Stack { id: StackId::new("gone"), ..read };
    assert_eq!(take_again(&mut writing, &gone).await, Err(Problem::NotFound(Thing::Stack)));
}
