//! What a page begins with: the document around it, and the few facts that the server and the browser must agree on
//! before the first component runs.

use super::flash::Flash;
use crate::domain::permission::Role;
use serde::{Deserialize, Serialize};

/// What the browser has to know to render the same page as the server did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The name under which the viewer acts; none when nobody is signed in.
    pub viewer: Option<String>,
    /// The viewer's role in the whole; roles on single stacks are shown there.
    pub role: Option<Role>,
    /// What the banner says when this is the sample.
    pub sample: Option<String>,
    /// The simulated GitHub that the sample is on.
    pub sample_github: Option<String>,
    /// Where the icons are.
    pub icons: String,
    /// The request that rendered the page; a problem that arose in it names it.
    pub request: String,
    /// The answer to a form that was sent without JavaScript.
    pub flash: Option<Flash>,
}

/// The viewer's role in the whole, if any.
pub fn viewer_role() -> Option<Role> {
    leptos::prelude::use_context::<Boot>().and_then(|boot| boot.role)
}

/// The element that carries it.
pub const BOOT_ELEMENT: &str = "boot";

/// Where the client is served.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug)]
pub struct Assets {
    /// The script that loads the module.
    pub script: Option<&'static str>,
    /// The WebAssembly module.
    pub module: Option<&'static str>,
    /// The styles.
    pub style: Option<&'static str>,
}

/// Another origin that the forms of this page may be sent to.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct FormsElsewhere(pub String);

/// That `cargo leptos watch` is at work, with the port at which it tells pages to load themselves again.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Watched(pub leptos::prelude::LeptosOptions);

/// The document around every page.
#[cfg(feature = "ssr")]
pub fn shell() -> impl leptos::IntoView {
    use super::App;
    use leptos::nonce::use_nonce;
    use leptos::prelude::*;
    use leptos_meta::MetaTags;

    let nonce = use_nonce();
    let forms = use_context::<FormsElsewhere>().map(|FormsElsewhere(origin)| format!(" {origin}")).unwrap_or_default();
    let watched = use_context::<Watched>().map(|Watched(options)| options);
    let reload = watched.as_ref().map(|options| format!(" ws://*:{}", options.reload_port)).unwrap_or_default();
    if let (Some(response), Some(nonce)) = (use_context::<leptos_axum::ResponseOptions>(), &nonce) {
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; connect-src 'self'{reload}; form-action 'self'{forms}; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        if let Ok(policy) = policy.parse() {
            response.insert_header(axum::http::header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    let assets = use_context::<Assets>();
    let boot = use_context::<Boot>().unwrap_or_default();
    // Inside a script element only the text "</script" would end it.
    let boot = serde_json::to_string(&boot).unwrap_or_default().replace('<', "\\u003c");
    let client = assets.and_then(|assets| assets.script.zip(assets.module));
    let start = client.map(|(script, module)| {
        format!("import start, {{ hydrate }} from {script:?}; start({{ module_or_path: {module:?} }}).then(hydrate);")
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                {assets.and_then(|assets| assets.style).map(|style| view! { <link rel="stylesheet" href=style /> })}
                {client
                    .map(|(script, module)| {
                        view! {
                            <link rel="modulepreload" href=script />
                            <link rel="preload" href=module r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                        }
                    })}
                <MetaTags />
                <script type="application/json" id=BOOT_ELEMENT inner_html=boot></script>
                {watched.map(|options| view! { <AutoReload options /> })}
                {start.map(|start| view! { <script type="module" nonce=nonce inner_html=start></script> })}
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
