//! A new stack: what is filled in while its repository is still being read stays, until its folders are on offer.

use crate::activity::past_headway;
use crate::headway::Headway;
use crate::page::{Page, hidden};
use crate::repository::{Repository, resource};

#[tokio::test]
async fn what_is_filled_in_while_the_repository_is_read_stays() {
    let repository = Repository::new();
    repository.git(&["rm", "--quiet", "first.tf"]);
    repository.commit("main", "Move it into a folder", &[("network/main.tf", &resource("first"))]);
    let headway = Headway::start().await;
    let second = headway.form("/stacks/new", "add_repository", &[("address", repository.address())]).await.path;
    let reading = "Headway is reading the repository";
    headway.until(&second, "its folders", |page| !page.text().contains(reading)).await;
    // As before it has been read, for as long as the test takes.
    let unread = "update repository set fetched_at = null, next_fetch_at = 9000000000000";
    past_headway(headway.data.path(), unread).await.unwrap();

    let page = headway.page(&second).await;
    page.says(reading).says("Look for its folders");
    assert!(!page.html.contains("http-equiv"), "a page that loads anew takes away what is typed: {}", page.html);
    // What the button sends.
    let asked = format!("{second}&tracked_branch=main&unread=true&project_root=&name=Half&description=done");
    let filled = |page: &Page| ["name", "description", "project_root"].map(|field| hidden(page, field));
    let page = headway.page(&asked).await;
    page.says(reading);
    assert_eq!(filled(&page), ["Half", "done", ""]);
    past_headway(headway.data.path(), "update repository set fetched_at = 1").await.unwrap();
    let page = headway.page(&asked).await;
    page.says("Show its folders").lacks(reading);
    assert_eq!(filled(&page), ["Half", "done", "network"]);
    // The whole repository was meant once its folders were known.
    let page = headway.page(&asked.replace("&unread=true", "")).await;
    assert_eq!(filled(&page), ["Half", "done", ""]);
}
