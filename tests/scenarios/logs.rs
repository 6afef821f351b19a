//! Logs: they stream, they are only ever text, and they end.

use crate::activity::past_headway;
use crate::headway::{Headway, engine_before, terraform};
use crate::repository::Repository;
use tokio::time::{Duration, timeout};

#[tokio::test]
async fn what_a_program_prints_is_text_with_colours_and_never_part_of_the_page() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let engines = tempfile::tempdir().unwrap();
    let script =
        r#"[ "$1" = plan ] && printf '\033[31mred\033[0m \033[2J\033]0;title\007<img src=x onerror=alert(1)>\n'"#;
    headway.use_engine(&stack, &engine_before(engines.path(), script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    let page = headway.until_state(&run, "unconfirmed").await;
    assert!(page.html.contains("<span class=\"ansi-red\">red</span>"), "{}", page.html);
    assert!(page.html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{}", page.html);
    assert!(!page.html.contains("<img") && !page.html.contains('\u{1b}'));
}

#[tokio::test]
async fn a_run_that_prints_without_end_is_cut_off_with_a_clear_mark() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let engines = tempfile::tempdir().unwrap();
    // 56 MiB in lines of 60 KB.
    let script = "[ \"$1\" = plan ] && head -c 43000000 /dev/zero | base64 -w 60000";
    headway.use_engine(&stack, &engine_before(engines.path(), script)).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    let page = headway.until_state(&run, "unconfirmed").await;
    page.says("The log ends here: this run has printed 50 MiB.");
    assert!(page.html.len() < 1_500_000, "a page never loads more than it shows: {} bytes", page.html.len());
    let position = page.html.split("/log/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let whole = headway.page(&format!("{run}/log/{position}")).await;
    assert!((50_000_000..54_000_000).contains(&whole.html.len()), "{} bytes", whole.html.len());
}

#[tokio::test]
async fn a_log_whose_reading_breaks_off_is_not_taken_for_the_whole() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    // 50 MB, more than ever waits on the way to whoever reads it.
    let long =
        "with recursive piece (first) as (select 0 union all select first + 5000 from piece where first < 245000)
                insert into log_chunk (run_id, position, first_line, lines, bytes, text)
                select run.id, 99, piece.first, 5000, 0,
                       replace(hex(zeroblob(5000)), '00', printf('%.200c', 'x') || char(10))
                from run, piece";
    past_headway(headway.data.path(), long).await.unwrap();
    let mut answer = headway.client().get(format!("{}{run}/log/99", headway.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut read = answer.chunk().await.unwrap().unwrap().len();
    past_headway(headway.data.path(), "alter table log_chunk rename to mislaid").await.unwrap();
    let end = loop {
        match answer.chunk().await {
            Ok(Some(piece)) => read += piece.len(),
            end => break end,
        }
    };
    assert!(end.is_err(), "{read} bytes are the whole");
}

#[tokio::test]
async fn an_open_page_is_told_what_changes() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
    let id = run.rsplit('/').next().unwrap();
    let address = format!("{}/events?stack=network&run={id}", headway.url);
    let mut stream = headway.client().get(address).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    // With data, or no browser would pass it on.
    while !["hello", "changed", "log"].iter().all(|name| told.contains(&format!("event: {name}\ndata: {name}\n"))) {
        let piece = timeout(Duration::from_secs(60), stream.chunk()).await.unwrap().unwrap().unwrap();
        told += std::str::from_utf8(&piece).unwrap();
    }
}
