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
