//! Settings: what is saved, what is stale, what a variable may be, and how a stack goes.

use crate::headway::{Headway, terraform};
use crate::page::{last_set, person, version};
use crate::repository::{Repository, resource};

#[tokio::test]
async fn a_stale_save_is_refused_with_what_changed_and_keeps_what_was_typed() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let settings = format!("{stack}/settings/details");
    let stale = version(&headway.page(&settings).await);
    headway.behave(&stack, &["autodeploy", "secret_masking"]).await.says("Saved.");

    let fields =
        [("stack", "network"), ("version", &stale), ("name", "Net"), ("description", "typed"), ("labels", "a, b")];
    let refused = headway.form(&settings, "save_details", &fields).await;
    refused.has_status(409).says("Allow run promotion (now off), Autodeploy (now on)");
    assert!(refused.html.contains("value=\"Net\"") && refused.html.contains(">typed</textarea>"), "{}", refused.html);
    assert_ne!(version(&refused), stale, "the form starts from what is saved now");
    // Stale comes first: what is wrong with a field may be somebody else's by now.
    let nameless = [("stack", "network"), ("version", &stale), ("name", ""), ("description", ""), ("labels", "")];
    headway.form(&settings, "save_details", &nameless).await.has_status(409).says("Changed meanwhile");
    let newer = version(&refused);
    // Refused for a field, the form goes on from where it started, so that it is not laid over a save meanwhile.
    let nameless = [("stack", "network"), ("version", &newer), ("name", ""), ("description", ""), ("labels", "")];
    let wrong = headway.form(&settings, "save_details", &nameless).await;
    headway.behave(&stack, &["secret_masking"]).await.says("Saved.");
    let wrong = headway.page(&wrong.path).await;
    assert_eq!(version(wrong.has_status(422)), newer);
    let newer = version(&headway.page(&settings).await);
    let fields =
        [("stack", "network"), ("version", &newer), ("name", "Net"), ("description", "typed"), ("labels", "a, b")];
    headway.form(&settings, "save_details", &fields).await.has_status(200).says("Saved.");
    headway.page("/").await.says("Net").says("typed");
    headway.page("/activity").await.says("Name: Network → Net").says("Autodeploy: off → on");
}

#[tokio::test]
async fn what_was_saved_before_is_not_said_beside_a_refusal() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let settings = format!("{stack}/settings/details");
    let newest = version(&headway.page(&settings).await);
    let fields = |name: &'static str, description: &'static str, version: &str| {
        let fields = [("stack", "network"), ("version", version), ("name", name), ("description", description)];
        fields.map(|(field, value)| (field.to_owned(), value.to_owned()))
    };
    let send = async |from: &str, fields: [(String, String); 4]| {
        let fields = fields.each_ref().map(|(field, value)| (field.as_str(), value.as_str()));
        headway.form(from, "save_details", &fields).await
    };
    let saved = send(&settings, fields("Net", "", &newest)).await;
    saved.has_status(200).says("Saved.");
    let refused = send(&saved.path, fields("", "kept", &version(&saved))).await;
    refused.has_status(422).lacks("Saved.");
    assert!(refused.html.contains(">kept</textarea>"), "{}", refused.html);
}

#[tokio::test]
async fn a_secret_is_masked_in_logs_and_stands_nowhere_in_clear() {
    if !terraform() {
        return;
    }
    let canary = "canary-4f1c9be2";
    let configuration = "variable \"token\" {}\nvariable \"region\" {}\noutput \"region\" { value = var.region }\n\
                         resource \"terraform_data\" \"leak\" {\n  input = var.token\n  provisioner \"local-exec\" {\n    \
                         command = \"echo the token is $TF_VAR_token\"\n  }\n}\n";
    let repository = Repository::new();
    repository.commit("main", "Print a secret", &[("leak.tf", configuration)]);
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/environment");
    let both = [("planning", "true"), ("applying", "true")];
    let secret = [("stack", "network"), ("name", "TF_VAR_token"), ("value", canary), ("secret", "true")];
    let saved = headway.form(&page, "set_variable", &[secret.as_slice(), &both].concat()).await;
    saved.has_status(200).says("Saved.").says("TF_VAR_token").lacks(canary);
    let plain = [("stack", "network"), ("name", "TF_VAR_region"), ("value", "eu-west-1")];
    headway.form(&page, "set_variable", &[plain.as_slice(), &both].concat()).await.says("eu-west-1");
    // Left empty, the secret stays.
    let seen = last_set(&headway.page(&page).await, "TF_VAR_token");
    let kept = [("stack", "network"), ("name", "TF_VAR_token"), ("value", ""), ("secret", "true"), ("seen", &seen)];
    headway.form(&page, "set_variable", &[kept.as_slice(), &both].concat()).await.has_status(200);
    // The same form again started from what is no more; and a new variable has no name that is taken.
    let again = headway.form(&page, "set_variable", &[kept.as_slice(), &both].concat()).await;
    again.has_status(409).says("TF_VAR_token (another secret)");
    let taken = headway.form(&page, "set_variable", &[secret.as_slice(), &both].concat()).await;
    taken.has_status(422).says("There is a variable TF_VAR_token already").lacks(canary);

    let run = headway.deploy(&stack).await;
    let log = headway.page(&run).await;
    log.says("the token is ••••••").lacks(canary);
    headway.page(&format!("{run}/changes")).await.lacks(canary).says("eu-west-1");
    for file in std::fs::read_dir(headway.data.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "the secret stands in clear in {}", file.display());
        }
    }
}

#[tokio::test]
async fn a_variable_that_somebody_set_meanwhile_is_not_removed_before_that_was_told() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/environment");
    let set = async |name: &str, value: &str, seen: &str| {
        let fields = [("stack", "network"), ("name", name), ("value", value), ("planning", "true"), ("seen", seen)];
        headway.form(&page, "set_variable", &fields).await.has_status(200);
    };
    set("ZONE", "a", "0").await;
    set("REGION", "eu-west-1", "0").await;
    let stale = last_set(&headway.page(&page).await, "REGION");
    set("REGION", "eu-north-1", &stale).await;
    let remove = async |seen: &str| {
        headway.form(&page, "remove_variable", &[("stack", "network"), ("name", "REGION"), ("seen", seen)]).await
    };
    let refused = remove(&stale).await;
    refused.has_status(409).says("REGION (now \"eu-north-1\")").says("Remove");
    let newer = last_set(&refused, "REGION");
    assert_ne!(newer, stale, "the page starts from what is there now");
    let removed = remove(&newer).await;
    removed.has_status(200).says("Saved.").says("ZONE").lacks("REGION");
    // Who asks for what is so already is not refused.
    remove(&stale).await.has_status(200);
}

#[tokio::test]
async fn bad_fields_are_refused_at_the_field_and_nothing_changes() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/environment");
    for (name, value) in [("PATH", "/tmp"), ("9A", "x"), ("", "x")] {
        let fields = [("stack", "network"), ("name", name), ("value", value), ("planning", "true")];
        headway.form(&page, "set_variable", &fields).await.has_status(422);
    }
    headway.page(&page).await.says("No variables yet");
    let version = version(&headway.page(&format!("{stack}/settings/source")).await);
    for (branch, root, globs, message) in [
        ("nope", "", "", "The repository has no branch \"nope\"."),
        ("main", "nowhere", "", "There is no folder \"nowhere\" on main."),
        ("main", "../etc", "", "stays inside the repository"),
        ("main", "/etc", "", "without a slash at its beginning"),
        ("main", "", "a[", "is not a glob"),
        ("main", "", "!docs/**", "globs only add some"),
    ] {
        let fields = [
            ("stack", "network"),
            ("version", version.as_str()),
            ("tracked_branch", branch),
            ("project_root", root),
            ("additional_globs", globs),
        ];
        headway.form(&format!("{stack}/settings/source"), "save_source", &fields).await.has_status(422).says(message);
    }
}

#[tokio::test]
async fn a_stack_follows_its_repository_to_another_address() {
    if !terraform() {
        return;
    }
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    headway.deploy(&stack).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("moved.git").to_str().unwrap().to_owned();
    repository.git(&["clone", "--quiet", "--bare", ".", &moved]);
    let away = format!("{}.away", repository.address());
    std::fs::rename(repository.address(), &away).unwrap();
    headway.sync(&stack).await.has_status(409).says("Check its address in Settings > Source code");

    let settings = format!("{stack}/settings/source");
    let shown = headway.page(&settings).await;
    assert!(shown.html.contains(&format!("value=\"{}\"", repository.address())), "{}", shown.html);
    let version = version(&shown);
    let fields = |address| {
        [("stack", "network"), ("version", version.as_str()), ("address", address), ("tracked_branch", "main")]
    };
    let gone = format!("file://{}", repository.address());
    for (address, message) in [
        ("", "The address is empty"),
        (gone.as_str(), "There is no Git repository at this address"),
        ("https://ann:s3cret@nowhere.invalid/x", "cannot be found"),
    ] {
        headway.form(&settings, "save_source", &fields(address)).await.has_status(422).says(message).lacks("s3cret");
    }
    headway.form(&settings, "save_source", &fields(&moved)).await.has_status(200).says("Saved.");
    let page = headway.page("/activity").await;
    page.says(&format!("Repository: {} → {moved}", repository.address())).lacks("Current commit:").lacks("s3cret");
    // The stack stands where it stood, and goes on from there.
    std::fs::rename(&away, repository.address()).unwrap();
    repository.branch("more", "main", "Make more", &[("more.tf", &resource("more"))]);
    repository.git(&["push", "--quiet", &moved, "more"]);
    headway.sync(&stack).await.has_status(200);
    let proposed = headway.proposed(&stack, "more").await;
    headway.until_state(&proposed, "finished").await;
    let tracked = headway.press(&proposed, "promote_run").await.path;
    headway.until_state(&tracked, "unconfirmed").await;
    headway.press(&tracked, "confirm_run").await;
    headway.until_state(&tracked, "finished").await.says("Apply complete!");
}

#[tokio::test]
async fn who_administers_one_stack_alone_leads_it_to_no_other_repository() {
    let repository = Repository::new();
    let (mut headway, stack) = Headway::with_network(&repository).await;
    let sven = headway.invite("sven", "").await;
    let people = headway.page("/settings/people").await;
    let id = person(&people, "sven");
    headway.form("/settings/people", "save_groups", &[("person", &id), ("groups", "ops")]).await.says("Saved.");
    let grant = [("group", "ops"), ("stack", "network"), ("role", "administrator")];
    headway.form("/settings/people", "set_role", &grant).await.says("Saved.");
    let address = repository.address().to_owned();
    assert!(headway.page(&format!("{stack}/settings/source")).await.html.contains("name=\"address\""));

    headway.act_with(sven);
    let shown = headway.page(&format!("{stack}/settings/source")).await;
    assert!(!shown.says(&address).html.contains("name=\"address\""));
    let version = version(&shown);
    let fields = |more: (&'static str, String)| {
        let own = [("stack", "network"), ("version", version.as_str()), ("tracked_branch", "main")];
        own.into_iter().map(|(name, value)| (name, value.to_owned())).chain([more]).collect::<Vec<_>>()
    };
    for (more, expected) in [
        (("address", format!("file://{address}")), 403),
        (("address", address.clone()), 200),
        (("additional_globs", "modules/".to_owned()), 200),
    ] {
        let fields = fields(more);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(headway.call("save_source", &fields).await.0, expected, "{fields:?}");
    }
    headway.page(&format!("{stack}/settings/source")).await.says("modules/**");
}

#[tokio::test]
async fn a_stack_goes_only_when_its_name_was_typed_and_nothing_protects_it() {
    let repository = Repository::new();
    let (headway, stack) = Headway::with_network(&repository).await;
    let page = format!("{stack}/settings/deletion");
    headway.form(&page, "delete_stack", &[("stack", "network"), ("name", "nope")]).await.has_status(422);
    headway.behave(&stack, &["protect_from_deletion"]).await;
    let fields = [("stack", "network"), ("name", "Network")];
    headway.form(&page, "delete_stack", &fields).await.has_status(409).says("protected from deletion");
    headway.behave(&stack, &[]).await;
    let list = headway.form(&page, "delete_stack", &fields).await;
    assert_eq!(list.path, "/?deleted=true");
    list.says("The stack is deleted.").says("No stacks yet");
    headway.page(&stack).await.has_status(404);
    headway.page("/activity").await.says("delete stack");
}
