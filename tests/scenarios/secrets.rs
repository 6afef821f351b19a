//! Secrets: a text that nobody could guess is put into every kind of secret, everything is done that might give it away,
//! and then it is looked for everywhere. And: a proposed run never sees what only an apply needs.

mod people;
mod search;

use crate::headway::{Headway, engine_before, terraform};
use crate::page::{hidden, last_set};
use crate::repository::Repository;
use crate::simulated::Simulated;
use search::{Needles, add, canary, search_files, search_pages, search_saved_plans, watch_arguments};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// The canaries, one for each kind of secret that somebody enters; those that Headway makes are learned when they are made.
/// Whoever adds a kind of secret to Headway adds one here, or learns it, and uses it in
/// [`a_canary_in_every_kind_of_secret_is_found_nowhere`].
struct Canaries {
    planning: String,
    applying: String,
    both: String,
    lines: String,
    state: String,
    credential: String,
    refused: String,
    password: String,
    provider: String,
}

impl Canaries {
    fn new() -> Self {
        let [planning, applying, both, first, second, state, credential, refused, password, provider] =
            ["plan", "apply", "both", "first", "second", "state", "credential", "refused", "password", "provider"]
                .map(canary);
        let lines = format!("{first}\n{second}");
        Self { planning, applying, both, lines, state, credential, refused, password, provider }
    }

    fn needles(&self) -> Needles {
        let mut needles = Needles::new();
        let lines = self.lines.lines();
        let all = [&self.planning, &self.applying, &self.both, &self.state, &self.credential, &self.refused];
        let of_people = [&self.password, &self.provider];
        for canary in all.into_iter().chain(of_people).map(String::as_str).chain(lines) {
            add(canary.split('/').next().unwrap(), &mut needles);
        }
        needles
    }
}

/// Prints every secret of its environment in every way that a shell knows, in pieces and in lines, then is Terraform. What
/// Headway itself gives the run is printed backwards, so that the test learns it and no mask knows it.
const LEAK: &str = r#"
for name in TF_VAR_plan TF_VAR_apply TF_VAR_both TF_VAR_lines TF_HTTP_PASSWORD; do
    eval "value=\$$name"
    [ -n "$value" ] || continue
    printf '%s is %s\n' "$name" "$value"
    printf '%s' "$value" | base64
    printf 'x%s' "$value" | base64 -w 20
    printf 'xy%s and more' "$value" | base64 -w 0; echo
    printf '%s' "$value" | od -An -tx1 | tr -d ' \n'; echo
    printf '%s\n' "$value" | sed 's/^/        /'
    printf '%s\n' "$value" | fold -w 11
    line=$(printf '%s' "$value" | head -n 1)
    printf '%s' "$line" | cut -c 1-9 | tr -d '\n'; sleep 0.3; printf '%s\n' "$line" | cut -c 10-
done >&2
printf 'BACKWARDS %s\n' "$(printf '%s' "$TF_HTTP_PASSWORD" | rev)" >&2
env | base64 -w 0 >&2; echo >&2
"#;

const CONFIGURATION: &str = r#"
variable "plan" {
  default = ""
}
variable "apply" {
  default = ""
}
variable "both" {}
variable "lines" {}
variable "state" {}
resource "terraform_data" "kept" {
  input = sensitive(var.state)
}
resource "terraform_data" "shown" {
  input            = { both = var.both, lines = var.lines }
  triggers_replace = jsonencode({ nested = jsonencode(var.both) })
  provisioner "local-exec" {
    command = "echo $TF_VAR_apply $TF_VAR_both; printf '%s' \"$TF_VAR_lines\" | base64; env | base64 -w 0"
  }
}
output "both" {
  value = base64encode("before ${var.both} after ${urlencode(var.both)}")
}
"#;

const FAILING: &str = r#"
output "failing" {
  value = 1
  precondition {
    condition     = var.both == ""
    error_message = "It was ${var.both}, and of several lines: ${var.lines}"
  }
}
"#;

async fn set(headway: &Headway, name: &str, value: &str, phases: &[&str]) {
    let mut fields = vec![("stack", "leaky"), ("name", name), ("value", value), ("secret", "true")];
    fields.extend(phases.iter().map(|phase| (*phase, "true")));
    headway.form("/stack/leaky/settings/environment", "set_variable", &fields).await.has_status(200).says("Saved.");
}

/// Adds what a run was given by Headway itself, from its log.
fn learn(log: &str, needles: &mut Needles) {
    let backwards = log.split("BACKWARDS ").skip(1).filter_map(|rest| rest.split_whitespace().next());
    for token in backwards.map(|text| text.chars().rev().collect::<String>()) {
        assert!(token.len() > 20, "{token:?}");
        add(&token, needles);
    }
}

#[tokio::test]
async fn a_canary_in_every_kind_of_secret_is_found_nowhere() {
    if !terraform() {
        return;
    }
    let begun = SystemTime::now();
    let canaries = Canaries::new();
    let simulated = Simulated::connected().await;
    let headway = &simulated.headway;

    let mut needles = canaries.needles();
    for secret in ["webhook_secret", "client_secret"] {
        add(simulated.app[secret].as_str().unwrap(), &mut needles);
    }
    for line in simulated.app["pem"].as_str().unwrap().lines().filter(|line| !line.starts_with("---")) {
        add(line, &mut needles);
    }
    // The tokens of installations are random behind this.
    add(&format!("ghs_{}_", simulated.app["id"]), &mut needles);
    let about_people = people::use_every_secret(&simulated, &canaries, &mut needles).await;
    let ends = Arc::new(AtomicBool::new(false));
    let arguments = watch_arguments(needles.clone(), ends.clone());

    // A credential in an address: one that is kept, and one that is refused.
    let open = serde_json::json!({ "owner": "acme", "name": "leaky", "private": false });
    let made = simulated.control("POST", "/repositories", open).await;
    let work = Repository::new();
    work.commit("main", "Leak", &[("leak.tf", CONFIGURATION)]);
    work.git(&["remote", "add", "origin", made["path"].as_str().unwrap()]);
    work.git(&["push", "--quiet", "origin", "main"]);
    let with = |secret: &str, path: &str| {
        let mut url = url::Url::parse(&format!("{}/{path}", simulated.url)).unwrap();
        url.set_username("robot").unwrap();
        url.set_password(Some(secret)).unwrap();
        url.to_string()
    };
    let refused = with(&canaries.refused, "acme/network.git");
    headway.form("/stacks/new", "add_repository", &[("address", &refused)]).await.has_status(422);
    let stack = headway.stack_at(&with(&canaries.credential, "acme/leaky.git"), "Leaky", &[]).await;
    assert_eq!(stack, "/stack/leaky");

    set(headway, "TF_VAR_plan", &canaries.planning, &["planning"]).await;
    set(headway, "TF_VAR_apply", &canaries.applying, &["applying"]).await;
    set(headway, "TF_VAR_both", &canaries.both, &["planning", "applying"]).await;
    set(headway, "TF_VAR_lines", &canaries.lines, &["planning", "applying"]).await;
    set(headway, "TF_VAR_state", &canaries.state, &["planning", "applying"]).await;
    let engines = tempfile::tempdir().unwrap();
    headway.use_engine(&stack, &engine_before(engines.path(), LEAK)).await;

    // A run that waits, one that applies, one that only plans, one that fails.
    let run = headway.form(&stack, "trigger_run", &[("stack", "leaky")]).await.path;
    let waiting = headway.until_state(&run, "unconfirmed").await;
    assert!(waiting.text().contains("••••••"), "{}", waiting.text());
    learn(&waiting.text(), &mut needles);
    // A plan that waits for a person lies in the data folder.
    search_saved_plans(headway.data.path());
    let pages = [about_people, pages_of(&run)].concat();
    search_everywhere(headway, &simulated, &needles, begun, &pages).await;
    headway.press(&run, "confirm_run").await;
    learn(&headway.until_state(&run, "finished").await.text(), &mut needles);
    work.branch("fails", "main", "Fail with it", &[("failing.tf", FAILING)]);
    work.git(&["push", "--quiet", "origin", "fails"]);
    headway.sync(&stack).await;
    let failed = headway.proposed(&stack, "fails").await;
    let page = headway.until_state(&failed, "failed").await;
    page.says("The log says why.");
    learn(&page.text(), &mut needles);

    let pages = [pages, pages_of(&failed)].concat();
    search_everywhere(headway, &simulated, &needles, begun, &pages).await;
    search_saved_plans(headway.data.path());
    assert_eq!(std::fs::read_dir(headway.data.path().join("runs")).map_or(0, Iterator::count), 0);
    ends.store(true, Ordering::Relaxed);
    assert_eq!(arguments.join().unwrap(), BTreeSet::new(), "among the arguments of a process");
}

/// Everything that is shown of a run.
fn pages_of(run: &str) -> Vec<String> {
    let logs = (0..9).flat_map(|position| [format!("{run}/log/{position}"), format!("{run}?log={position}")]);
    logs.chain([format!("{run}/changes")]).collect()
}

async fn search_everywhere(
    headway: &Headway,
    simulated: &Simulated,
    needles: &Needles,
    begun: SystemTime,
    more: &[String],
) {
    let mut pages = vec!["/".to_owned(), "/stack/leaky".into(), "/activity".into(), "/settings/github".into()];
    pages.push("/stack/leaky/settings/environment".into());
    pages.push("/settings/github/deliveries".into());
    pages.extend_from_slice(more);
    search_pages(headway, &pages, needles).await;
    // The database with its journal, the mirrors, the runs, and what the server has logged.
    let key = headway.data.path().join("key");
    search_files(headway.data.path(), SystemTime::UNIX_EPOCH, needles, &[&key]);
    // GitHub may know its own keys; every other temporary file may not.
    search_files(&std::env::temp_dir(), begun, needles, &[simulated.root()]);
}

#[tokio::test]
async fn a_proposed_run_never_sees_what_only_an_apply_needs() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/environment");
    for (name, phase) in [("ONLY_PLANNING", "planning"), ("ONLY_APPLYING", "applying")] {
        for secret in [("PLAIN", "false"), ("SECRET", "true")] {
            let name = format!("{name}_{}", secret.0);
            let value = format!("value-{name}");
            let fields =
                [("stack", "network"), ("name", &name), ("value", &value), ("secret", secret.1), (phase, "true")];
            headway.form(&page, "set_variable", &fields).await.says("Saved.");
        }
    }
    let engines = tempfile::tempdir().unwrap();
    let script = "echo \"$1 sees $(env | sed -n 's/^\\(ONLY_[A-Z_]*\\)=.*/\\1/p' | sort | tr '\\n' ' ').\" >&2";
    headway.use_engine(&stack, &engine_before(engines.path(), script)).await;
    let proposed = headway.propose_second(&repository, &stack).await;
    let tracked = headway.deploy(&stack).await;
    let whole = async |run: &str| {
        let mut text = String::new();
        for position in 0..10 {
            text += &headway.page(&format!("{run}/log/{position}")).await.html;
        }
        text
    };
    let planned = "sees ONLY_PLANNING_PLAIN ONLY_PLANNING_SECRET .";
    for (run, phases) in [(&proposed, 3), (&tracked, 3)] {
        let text = whole(run).await;
        assert_eq!(text.matches(planned).count(), phases, "init, plan and show: {text}");
    }
    assert!(!whole(&proposed).await.contains("ONLY_APPLYING"));
    let text = whole(&tracked).await;
    assert!(text.contains("apply sees ONLY_APPLYING_PLAIN ONLY_APPLYING_SECRET ."), "{text}");
}

#[tokio::test]
async fn what_a_secret_held_before_and_what_codes_tear_apart_stays_masked() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/environment");
    let set = async |value: &str| {
        let seen = hidden(&headway.page(&format!("{page}?variable=KEPT")).await, "seen");
        let fields = [
            ("stack", "network"),
            ("name", "KEPT"),
            ("value", value),
            ("secret", "true"),
            ("planning", "true"),
            ("seen", &seen),
        ];
        headway.form(&page, "set_variable", &fields).await.says("Saved.");
    };
    set("kingfisher-one").await;
    set("kingfisher-two").await;
    let engines = tempfile::tempdir().unwrap();
    // One torn form a line: each is found by itself.
    let print = "[ \"$1\" = plan ] && printf 'said kingfisher-one and kingfisher-two.\\nking\\033[1mfisher-two bold\\n\
                 king\\010fisher-two back\\nking\\000fisher-two null\\nking\\342\\200\\256fisher-two turned\\n\
                 \\033[31mred\\033[0m\\n'";
    headway.use_engine(&stack, &engine_before(engines.path(), print)).await;
    let masked = async || {
        let run = headway.form(&stack, "trigger_run", &[("stack", "network")]).await.path;
        let page = headway.until_state(&run, "unconfirmed").await;
        assert!(!page.html.contains("kingfisher") && !page.html.contains("fisher"), "{}", page.html);
        page.says("said •••••• and ••••••.").says("•••••• bold").says("•••••• back");
        page.says("•••••• null").says("•••••• turned");
        assert!(page.html.contains("<span class=\"ansi-red\">red</span>"), "{}", page.html);
        for position in 0..8 {
            assert!(!headway.page(&format!("{run}/log/{position}")).await.html.contains("fisher"));
        }
        headway.press(&run, "discard_run").await;
        headway.until_state(&run, "discarded").await;
    };
    masked().await;
    let seen = last_set(&headway.page(&page).await, "KEPT");
    let fields = [("stack", "network"), ("name", "KEPT"), ("seen", &seen)];
    headway.form(&page, "remove_variable", &fields).await.lacks("KEPT");
    masked().await;
}
