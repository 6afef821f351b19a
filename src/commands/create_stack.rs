//! Create stack: a folder of a repository becomes a stack.
//!
//! Nothing runs by itself at first: the branches that are there count as answered, and the stack has no current commit
//! until somebody triggers or promotes a run.

use super::Context;
use super::fetch::fetch;
use super::files::{check_globs, tidy_glob};
use super::save_settings::{differences, name_taken};
use crate::domain::log_line::is_bidirectional_control;
use crate::domain::permission::{Action, CreateStack, Permit};
use crate::domain::problem::{FieldProblem, Problem, Thing};
use crate::domain::stack::{self, NAME_LIMIT, project_root, slug};
use crate::domain::{RepositoryId, StackId};
use crate::store::{NewStack, Repository, Settings};

/// Makes the stack that the permit names.
pub async fn create_stack(
    context: &Context,
    permit: &Permit<CreateStack>,
    repository: &RepositoryId,
    mut settings: Settings,
    manage_state: bool,
) -> Result<StackId, Problem> {
    let problems = check_texts(&mut settings);
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    let known = context.store.read().await?.repository(repository).await?;
    known.ok_or(Problem::NotFound(Thing::Repository))?;
    fetch(context, repository).await?;
    let found = context.store.read().await?.repository(repository).await?;
    let found = found.ok_or(Problem::NotFound(Thing::Repository))?;
    let problems = check_place(context, &found, &settings).await;
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }

    let mut writing = context.store.write().await?;
    let new = NewStack {
        id: permit.stack().clone(),
        repository: repository.clone(),
        settings,
        manage_state,
        created_at: context.now(),
    };
    match writing.add_stack(&new).await {
        Err(error) if error.is_duplicate() => return Err(Problem::Invalid(vec![name_taken(&new.settings.name)])),
        added => added?,
    }
    writing.set_answered_heads(&new.id, &found.heads).await?;
    let sentence = format!("{} on {} of {}", new.settings.name, new.settings.tracked_branch, found.address);
    let what = differences(None, &new.settings).and("Repository", "", found.address.as_str());
    let detail = (sentence, what.and_switch("Managed state", false, manage_state));
    context.record(&mut writing, permit.viewer(), CreateStack::NAME, Some(&new.id), None, detail).await?;
    writing.commit().await?;
    Ok(new.id)
}

/// Why a name is none from which an address could be made.
const NO_LETTER: &str = "A name needs at least one letter from a to z or a digit.";

/// The id that a new stack of this name gets.
pub fn id_for(name: &str) -> Result<StackId, Problem> {
    let slug = slug(name);
    match slug.as_str() {
        "" => Err(Problem::field("name", NO_LETTER)),
        // The page that makes stacks lives at this address.
        "new" => Err(Problem::field("name", "This name is taken by a page of Headway. Choose another one.")),
        _ => Ok(StackId::new(slug)),
    }
}

/// Tidies the texts of the settings and says what is wrong with them, field by field.
pub(super) fn check_texts(settings: &mut Settings) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: String| problems.push(FieldProblem { field: field.into(), message });
    settings.name = settings.name.trim().to_owned();
    if settings.name.is_empty() {
        problem("name", "A stack needs a name.".into());
    } else if slug(&settings.name).is_empty() {
        problem("name", NO_LETTER.into());
    } else if settings.name.chars().count() > NAME_LIMIT {
        problem(
            "name",
            format!("A name has at most {NAME_LIMIT} characters; this one has {}.", settings.name.chars().count()),
        );
    } else if settings.name.chars().any(|letter| letter.is_control() || is_bidirectional_control(letter)) {
        problem("name", "A name is one line of text.".into());
    }
    settings.description = settings.description.trim().to_owned();
    if settings.description.chars().count() > stack::DESCRIPTION_LIMIT {
        problem("description", format!("A description has at most {} characters.", stack::DESCRIPTION_LIMIT));
    }
    tidy(&mut settings.labels);
    if settings.labels.len() > 50 || settings.labels.iter().any(|label| label.chars().count() > 64) {
        problem("labels", "At most 50 labels of at most 64 characters.".into());
    }
    settings.tracked_branch = settings.tracked_branch.trim().to_owned();
    if settings.tracked_branch.is_empty() {
        problem("tracked_branch", "A stack follows a branch.".into());
    }
    match project_root(&settings.project_root) {
        Ok(root) => settings.project_root = root,
        Err(message) => problem("project_root", message),
    }
    for glob in &mut settings.additional_globs {
        *glob = tidy_glob(glob);
    }
    tidy(&mut settings.additional_globs);
    if let Err(message) = check_globs(&settings.additional_globs) {
        problem("additional_globs", message);
    }
    settings.engine_binary = settings.engine_binary.trim().to_owned();
    if !is_path_or_version(&settings.engine_binary) {
        let message = "An absolute path such as /usr/local/bin/terraform, a version such as 1.11.4, or nothing.";
        problem("engine_binary", message.into());
    }
    problems
}

/// Whether a program can be named like this: by an absolute path, by a version, or not at all.
pub fn is_path_or_version(binary: &str) -> bool {
    let version = binary.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    binary.is_empty()
        || binary.starts_with('/')
        || (version && binary.starts_with(|first: char| first.is_ascii_digit()))
}

fn tidy(items: &mut Vec<String>) {
    for item in items.iter_mut() {
        *item = item.trim().to_owned();
    }
    items.retain(|item| !item.is_empty());
    items.sort();
    items.dedup();
}

/// Says whether the repository has the branch, and on it the folder.
pub(super) async fn check_place(context: &Context, repository: &Repository, settings: &Settings) -> Vec<FieldProblem> {
    let Some(head) = repository.heads.get(&settings.tracked_branch) else {
        return vec![no_branch(&settings.tracked_branch)];
    };
    match context.mirror(&repository.id).is_folder(head, &settings.project_root).await {
        Ok(true) => Vec::new(),
        Ok(false) => {
            let message = format!("There is no folder \"{}\" on {}.", settings.project_root, settings.tracked_branch);
            vec![FieldProblem { field: "project_root".into(), message }]
        }
        Err(error) => vec![FieldProblem { field: "project_root".into(), message: error.to_string() }],
    }
}

/// Says that the repository has no such branch.
pub(super) fn no_branch(branch: &str) -> FieldProblem {
    FieldProblem { field: "tracked_branch".into(), message: format!("The repository has no branch {branch:?}.") }
}
