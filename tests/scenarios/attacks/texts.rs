//! Attacks with texts: what a configuration prints would be part of the terminal, or of the page.

use super::{bare, deployed, proposed, write};
use crate::headway::terraform;

#[tokio::test]
async fn what_a_configuration_prints_rules_neither_terminal_nor_page() {
    if !terraform() {
        return;
    }
    let shout = "variable \"name\" {\n  default = \"x\"\n  validation {\n    condition     = var.name == \"y\"\n    error_message = \
                 \"Wrong \\u001b[2J\\u001b]0;title\\u0007<img src=x onerror=alert(1)><script>alert(2)</script>.\"\n  }\n}\n";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("shout.tf", shout)]);
    bare(folder.path(), &["init"], &[]);
    let (_, said) = bare(folder.path(), &["plan"], &[]);
    assert!(said.contains("\u{1b}[2J") && said.contains("<script>alert(2)"), "a bare runner passes it on: {said}");

    let (headway, repository, stack) = deployed("auto", &[]).await;
    let page = proposed(&headway, &repository, &stack, &[("shout.tf", shout)]).await;
    assert_eq!(page.state(), "failed");
    page.says("<img src=x onerror=alert(1)>");
    assert!(!page.html.contains('\u{1b}') && !page.html.contains('\u{7}'), "{}", page.html);
    assert!(!page.html.contains("<img") && !page.html.contains("<script>alert"), "{}", page.html);
}

/// What would end the title of a page, and then put a form around its buttons or lead away from it.
const OUT_OF_THE_TITLE: &str = "Tidy</title><form method=post action=/api/set_role><meta http-equiv=refresh \
                                content=0;url=http://192.0.2.1>&lt;";

#[tokio::test]
async fn whatever_somebody_named_a_commit_or_a_stack_is_text_in_every_title() {
    if !terraform() {
        return;
    }
    let (headway, repository, stack) = deployed("auto", &[]).await;
    repository.branch("tidy", "main", OUT_OF_THE_TITLE, &[("tidy.tf", &crate::repository::resource("tidy"))]);
    headway.sync(&stack).await;
    let run = headway.proposed(&stack, "tidy").await;
    headway.until_state(&run, "finished").await;
    let details = format!("{stack}/settings/details");
    let version = crate::page::version(&headway.page(&details).await);
    let named = "A</title><form action=/x>";
    let renamed = [("stack", "network"), ("version", version.as_str()), ("name", named)];
    headway.form(&details, "save_details", &renamed).await.says("Saved.");
    for path in [
        run.clone(),
        format!("{run}/changes"),
        stack.clone(),
        format!("{stack}/proposed"),
        format!("{stack}/access"),
        details,
    ] {
        let page = headway.page(&path).await;
        page.has_status(200);
        assert_eq!(page.html.matches("</title>").count(), 1, "{path}: {}", page.html);
        assert!(!page.html.contains("<form method=post") && !page.html.contains("<form action=/x"), "{path}");
        assert!(page.html.contains("&lt;/title&gt;"), "{path}");
    }
    assert!(headway.page(&run).await.html.contains("&lt;/title&gt;&lt;form method=post action=/api/set_role&gt;"));
}
