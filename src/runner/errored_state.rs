//! The errored state: the file that Terraform leaves when it could not write its last state. Nothing else knows what its
//! apply has made, so it is stored as if Terraform had written it, and where that is refused it is kept for a person.

use super::workspace;
use crate::commands::Context;
use crate::commands::write_state::{StateRefusal, write_state};
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How Terraform calls it, in the folder of the configuration.
const FILE: &str = "errored.tfstate";

/// What the note of the run says first when the state is not stored.
const LOST: &str = "The engine could not write its last state, and Headway did not store it either.";

/// Removes the one that the commit brings along: it is not what this run will have made.
pub fn forget(folder: &Path) -> io::Result<()> {
    match std::fs::remove_file(folder.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Stores the state that a run's apply left in this folder, or keeps it elsewhere: what became of it, in sentences; nothing
/// when there is none. When the database is away, the file stays and this may be tried again.
pub async fn rescue(context: &Context, run: &Run, folder: &Path, managed: bool) -> Result<Option<String>, Problem> {
    let file = folder.join(FILE);
    if !std::fs::symlink_metadata(&file).is_ok_and(|about| about.is_file()) {
        return Ok(None);
    }
    let most = context.config.limits.state_size;
    let refused = if managed {
        match workspace::read(&file, most as u64) {
            Ok(document) => match write_state(context, run, None, &document).await {
                Ok(version) => {
                    return Ok(Some(format!(
                        "The engine could not write its last state; Headway stored it from {FILE} as version {version}."
                    )));
                }
                Err(StateRefusal::Lost) => return Ok(None),
                Err(StateRefusal::Unavailable) => return Err(Problem::UNAVAILABLE),
                Err(StateRefusal::Forbidden(why) | StateRefusal::Malformed(why)) => why.to_owned(),
                Err(StateRefusal::Conflict(why)) => why,
            },
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                format!("It is longer than {} MiB, the setting --state-size.", most >> 20)
            }
            Err(error) => format!("It cannot be read: {}.", error.kind()),
        }
    } else {
        "Headway does not manage the state of this stack.".to_owned()
    };
    tracing::error!(run.id = %run.id, %refused, "an errored state is not stored");
    let kept = match keep(context, run, &file) {
        Ok(place) => format!("It is kept in {} on Headway's machine, for Headway's own user.", place.display()),
        Err(error) => {
            tracing::error!(run.id = %run.id, %error, "cannot keep an errored state");
            return Ok(Some(format!("{LOST} {refused} It could not be kept either: {}.", error.kind())));
        }
    };
    let next = if managed {
        "Compare it with the stack's state and write import blocks for what that lacks, then remove the file."
    } else {
        "Push it to the stack's backend (state push), then remove the file."
    };
    Ok(Some(format!("{LOST} {refused} {kept} {next}")))
}

/// Moves the file to where no sweep takes it, readable by Headway's user alone: it holds secrets in clear.
fn keep(context: &Context, run: &Run, file: &Path) -> io::Result<PathBuf> {
    let folder = context.config.errored_states();
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let place = folder.join(format!("{}.tfstate", run.id));
    std::fs::set_permissions(file, Permissions::from_mode(0o600))?;
    std::fs::rename(file, &place)?;
    Ok(place)
}
