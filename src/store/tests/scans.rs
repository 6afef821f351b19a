//! What is asked again and again of runs, of checks on GitHub and of deliveries is found by an index: with years of them
//! behind, none of it looks at all of them.

use super::*;
use sqlx::AssertSqlSafe;

/// What SQLite does for a statement, step by step.
async fn steps(pool: &SqlitePool, statement: &str) -> Vec<String> {
    let explained = AssertSqlSafe(format!("explain query plan {statement}"));
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained).fetch_all(pool).await.unwrap();
    rows.into_iter().map(|(.., step)| step).collect()
}

/// A database with nothing in it, to be asked past the store.
async fn empty(folder: &Path) -> SqlitePool {
    let file = folder.join("headway.db");
    Store::open_sqlite(&file).await.unwrap().close().await;
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file).foreign_keys(true)).await.unwrap()
}

#[tokio::test]
async fn no_statement_of_the_workers_or_of_a_page_looks_at_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let pool = empty(folder.path()).await;
    for (statement, index) in [
        (lease::NEXT_FOR_WORKER, "run_waiting"),
        (lease::STARTABLE, "run_waiting"),
        (lease::ABANDONED, "run_waiting"),
        (run::OPEN_RUN_IDS, "run_waiting"),
        (run::PROMOTIONS_OF, "run_promoted_from"),
        (run::NEWEST_OF_BRANCHES, "run_of_branch"),
        (run::LATEST_BRANCHES, "run_of_stack"),
        (run::OPEN_RUNS, "run_open"),
        // What the database asks before a run goes.
        ("select 1 from run where promoted_from = $1", "run_promoted_from"),
        ("select 1 from run where retry_of = $1", "run_retry_of"),
    ] {
        let steps = steps(&pool, statement).await;
        let scans = steps.iter().any(|step| step.contains("SCAN run") || step.contains("SCAN blocker"));
        let finds = steps.iter().any(|step| step.contains("SEARCH run") && step.contains(index));
        assert!(finds && !scans, "{statement}\n{}", steps.join("\n"));
    }
    // It says so of a statement that does, too.
    assert!(steps(&pool, "select id from run where note = ''").await.concat().contains("SCAN run"));
}

#[tokio::test]
async fn no_statement_about_github_looks_at_every_check_or_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let pool = empty(folder.path()).await;
    for (statement, table, index) in [
        (github_check::CHECK_OF_RUN, "github_check", "github_check_of_run"),
        (github_check::CHECK_WITHOUT_RUN, "github_check", "github_check_of_commit"),
        (github_check::CHECKS_OF_COMMIT, "github_check", "github_check_at_commit"),
        (github_check::LIVE_CHECKS, "github_check", "github_check_live"),
        (delivery::DUE, "delivery", "delivery_waiting"),
        (delivery::LEDGER, "delivery", "delivery_by_time"),
    ] {
        let steps = steps(&pool, statement).await;
        let finds = steps.iter().any(|step| step.contains(&format!("SEARCH {table}")) && step.contains(index));
        let scans = steps.iter().any(|step| step.contains(&format!("SCAN {table}")));
        assert!(finds && !scans, "{statement}\n{}", steps.join("\n"));
    }
}

#[tokio::test]
async fn a_stack_among_many_runs_goes_without_looking_at_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("headway.db")).await.unwrap();
    let world = World { store, ids: Ids::counted() };
    let stack = world.stack("network").await;
    let pool = SqlitePool::connect_with(
        SqliteConnectOptions::new().filename(folder.path().join("headway.db")).foreign_keys(true),
    )
    .await
    .unwrap();
    world.queued(&stack, RunKind::Proposed).await;
    let steps = steps(&pool, "delete from run where stack_id = 'network'").await;
    assert!(!steps.iter().any(|step| step.contains("SCAN run")), "{}", steps.join("\n"));
}
