//! *Source code*: the repository, the tracked branch, the project root, and which other files belong to the stack.

use super::{SaveOrCancel, version};
use crate::app::api::SaveSource;
use crate::app::flash::typed;
use crate::app::problem::told;
use crate::app::ui::{Field, described, invalid};
use crate::app::view::SettingsView;
use crate::domain::problem::Problem;
use leptos::form::ActionForm;
use leptos::html::Form;
use leptos::prelude::*;

/// What becomes of another address.
const MOVING: &str = "Nothing runs in another repository until its next push. A user and password in an https address \
                      replace the ones that Headway has; they are sealed at once and never shown.";

/// The form.
#[component]
pub fn SourceForm(view: SettingsView) -> impl IntoView {
    let save = ServerAction::<SaveSource>::new();
    let problem = told(save);
    let version = version::<SaveSource>(&view, problem);
    let form = NodeRef::<Form>::new();
    let stack = view.header.id.clone();
    let address = view.header.address.clone();
    let branch = typed::<SaveSource>("tracked_branch").unwrap_or_else(|| view.header.tracked_branch.clone());
    let root = typed::<SaveSource>("project_root").unwrap_or_else(|| view.header.project_root.clone());
    let globs = typed::<SaveSource>("additional_globs").unwrap_or_else(|| view.additional_globs.join("\n"));
    view! {
        <ActionForm action=save node_ref=form>
            <input type="hidden" name="stack" value=stack.to_string() />
            <input type="hidden" name="version" value=move || version.get().to_string() />
            {if view.may_change_repository {
                let address = typed::<SaveSource>("address").unwrap_or(address);
                view! { <AddressField address=Some(address) hint=MOVING problem /> }.into_any()
            } else {
                view! {
                    <div class="field">
                        <p class="label">"Repository"</p>
                        <p class="fixed">{address}</p>
                    </div>
                }
                    .into_any()
            }}
            <Field name="tracked_branch" label="Tracked branch" hint="Its pushes start tracked runs; all other branches get proposed ones." problem>
                <input
                    id="tracked_branch"
                    name="tracked_branch"
                    required
                    list="branches"
                    value=branch
                    autocomplete="off"
                    aria-describedby=described("tracked_branch")
                    aria-invalid=invalid(problem, "tracked_branch")
                />
                <datalist id="branches">
                    {view.branches.into_iter().map(|branch| view! { <option value=branch></option> }).collect_view()}
                </datalist>
            </Field>
            <RootField root folders=view.configurations problem />
            <Field name="additional_globs" label="Additional globs" hint="One a line, from the top of the repository: a change to these files starts runs as well. A * stays inside one folder, ** goes through folders: modules/** or *.tfvars." problem>
                <textarea
                    id="additional_globs"
                    name="additional_globs"
                    class="code"
                    rows="3"
                    aria-describedby=described("additional_globs")
                    aria-invalid=invalid(problem, "additional_globs")
                >
                    {globs}
                </textarea>
            </Field>
            <SaveOrCancel form role=view.header.role cancel=format!("/stack/{stack}/settings/source") pending=save.pending() problem />
        </ActionForm>
    }
}

/// Where a repository is.
#[component]
pub fn AddressField(
    /// What stands in it when the page comes.
    address: Option<String>,
    /// What becomes of what is typed.
    hint: &'static str,
    #[prop(into)] problem: Signal<Option<Problem>>,
) -> impl IntoView {
    view! {
        <Field name="address" label="Repository" hint problem>
            <input
                id="address"
                name="address"
                class="code"
                required
                placeholder="https://git.example.com/team/infrastructure.git"
                value=address
                autocomplete="off"
                spellcheck="false"
                aria-describedby=described("address")
                aria-invalid=invalid(problem, "address")
            />
        </Field>
    }
}

/// The project root, with the folders on offer that hold a configuration.
#[component]
pub fn RootField(root: String, folders: Vec<String>, #[prop(into)] problem: Signal<Option<Problem>>) -> impl IntoView {
    view! {
        <Field
            name="project_root"
            label="Project root"
            hint="The folder that holds the configuration; empty for the whole repository."
            problem
        >
            <input
                id="project_root"
                name="project_root"
                class="code"
                list="configurations"
                value=root
                autocomplete="off"
                aria-describedby=described("project_root")
                aria-invalid=invalid(problem, "project_root")
            />
            <datalist id="configurations">
                {folders.into_iter().map(|folder| view! { <option value=folder></option> }).collect_view()}
            </datalist>
        </Field>
    }
}
