//! Repositories and pull requests: made, pushed to, changed, merged, renamed, deleted.

use super::{Done, done, failed};
use crate::api::Failure;
use crate::git::{self, NONE};
use crate::payload::events;
use crate::state::{Pull, Repository, Simulator, clock, now};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub struct NewRepository {
    owner: String,
    name: String,
    #[serde(default)]
    private: bool,
    default_branch: Option<String>,
}

pub async fn repository(State(simulator): State<Simulator>, Json(new): Json<NewRepository>) -> Done {
    let branch = new.default_branch.unwrap_or_else(|| "main".into());
    let made = add(&simulator, &new.owner, &new.name, new.private, &branch, None).await?;
    done(about(&simulator, &made))
}

/// A repository that is there.
pub async fn known(State(simulator): State<Simulator>, Path((owner, name)): Path<(String, String)>) -> Done {
    done(about(&simulator, &find(&simulator, &owner, &name)?))
}

fn about(simulator: &Simulator, repository: &Repository) -> Value {
    let (home, name) = (&simulator.home, repository.full_name());
    json!({
        "id": repository.id, "full_name": name, "path": simulator.folder(repository),
        "clone_url": format!("{home}/{name}.git"), "html_url": format!("{home}/{name}"),
    })
}

async fn add(
    simulator: &Simulator,
    owner: &str,
    name: &str,
    private: bool,
    branch: &str,
    fork_of: Option<i64>,
) -> Result<Repository, Failure> {
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !plain(owner) || !plain(name) || simulator.look(|world| world.named(owner, name).is_some()) {
        return Err(Failure::new(422, "That name cannot be used, or is used."));
    }
    let made = simulator.change(|world| {
        world.user(owner);
        let id = world.id();
        let repository = Repository {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            private,
            default_branch: branch.to_owned(),
            fork_of,
            former: Vec::new(),
            collaborators: BTreeMap::new(),
            heads: BTreeMap::new(),
            created_at: now(),
            pushed_at: now(),
            folder: format!("{id}.git"),
        };
        world.repositories.insert(id, repository.clone());
        repository
    });
    git::init(&simulator.folder(&made), branch).await.map_err(failed)?;
    Ok(made)
}

fn find(simulator: &Simulator, owner: &str, name: &str) -> Result<Repository, Failure> {
    simulator.look(|world| world.named(owner, name).cloned()).ok_or_else(Failure::not_found)
}

pub async fn fork(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Done {
    let of = find(&simulator, &owner, &name)?;
    let by = body["owner"].as_str().unwrap_or_default().to_owned();
    let made = add(&simulator, &by, &name, of.private, &of.default_branch, Some(of.id)).await?;
    let source = simulator.folder(&of).to_string_lossy().into_owned();
    let all = "+refs/heads/*:refs/heads/*";
    git::git(&simulator.folder(&made), &["fetch", "--quiet", &source, all]).await.map_err(failed)?;
    let heads = git::heads(&simulator.folder(&made)).await.map_err(failed)?;
    simulator.change(|world| {
        if let Some(one) = world.repositories.get_mut(&made.id) {
            one.heads = heads;
        }
    });
    done(about(&simulator, &made))
}

/// Looks at the branches and tells what was pushed.
pub async fn notice(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    body: Option<Json<Value>>,
) -> Done {
    let repository = find(&simulator, &owner, &name)?;
    let pusher = body.and_then(|body| body["pusher"].as_str().map(str::to_owned)).unwrap_or(owner);
    look(&simulator, &repository, &pusher).await?;
    done(json!({}))
}

async fn look(simulator: &Simulator, repository: &Repository, pusher: &str) -> Result<(), Failure> {
    let folder = simulator.folder(repository);
    let heads = git::heads(&folder).await.map_err(failed)?;
    let before = repository.heads.clone();
    simulator.change(|world| {
        world.user(pusher);
        if let Some(known) = world.repositories.get_mut(&repository.id) {
            known.heads.clone_from(&heads);
            known.pushed_at = now();
        }
    });
    for (branch, old) in before.iter().filter(|(branch, _)| !heads.contains_key(*branch)) {
        events::push(simulator, repository, branch, (old, NONE), false, &[], pusher);
    }
    for (branch, head) in heads.iter().filter(|(branch, head)| before.get(*branch) != Some(head)) {
        let old = before.get(branch).map_or(NONE, String::as_str);
        let forced = old != NONE && !git::contains(&folder, head, old).await;
        let from = if forced { NONE } else { old };
        let commits = git::pushed(&folder, from, head).await.map_err(failed)?;
        events::push(simulator, repository, branch, (old, head), forced, &commits, pusher);
        move_pulls(simulator, repository, branch, head, pusher).await?;
    }
    Ok(())
}

/// The open pull requests of a branch follow it.
async fn move_pulls(
    simulator: &Simulator,
    repository: &Repository,
    branch: &str,
    head: &str,
    pusher: &str,
) -> Result<(), Failure> {
    let moved: Vec<(Pull, String)> = simulator.change(|world| {
        let open = world
            .pulls
            .iter_mut()
            .filter(|pull| pull.state == "open" && pull.head == branch && pull.head_repository == Some(repository.id));
        open.map(|pull| {
            let before = std::mem::replace(&mut pull.head_sha, head.to_owned());
            pull.updated_at = later(&pull.updated_at);
            (pull.clone(), before)
        })
        .collect()
    });
    for (pull, before) in moved {
        keep_head(simulator, &pull).await?;
        let more = json!({ "before": before, "after": pull.head_sha });
        events::pull_request(simulator, &pull, "synchronize", pusher, &more);
    }
    Ok(())
}

/// The time of a change: GitHub's times have seconds, and two changes in one second are still two.
fn later(before: &str) -> String {
    let now = clock();
    let after = before.parse::<jiff::Timestamp>().map_or(now, |before| before + jiff::SignedDuration::from_secs(1));
    now.max(after).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Keeps the commit of a pull request in the repository that it is for.
async fn keep_head(simulator: &Simulator, pull: &Pull) -> Result<(), Failure> {
    let (base, head) = simulator.look(|world| {
        let base = world.repositories.get(&pull.repository).cloned();
        (base, pull.head_repository.and_then(|id| world.repositories.get(&id).cloned()))
    });
    let (Some(base), Some(head)) = (base, head) else { return Ok(()) };
    let folder = simulator.folder(&base);
    let kept = format!("refs/pull/{}/head", pull.number);
    if base.id != head.id {
        let source = simulator.folder(&head).to_string_lossy().into_owned();
        let fetched = format!("+refs/heads/{}:{kept}", pull.head);
        git::git(&folder, &["fetch", "--quiet", &source, &fetched]).await.map_err(failed)?;
    }
    git::git(&folder, &["update-ref", &kept, &pull.head_sha]).await.map_err(failed)?;
    Ok(())
}

#[derive(Deserialize)]
pub struct NewPull {
    title: String,
    /// A branch, or `owner:branch` of a fork.
    head: String,
    base: Option<String>,
    author: Option<String>,
    #[serde(default)]
    draft: bool,
}

pub async fn open(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    Json(new): Json<NewPull>,
) -> Done {
    let base = find(&simulator, &owner, &name)?;
    let (from, branch) = new.head.split_once(':').unwrap_or((&owner, &new.head));
    let head = find(&simulator, from, &name)?;
    let heads = git::heads(&simulator.folder(&head)).await.map_err(failed)?;
    let sha =
        heads.get(branch).cloned().ok_or_else(|| Failure::invalid(vec!["head: there is no such branch".into()]))?;
    let target = new.base.clone().unwrap_or_else(|| base.default_branch.clone());
    let is_open = |pull: &Pull| {
        pull.state == "open"
            && (pull.repository, pull.head_repository) == (base.id, Some(head.id))
            && (pull.head.as_str(), &pull.base) == (branch, &target)
    };
    if simulator.look(|world| world.pulls.iter().any(is_open)) {
        return Err(Failure::invalid(vec![format!("A pull request already exists for {from}:{branch}.")]));
    }
    let pull = simulator.change(|world| {
        let author = new.author.clone().unwrap_or_else(|| from.to_owned());
        world.user(&author);
        let number = 1 + world.pulls.iter().filter(|pull| pull.repository == base.id).count() as i64;
        let pull = Pull {
            id: world.id(),
            repository: base.id,
            number,
            title: new.title.clone(),
            author,
            state: "open".into(),
            merged_at: None,
            closed_at: None,
            merge_commit: None,
            draft: new.draft,
            base: target,
            head: branch.to_owned(),
            head_repository: Some(head.id),
            head_sha: sha,
            created_at: now(),
            updated_at: now(),
        };
        world.pulls.push(pull.clone());
        pull
    });
    keep_head(&simulator, &pull).await?;
    events::pull_request(&simulator, &pull, "opened", &pull.author, &json!({}));
    let address = format!("{}/{}/pull/{}", simulator.home, base.full_name(), pull.number);
    done(json!({ "number": pull.number, "html_url": address, "head_sha": pull.head_sha }))
}

#[derive(Default, Deserialize)]
pub struct Edit {
    pub state: Option<String>,
    #[serde(default)]
    pub merged: bool,
    pub draft: Option<bool>,
    pub base: Option<String>,
    pub title: Option<String>,
}

pub async fn edit(
    State(simulator): State<Simulator>,
    Path((owner, name, number)): Path<(String, String, i64)>,
    Json(edit): Json<Edit>,
) -> Done {
    change(&simulator, &owner, &name, number, edit).await?;
    done(json!({}))
}

/// Changes a pull request, and tells it.
pub async fn change(simulator: &Simulator, owner: &str, name: &str, number: i64, edit: Edit) -> Result<(), Failure> {
    let repository = find(simulator, owner, name)?;
    let known = simulator.look(|world| world.pull(repository.id, number).cloned()).ok_or_else(Failure::not_found)?;
    let mut pull = known.clone();
    let mut told: Vec<(&str, Value)> = Vec::new();
    if edit.merged {
        if pull.state != "open" {
            return Err(Failure::new(405, "Pull Request is not mergeable"));
        }
        let message = format!("Merge pull request #{number} from {owner}/{}", pull.head);
        let merged = git::merge(&simulator.folder(&repository), &pull.base, &pull.head_sha, &message).await;
        pull.merge_commit = Some(merged.map_err(|_| Failure::new(405, "Pull Request is not mergeable"))?);
        pull.state = "closed".into();
        (pull.merged_at, pull.closed_at) = (Some(now()), Some(now()));
        told.push(("closed", json!({})));
    }
    match edit.state.as_deref() {
        Some("closed") if pull.state == "open" => {
            pull.state = "closed".into();
            pull.closed_at = Some(now());
            told.push(("closed", json!({})));
        }
        Some("open") if pull.state == "closed" && pull.merged_at.is_none() => {
            pull.state = "open".into();
            pull.closed_at = None;
            told.push(("reopened", json!({})));
        }
        Some(_) | None => {}
    }
    if let Some(draft) = edit.draft.filter(|draft| *draft != pull.draft) {
        pull.draft = draft;
        told.push((if draft { "converted_to_draft" } else { "ready_for_review" }, json!({})));
    }
    if let Some(base) = edit.base {
        let from = json!({ "ref": { "from": pull.base }, "sha": { "from": pull.head_sha } });
        pull.base = base;
        told.push(("edited", json!({ "changes": { "base": from } })));
    }
    if let Some(title) = edit.title {
        let from = json!({ "from": pull.title });
        pull.title = title;
        told.push(("edited", json!({ "changes": { "title": from } })));
    }
    pull.updated_at = later(&pull.updated_at);
    simulator.change(|world| {
        if let Some(known) = world.pulls.iter_mut().find(|one| one.id == pull.id) {
            *known = pull.clone();
        }
    });
    for (action, more) in told {
        events::pull_request(simulator, &pull, action, owner, &more);
    }
    if edit.merged {
        look(simulator, &repository, owner).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
pub struct Rename {
    name: String,
}

pub async fn rename(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    Json(to): Json<Rename>,
) -> Done {
    let known = find(&simulator, &owner, &name)?;
    let renamed = simulator.change(|world| {
        let one = world.repositories.get_mut(&known.id)?;
        one.former.push(one.full_name());
        one.name = to.name;
        Some(one.clone())
    });
    let renamed = renamed.ok_or_else(Failure::not_found)?;
    events::about_repository(
        &simulator,
        &renamed,
        "repository",
        &owner,
        |_, _| json!({ "action": "renamed", "changes": { "repository": { "name": { "from": name } } } }),
    );
    done(about(&simulator, &renamed))
}

#[derive(Deserialize)]
pub struct Visibility {
    private: bool,
}

pub async fn set_visibility(
    State(simulator): State<Simulator>,
    Path((owner, name)): Path<(String, String)>,
    Json(to): Json<Visibility>,
) -> Done {
    let known = find(&simulator, &owner, &name)?;
    simulator.change(|world| {
        if let Some(one) = world.repositories.get_mut(&known.id) {
            one.private = to.private;
        }
    });
    done(json!({}))
}

pub async fn delete(State(simulator): State<Simulator>, Path((owner, name)): Path<(String, String)>) -> Done {
    let known = find(&simulator, &owner, &name)?;
    events::about_repository(&simulator, &known, "repository", &owner, |_, _| json!({ "action": "deleted" }));
    simulator.change(|world| {
        world.repositories.remove(&known.id);
        world.pulls.retain(|pull| pull.repository != known.id);
        world.check_runs.retain(|_, run| run.repository != known.id);
    });
    std::fs::remove_dir_all(simulator.folder(&known)).map_err(failed)?;
    done(json!({}))
}
