//! The parts of `terraform show -json <planfile>` that Headway reads; everything else in it is skipped unread. The names
//! are Terraform's.

use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What must be known before the rest makes sense.
#[derive(Deserialize)]
pub(super) struct Header {
    pub format_version: Option<String>,
}

/// A plan.
#[derive(Deserialize)]
pub(super) struct Document {
    /// Every plan has it, however empty; a state has not.
    pub planned_values: Option<serde::de::IgnoredAny>,
    pub resource_changes: Option<Vec<Resource>>,
    pub output_changes: Option<BTreeMap<String, Change>>,
    pub variables: Option<BTreeMap<String, Variable>>,
    pub configuration: Option<Configuration>,
    pub applyable: Option<bool>,
    pub errored: Option<bool>,
}

/// A resource, or a deposed object of one.
#[derive(Deserialize)]
pub(super) struct Resource {
    pub address: String,
    pub previous_address: Option<String>,
    /// `managed`, `data`, or `ephemeral`.
    pub mode: Option<String>,
    #[serde(rename = "type", default)]
    pub kind: String,
    pub deposed: Option<String>,
    pub change: Change,
    pub action_reason: Option<String>,
}

/// What happens to a resource or an output.
#[derive(Deserialize)]
pub(super) struct Change {
    pub actions: Vec<String>,
    pub before: Option<Json>,
    /// What is unknown is left out of it; in a list it is null.
    pub after: Option<Json>,
    pub after_unknown: Option<Json>,
    pub before_sensitive: Option<Json>,
    pub after_sensitive: Option<Json>,
    pub replace_paths: Option<Vec<Vec<Json>>>,
    pub importing: Option<Importing>,
}

/// What a resource is imported by.
#[derive(Deserialize)]
pub(super) struct Importing {
    pub id: Option<String>,
    pub identity: Option<Json>,
}

/// An input variable's value, in clear text even when it is sensitive.
#[derive(Deserialize)]
pub(super) struct Variable {
    pub value: Option<Json>,
}

/// The configuration that was planned.
#[derive(Deserialize)]
pub(super) struct Configuration {
    pub root_module: Option<RootModule>,
}

/// Its root module.
#[derive(Deserialize)]
pub(super) struct RootModule {
    pub variables: Option<BTreeMap<String, Declaration>>,
}

/// The declaration of an input variable.
#[derive(Deserialize)]
pub(super) struct Declaration {
    pub sensitive: Option<bool>,
}

impl Document {
    /// The values of the input variables that are declared sensitive.
    pub fn sensitive_variables(&self) -> impl Iterator<Item = &Json> {
        let declared = self.configuration.iter().filter_map(|configuration| configuration.root_module.as_ref());
        declared
            .filter_map(|root_module| root_module.variables.as_ref())
            .flatten()
            .filter(|(_, declaration)| declaration.sensitive == Some(true))
            .filter_map(|(name, _)| self.variables.as_ref()?.get(name)?.value.as_ref())
    }

    /// Every change, of resources and of outputs.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        let resources = self.resource_changes.iter().flatten().map(|resource| &resource.change);
        resources.chain(self.output_changes.iter().flat_map(BTreeMap::values))
    }
}
