//! Access tokens: made with a scope and an end, shown once, revoked at any time.

use super::RoleChoices;
use crate::app::api::{MakeToken, RevokeToken};
use crate::app::flash::typed;
use crate::app::problem::{Told, told};
use crate::app::ui::{Ago, Field, Icon, described, invalid};
use crate::app::view::AccountView;
use crate::domain::Timestamp;
use crate::domain::permission::Role;
use crate::domain::person::ShownToken;
use leptos::form::ActionForm;
use leptos::prelude::*;

/// One's tokens, and the form for a new one.
#[component]
pub fn Tokens(view: AccountView) -> impl IntoView {
    let make = ServerAction::<MakeToken>::new();
    let problem = told(make);
    let chosen = typed::<MakeToken>("stack").unwrap_or_default();
    let role = typed::<MakeToken>("role").and_then(|role| Role::parse(&role)).unwrap_or(Role::Reader);
    view! {
        <section aria-labelledby="tokens-title">
            <h2 id="tokens-title">"Access tokens"</h2>
            <p>
                "For scripts: "<code>"Authorization: Bearer headway_…"</code>
                ". A token can do no more than you can, and ends with your account."
            </p>
            {view
                .made
                .map(|token| {
                    view! {
                        <div class="made" role="status">
                            <p><strong>"Copy it now: it is not shown again."</strong></p>
                            <input class="code" readonly aria-label="The new access token" value=token />
                        </div>
                    }
                })}
            <TokenRows tokens=view.tokens now=view.now owners=false />
            <h3>"New token"</h3>
            <ActionForm action=make>
                <Field name="name" label="Name" hint="The activity log shows it as token/NAME." problem>
                    <input
                        id="name"
                        name="name"
                        required
                        maxlength="60"
                        autocomplete="off"
                        spellcheck="false"
                        value={typed::<MakeToken>("name")}
                        aria-describedby=described("name")
                        aria-invalid=invalid(problem, "name")
                    />
                </Field>
                <Field name="role" label="Role" problem>
                    <select id="role" name="role" aria-describedby=described("role") aria-invalid=invalid(problem, "role")>
                        <RoleChoices chosen=Some(role) />
                    </select>
                </Field>
                <Field name="stack" label="Stack" problem>
                    <select id="stack" name="stack">
                        <option value="">"Every stack you may see"</option>
                        {view
                            .choices
                            .into_iter()
                            .map(|(id, name)| {
                                let selected = chosen == id.as_str();
                                view! { <option value=id.to_string() selected=selected>{name}</option> }
                            })
                            .collect_view()}
                    </select>
                </Field>
                <Field name="days" label="Days" hint="It ends after so many days, 365 at most." problem>
                    <input
                        id="days"
                        name="days"
                        type="number"
                        min="1"
                        max="365"
                        required
                        value={typed::<MakeToken>("days").unwrap_or_else(|| "90".into())}
                        aria-describedby=described("days")
                        aria-invalid=invalid(problem, "days")
                    />
                </Field>
                <Told problem />
                <div class="actions">
                    <button class="button" type="submit" disabled=move || make.pending().get()>"Make token"</button>
                </div>
            </ActionForm>
        </section>
    }
}

/// A table of tokens.
#[component]
pub fn TokenRows(
    /// The tokens.
    tokens: Vec<ShownToken>,
    /// When they were read.
    now: Timestamp,
    /// Whether to say whose each is.
    owners: bool,
) -> impl IntoView {
    let revoke = ServerAction::<RevokeToken>::new();
    let problem = told(revoke);
    if tokens.is_empty() {
        return view! { <p class="meta">"No tokens."</p> }.into_any();
    }
    view! {
        <Told problem />
        <div class="scroll" tabindex="0" role="region" aria-label="Access tokens">
            <table class="tokens">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        {owners.then(|| view! { <th scope="col">"Whose"</th> })}
                        <th scope="col">"May"</th>
                        <th scope="col">"Ends"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col"><span class="hidden">"Revoke"</span></th>
                    </tr>
                </thead>
                <tbody>
                    {tokens
                        .into_iter()
                        .map(|token| {
                            let place = token.stack.as_ref().map_or_else(|| "everywhere".into(), |stack| format!("on {stack}"));
                            let label = format!("Revoke {}", token.name);
                            view! {
                                <tr>
                                    <th scope="row"><code>{token.name}</code></th>
                                    {owners.then(|| view! { <td>{token.person}</td> })}
                                    <td>{format!("{} {place}", token.role.label())}</td>
                                    <td>
                                        {if token.expires_at <= now {
                                            view! { <span class="chip" data-kind="danger">"ended"</span> }.into_any()
                                        } else {
                                            view! { <time datetime=token.expires_at.rfc3339()>{token.expires_at.long()}</time> }.into_any()
                                        }}
                                    </td>
                                    <td>
                                        {match token.used_at {
                                            Some(at) => view! { <Ago at now /> }.into_any(),
                                            None => "never".into_any(),
                                        }}
                                    </td>
                                    <td>
                                        <ActionForm action=revoke>
                                            <input type="hidden" name="token" value=token.id />
                                            <button class="button" data-kind="quiet" type="submit" aria-label=label>
                                                <Icon name="cross" />
                                                "Revoke"
                                            </button>
                                        </ActionForm>
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
