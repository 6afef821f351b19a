//! Reads `terraform show -json <planfile>` into a [`Plan`]. A text that is not surely a whole plan of a known format is
//! refused; no message repeats anything from it but versions, addresses and action names, since it holds secrets.

use super::compare::compare;
use super::document::{Change, Document, Header, Importing, Resource};
use super::mask::Secrets;
use super::value::{Side, both, cut};
use super::{Action, OutputChange, Plan, ResourceChange, Value, reason};

/// Why a text is not taken for a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It is not JSON, or not whole.
    #[error("the plan is not JSON: it goes wrong in line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 before the first character of a line.
        column: usize,
    },
    /// It is JSON, but no plan.
    #[error("this is no plan: it lacks what `show -json <planfile>` prints (line {line}, column {column})")]
    NotPlan {
        /// Where that shows, counted from 1; 0 when it is missing altogether.
        line: usize,
        /// Where that shows, counted from 1; 0 when it is missing altogether.
        column: usize,
    },
    /// Its format is not one that can be read.
    #[error("the plan has format {0}, and only 1.x can be read, which Terraform 1.1 to 1.x and OpenTofu write")]
    Version(String),
    /// Planning ended with an error: the plan is not whole.
    #[error("the plan is not whole: planning ended with an error")]
    Errored,
    /// It would do something that has no name here.
    #[error("the plan would do something unknown to {address}: {actions}")]
    Action {
        /// To what.
        address: String,
        /// What, in Terraform's words.
        actions: String,
    },
}

/// Keeps the place and drops the words, which may quote a value.
impl From<serde_json::Error> for PlanError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() { Self::NotPlan { line, column } } else { Self::NotJson { line, column } }
    }
}

impl Plan {
    /// Reads the output of `terraform show -json <planfile>`, format 1.x.
    pub fn read(json: &[u8]) -> Result<Self, PlanError> {
        let header: Header = serde_json::from_slice(json)?;
        let version = header.format_version.ok_or(PlanError::NotPlan { line: 0, column: 0 })?;
        if version != "1" && !version.starts_with("1.") {
            return Err(PlanError::Version(version.chars().take(20).collect()));
        }
        let document: Document = serde_json::from_slice(json)?;
        if document.planned_values.is_none() && document.resource_changes.is_none() {
            return Err(PlanError::NotPlan { line: 0, column: 0 });
        }
        if document.errored == Some(true) {
            return Err(PlanError::Errored);
        }
        let secrets = Secrets::of(&document);
        let mut plan = Self { applyable: document.applyable, ..Self::default() };
        for resource in document.resource_changes.iter().flatten() {
            plan.resources.extend(read_resource(resource, &secrets)?);
        }
        for (name, change) in document.output_changes.iter().flatten() {
            plan.outputs.extend(read_output(name, change, &secrets)?);
        }
        Ok(plan)
    }
}

fn read_resource(resource: &Resource, secrets: &Secrets<'_>) -> Result<Option<ResourceChange>, PlanError> {
    let change = &resource.change;
    if resource.mode.as_deref() == Some("ephemeral") {
        return Ok(None);
    }
    let action = read_action(&resource.address, change)?;
    let carried = resource.previous_address.is_some() || change.importing.is_some();
    // Terraform drops a data source from the state by "deleting" it: nothing is destroyed.
    let dropped = resource.mode.as_deref() == Some("data") && action == Action::Delete;
    if dropped || (action == Action::NoOp && !carried) {
        return Ok(None);
    }
    let (attributes, more_attributes) = match action {
        // It lives on as it is, although the plan has nothing for what comes after.
        Action::Forget | Action::NoOp => (Vec::new(), 0),
        Action::Create
        | Action::Update
        | Action::Delete
        | Action::DeleteCreate
        | Action::CreateDelete
        | Action::CreateForget
        | Action::Read => {
            let (before, after) = sides(change);
            compare(before, after, change.replace_paths.as_deref().unwrap_or_default(), secrets)
        }
    };
    Ok(Some(ResourceChange {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        action,
        moved_from: resource.previous_address.clone(),
        imported_as: change.importing.as_ref().map(|importing| imported_as(importing, secrets)),
        deposed: resource.deposed.clone(),
        reason: resource.action_reason.as_deref().map(reason::sentence),
        attributes,
        more_attributes,
    }))
}

fn read_output(name: &str, change: &Change, secrets: &Secrets<'_>) -> Result<Option<OutputChange>, PlanError> {
    let action = read_action(name, change)?;
    let (before, after) = sides(change);
    let (before, after) = both(before, after, secrets);
    let output = OutputChange { name: name.into(), action, before, after };
    Ok((action != Action::NoOp).then_some(output))
}

fn read_action(address: &str, change: &Change) -> Result<Action, PlanError> {
    Action::read(&change.actions)
        .ok_or_else(|| PlanError::Action { address: cut(address.into()), actions: cut(change.actions.join(", ")) })
}

fn sides(change: &Change) -> (Side<'_>, Side<'_>) {
    (
        Side::new(change.before.as_ref(), change.before_sensitive.as_ref(), None),
        Side::new(change.after.as_ref(), change.after_sensitive.as_ref(), change.after_unknown.as_ref()),
    )
}

fn imported_as(importing: &Importing, secrets: &Secrets<'_>) -> String {
    let identity = Side::new(importing.identity.as_ref(), None, None);
    match (&importing.id, identity.shown(secrets)) {
        (Some(id), _) if !id.is_empty() => cut(id.clone()),
        (_, Some(Value::Known(identity))) => identity,
        (_, Some(Value::Sensitive)) => "(sensitive value)".into(),
        (_, Some(Value::Unknown) | None) => "(known after apply)".into(),
    }
}
