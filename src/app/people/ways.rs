//! The ways to sign in: passwords, GitHub, an OpenID Connect provider.

use crate::app::api::SaveSignIn;
use crate::app::flash::{switched, typed};
use crate::app::problem::{Told, told};
use crate::app::settings::Switch;
use crate::app::ui::{Field, described, invalid};
use crate::app::view::PeopleView;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// The form.
#[component]
pub fn WaysForm(view: PeopleView) -> impl IntoView {
    let save = ServerAction::<SaveSignIn>::new();
    let problem = told(save);
    let on = |name: &str, saved: bool| switched::<SaveSignIn>(name).unwrap_or(saved);
    let fields = [
        ("openid_name", "Provider's name", "What the button says: Continue with …", view.openid_name.clone()),
        (
            "openid_issuer",
            "Provider's address",
            "Its issuer, like https://login.example.com. Empty: none.",
            view.openid_issuer.clone(),
        ),
        ("openid_client_id", "Client ID", "What the provider calls this Headway.", view.openid_client_id.clone()),
    ];
    let github = if view.github_possible {
        "Through the connected App. People connect their account on their own page first."
    } else {
        "Takes a GitHub App that was made from Headway's page, or whose client secret was entered there."
    };
    view! {
        <section aria-labelledby="ways-title">
            <h2 id="ways-title">"Ways to sign in"</h2>
            <ActionForm action=save>
                <Switch name="passwords" label="Name and password" description="For everybody who has chosen one." on=on("passwords", view.passwords) />
                <Switch name="github" label="GitHub" description=github on=on("github", view.github) />
                <h3>"OpenID Connect"</h3>
                <p class="hint">
                    "Have the provider lead back to " <code>{view.callback.clone()}</code>
                    ". Whoever it vouches for comes in when one of their groups has a role here."
                </p>
                {fields
                    .into_iter()
                    .map(|(name, label, hint, saved)| {
                        view! {
                            <Field name label hint problem>
                                <input
                                    id=name
                                    name=name
                                    autocomplete="off"
                                    spellcheck="false"
                                    value={typed::<SaveSignIn>(name).unwrap_or(saved)}
                                    aria-describedby=described(name)
                                    aria-invalid=invalid(problem, name)
                                />
                            </Field>
                        }
                    })
                    .collect_view()}
                <Field name="client_secret" label="Client secret" hint="Left empty, the one that is there stays." problem>
                    <input
                        id="client_secret"
                        name="client_secret"
                        type="password"
                        autocomplete="off"
                        aria-describedby=described("client_secret")
                        aria-invalid=invalid(problem, "client_secret")
                    />
                </Field>
                <Field name="openid_groups_claim" label="Claim with the groups" hint="Usually groups." problem>
                    <input
                        id="openid_groups_claim"
                        name="openid_groups_claim"
                        autocomplete="off"
                        spellcheck="false"
                        value={typed::<SaveSignIn>("openid_groups_claim").unwrap_or_else(|| view.openid_groups_claim.clone())}
                        aria-describedby=described("openid_groups_claim")
                    />
                </Field>
                <Told problem />
                <div class="actions">
                    <button class="button" data-kind="primary" type="submit" disabled=move || save.pending().get()>"Save the ways"</button>
                </div>
            </ActionForm>
        </section>
    }
}
