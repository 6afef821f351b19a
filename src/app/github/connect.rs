//! Connecting an App: made with one click from a manifest, or by hand with the keys that GitHub gave.

use crate::app::api::ConnectGithub;
use crate::app::flash::typed;
use crate::app::problem::{Told, told};
use crate::app::ui::{Field, Icon, described, invalid};
use crate::app::view::AppView;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// One click: the browser posts the manifest to GitHub, which leads back here.
#[component]
pub fn Create(
    /// Where to.
    action: String,
    /// The manifest.
    manifest: String,
    /// The address under which GitHub is to reach this Headway.
    home: String,
    /// Whether that address leads nowhere from outside this machine.
    unreachable: bool,
    /// The rights that the App asks for.
    permissions: Vec<(String, String, String)>,
) -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.read_untracked().get(name).unwrap_or_default();
    let place = action.split("/settings/apps/").next().unwrap_or_default().to_owned();
    let place = place.split("/organizations/").next().unwrap_or_default().to_owned();
    view! {
        <section aria-labelledby="create-title">
            <h2 id="create-title">"Connect with one click"</h2>
            <p>
                "Every plan becomes a check on its pull request, with "<strong>"Deploy"</strong>
                " in the Checks tab when the promotion rule holds. GitHub creates an App that belongs to you alone; it leads back here with the keys."
            </p>
            {unreachable
                .then(|| {
                    view! {
                        <p class="warning">
                            <Icon name="alert" />
                            {format!(
                                "GitHub cannot reach {home}: pushes are then seen every half minute, and Deploy in the Checks tab does nothing. Start Headway with --public-url and an https address that leads here.",
                            )}
                        </p>
                    }
                })}
            <form method="post" action=action.clone()>
                <input type="hidden" name="manifest" value=manifest />
                <button class="button" data-kind="primary" type="submit">
                    <Icon name="plus" />
                    "Create GitHub App"
                    // A link may have led here with an address of somebody else's choice.
                    {(place != "https://github.com").then(|| format!(" at {place}"))}
                </button>
            </form>
            <details class="advanced">
                <summary>"What it may do"</summary>
                <ul>
                    {permissions
                        .into_iter()
                        .map(|(name, level, reason)| view! { <li><code>{format!("{name}: {level}")}</code> " " {reason}</li> })
                        .collect_view()}
                </ul>
            </details>
            <details class="advanced" open=!asked("web").is_empty() || !asked("organization").is_empty()>
                <summary>"For an organization, or on GitHub Enterprise"</summary>
                <form method="get" action="/settings/github">
                    <div class="field">
                        <label for="organization">"Organization"</label>
                        <input id="organization" name="organization" value=asked("organization") autocomplete="off" aria-describedby="organization-hint" />
                        <p class="hint" id="organization-hint">"Empty: the App belongs to your own account."</p>
                    </div>
                    <div class="field">
                        <label for="web">"Address of GitHub"</label>
                        <input id="web" name="web" class="code" value=asked("web") placeholder="https://github.com" autocomplete="off" aria-describedby="web-hint" />
                        <p class="hint" id="web-hint">"That of your GitHub Enterprise Server, or of your ghe.com tenant."</p>
                    </div>
                    <div class="field">
                        <label for="api">"Address of its API"</label>
                        <input id="api" name="api" class="code" value=asked("api") autocomplete="off" aria-describedby="api-hint" />
                        <p class="hint" id="api-hint">"Empty: where GitHub usually has it."</p>
                    </div>
                    <button class="button" type="submit">"Use these"</button>
                </form>
            </details>
        </section>
    }
}

/// The keys of an App that was made by hand; or new keys for the one that is there.
#[component]
pub fn ByHand(
    /// The App that is there.
    app: Option<AppView>,
) -> impl IntoView {
    let connect = ServerAction::<ConnectGithub>::new();
    let problem = told(connect);
    let known = app.is_some();
    let had = |field: &str, saved: Option<String>| typed::<ConnectGithub>(field).or(saved).unwrap_or_default();
    let app_id = had("app_id", app.as_ref().map(|app| app.app_id.to_string()));
    let web_address = had("web_address", app.as_ref().map(|app| app.web_address.clone()));
    let api_address = had("api_address", app.map(|app| app.api_address));
    let kept = if known { "Empty keeps the one that is there." } else { "" };
    view! {
        <details class="advanced" open=move || problem.get().is_some()>
            <summary>{if known { "Change its keys" } else { "Connect an App that you made by hand" }}</summary>
            <ActionForm action=connect>
                <Field name="app_id" label="App ID" problem>
                    <input id="app_id" name="app_id" required inputmode="numeric" autocomplete="off" value=app_id aria-describedby=described("app_id") aria-invalid=invalid(problem, "app_id") />
                </Field>
                <Field name="private_key" label="Private key" hint="The whole .pem file. It is sealed at once and never shown again." problem>
                    <textarea id="private_key" name="private_key" class="code" rows="4" autocomplete="off" spellcheck="false" aria-describedby=described("private_key") aria-invalid=invalid(problem, "private_key")></textarea>
                    <p class="hint">{kept}</p>
                </Field>
                <Field name="webhook_secret" label="Webhook secret" hint="Deliveries that are signed with the one before are believed for another day." problem>
                    <input id="webhook_secret" name="webhook_secret" type="password" autocomplete="off" aria-describedby=described("webhook_secret") aria-invalid=invalid(problem, "webhook_secret") />
                    <p class="hint">{kept}</p>
                </Field>
                <Field name="client_secret" label="Client secret" hint="Only for signing in with GitHub, with this Headway's /sign-in/callback as the App's callback URL." problem>
                    <input id="client_secret" name="client_secret" type="password" autocomplete="off" aria-describedby=described("client_secret") aria-invalid=invalid(problem, "client_secret") />
                    <p class="hint">{kept}</p>
                </Field>
                <Field name="web_address" label="Address of GitHub" problem>
                    <input id="web_address" name="web_address" class="code" autocomplete="off" placeholder="https://github.com" value=web_address aria-describedby=described("web_address") aria-invalid=invalid(problem, "web_address") />
                </Field>
                <Field name="api_address" label="Address of its API" hint="Empty: where GitHub usually has it." problem>
                    <input id="api_address" name="api_address" class="code" autocomplete="off" value=api_address aria-describedby=described("api_address") aria-invalid=invalid(problem, "api_address") />
                </Field>
                <Told problem />
                <button class="button" data-kind="primary" type="submit" disabled=move || connect.pending().get()>
                    {move || if connect.pending().get() { "Asking GitHub …" } else { "Connect" }}
                </button>
            </ActionForm>
        </details>
    }
}
