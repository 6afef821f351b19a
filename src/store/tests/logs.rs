//! Logs in the store: however lines are split into chunks, every page of them reads back as it was printed.

use super::*;
use proptest::prelude::*;

/// Writes the lines as chunks that end before these lines.
async fn append(world: &World, run: &Run, position: i64, lines: &[String], mut ends: Vec<usize>) {
    ends.push(lines.len());
    ends.sort_unstable();
    let mut first = 0;
    let mut writing = world.write().await;
    for end in ends {
        let chunk = &lines[first..end];
        writing.append_log(run, position, i64::try_from(first).unwrap(), chunk).await.unwrap();
        first = end;
    }
    writing.commit().await.unwrap();
}

#[tokio::test]
async fn each_step_of_a_run_has_its_own_lines() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Tracked).await;
        let lines = |count: usize| (0..count).map(|number| format!("line {number}")).collect::<Vec<_>>();
        append(&world, &run, 2, &lines(3), vec![1]).await;
        append(&world, &run, 5, &lines(5), vec![2, 4]).await;
        let mut reading = world.read().await;
        assert_eq!(reading.log_lengths(&run.id).await.unwrap(), [(2, 3), (5, 5)]);
        assert_eq!(reading.log_lines(&run.id, 2, 0, 100).await.unwrap(), StoredLines { first: 0, lines: lines(3) });
        assert_eq!(reading.log_lines(&run.id, 3, 0, 100).await.unwrap(), StoredLines::default());
        // Each line counts with its end.
        assert_eq!(reading.log_bytes(&run.id).await.unwrap(), 8 * 7);
        assert_eq!(reading.log_bytes(&RunId::new("nobody")).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_chunk_is_written_once() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Tracked).await;
        append(&world, &run, 1, &["a".into()], Vec::new()).await;
        let mut writing = world.write().await;
        writing.append_log(&run, 1, 1, &[]).await.unwrap();
        assert!(writing.append_log(&run, 1, 0, &["b".into()]).await.unwrap_err().is_duplicate());
    })
    .await;
}

#[tokio::test]
async fn a_burst_becomes_chunks_of_which_a_page_reads_those_it_shows() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Tracked).await;
        let lines: Vec<String> = (0..9).map(|number| number.to_string().repeat(30_000)).collect();
        append(&world, &run, 1, &lines, Vec::new()).await;
        let mut reading = world.read().await;
        let (chunks,): (i64,) = on!(reading, connection =>
            sqlx::query_as("select count(*) from log_chunk").fetch_one(connection).await)
        .unwrap();
        assert_eq!(chunks, 5);
        assert_eq!(reading.log_lines(&run.id, 1, 0, 100).await.unwrap().lines, lines);
        assert_eq!(
            reading.log_lines(&run.id, 1, 3, 2).await.unwrap(),
            StoredLines { first: 3, lines: lines[3..5].into() }
        );
    })
    .await;
}

/// Lines, where chunks end, and the page that is asked for.
#[derive(Clone, Debug)]
struct Case {
    lines: Vec<String>,
    ends: Vec<usize>,
    pages: Vec<(usize, usize)>,
}

fn cases() -> impl Strategy<Value = Case> {
    prop::collection::vec("[ -~äß€🚀\t]{0,12}", 1..40).prop_flat_map(|lines| {
        let length = lines.len();
        let ends = prop::collection::vec(0..=length, 0..12);
        let pages = prop::collection::vec((0..length + 5, 0..length + 5), 1..20);
        (Just(lines), ends, pages).prop_map(|(lines, ends, pages)| Case { lines, ends, pages })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn any_split_into_chunks_reads_back_the_same_lines_from_anywhere() {
    each(async |world| {
        let stack = world.stack("network").await;
        let runtime = tokio::runtime::Handle::current();
        let configuration = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(configuration);
        let outcome = runner.run(&cases(), |case| {
            let checked = reads_back(&world, &stack, &case);
            tokio::task::block_in_place(|| runtime.block_on(checked))
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    })
    .await;
}

async fn reads_back(world: &World, stack: &StackId, case: &Case) -> std::result::Result<(), TestCaseError> {
    let run = world.queued(stack, RunKind::Proposed).await;
    append(world, &run, 4, &case.lines, case.ends.clone()).await;
    let mut reading = world.read().await;
    let number = |index: usize| i64::try_from(index).unwrap();
    prop_assert_eq!(reading.log_lengths(&run.id).await.unwrap(), vec![(4, number(case.lines.len()))]);
    for (from, limit) in &case.pages {
        let page = reading.log_lines(&run.id, 4, number(*from), number(*limit)).await.unwrap();
        let expected: Vec<&String> = case.lines.iter().skip(*from).take(*limit).collect();
        prop_assert_eq!(page.lines.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(page.first, number(*from));
    }
    Ok(())
}

#[tokio::test]
async fn the_bytes_of_a_log_are_those_that_were_printed_however_they_were_split() {
    each(async |world| {
        let stack = world.stack("network").await;
        let run = world.queued(&stack, RunKind::Tracked).await;
        let lines: Vec<String> = ["", "ä", "three"].map(str::to_owned).to_vec();
        append(&world, &run, 2, &lines, vec![1, 2]).await;
        append(&world, &run, 3, &lines, vec![]).await;
        let printed = 2 * lines.iter().map(|line| line.len() + 1).sum::<usize>();
        assert_eq!(world.read().await.log_bytes(&run.id).await.unwrap(), i64::try_from(printed).unwrap());
    })
    .await;
}
