//! OpenID Connect as a client sees it: where a provider is, where it signs people in, and whom its token names. Nothing
//! here knows the store.
//!
//! Addresses are https, except on this machine itself; redirects are not followed, and an answer is read up to 1 MiB and
//! for ten seconds.

mod id_token;

pub use id_token::{Expected, Subject};

use crate::outgoing::{Closed, Outgoing, closed};
use crate::secret::fingerprint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, RequestBuilder, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The most of an answer that is read, in bytes.
const MOST: usize = 1024 * 1024;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a provider did not sign somebody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// It cannot be reached, or did not answer in time.
    #[error("The provider cannot be reached: {0}.")]
    Unreachable(&'static str),
    /// Its address leads to where Headway does not connect.
    #[error("{0}.")]
    Closed(#[from] Closed),
    /// It answers, but not as OpenID Connect says.
    #[error("The provider's answer cannot be used: {0}.")]
    Unusable(String),
    /// It does not accept the code, or who shows it.
    #[error("The provider refused the code: {0}.")]
    Refused(String),
    /// Its token proves nothing.
    #[error("The provider's token is not believed: {0}.")]
    Disbelieved(String),
}

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Clone, Debug, Deserialize)]
pub struct Provider {
    /// Its name for itself, as its tokens have it.
    pub issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

/// The client; cheap to clone.
#[derive(Clone, Debug)]
pub struct OpenId {
    http: Client,
    outgoing: Outgoing,
}

impl OpenId {
    /// A client that follows no redirects.
    pub fn new(outgoing: Outgoing) -> reqwest::Result<Self> {
        let http = outgoing.client(Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE))?;
        Ok(Self { http, outgoing })
    }

    /// An address that secrets may be sent to, and that Headway connects to.
    fn checked(&self, address: &str) -> Result<Url, OpenIdError> {
        let url = checked(address)?;
        self.outgoing.judge(&url)?;
        Ok(url)
    }

    /// Reads what the provider at this address says of itself. It has to be the one that it is taken for.
    pub async fn discover(&self, issuer: &str) -> Result<Provider, OpenIdError> {
        let issuer = issuer.trim_end_matches('/');
        let address = self.checked(&format!("{issuer}/.well-known/openid-configuration"))?;
        let provider: Provider = parsed(succeeded(read(self.http.get(address)).await?)?)?;
        if provider.issuer.trim_end_matches('/') != issuer {
            return Err(OpenIdError::Unusable("it calls itself by another address".into()));
        }
        let endpoints = [&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri];
        for endpoint in endpoints.into_iter().chain(&provider.userinfo_endpoint) {
            self.checked(endpoint)?;
        }
        Ok(provider)
    }

    /// Exchanges a code for what the provider says of the person who came back with it. Groups that the ID token leaves out
    /// are asked for at the userinfo endpoint, if there is one.
    pub async fn exchange(
        &self,
        provider: &Provider,
        registration: &Registration<'_>,
        code: &str,
        verifier: &str,
        expected: &Expected<'_>,
    ) -> Result<Subject, OpenIdError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
            access_token: String,
        }
        #[derive(Deserialize)]
        struct KeySet {
            keys: Vec<Value>,
        }
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", registration.callback),
            ("code_verifier", verifier),
        ];
        let mut request = self.http.post(self.checked(&provider.token_endpoint)?);
        if provider.takes_the_secret_in_the_form() {
            fields.extend([("client_id", registration.id), ("client_secret", registration.secret)]);
        } else {
            request = request.header(AUTHORIZATION, registration.basic());
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encoded(&fields));
        let (status, body) = read(request).await?;
        if status == 400 || status == 401 {
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            let why = answer["error"].as_str().unwrap_or("it does not say why").chars().take(100).collect();
            return Err(OpenIdError::Refused(why));
        }
        let tokens: Tokens = parsed(succeeded((status, body))?)?;
        let keys: KeySet = parsed(succeeded(read(self.http.get(self.checked(&provider.jwks_uri)?)).await?)?)?;
        let mut claims = id_token::read(&tokens.id_token, &keys.keys, expected)?;
        if let Some(endpoint) = provider.userinfo_endpoint.as_ref().filter(|_| claims.lacks(expected.groups_claim)) {
            let request = self.http.get(self.checked(endpoint)?).bearer_auth(&tokens.access_token);
            claims = claims.with(parsed(succeeded(read(request).await?)?)?)?;
        }
        Ok(claims.subject(expected.groups_claim))
    }
}

/// How this Headway is registered with a provider.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// What the provider calls it.
    pub id: &'a str,
    /// The secret that they share.
    pub secret: &'a str,
    /// The page that the provider leads back to.
    pub callback: &'a str,
}

impl Registration<'_> {
    /// Both parts, each encoded as a form first (RFC 6749, section 2.3.1).
    fn basic(&self) -> String {
        let part = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!("Basic {}", STANDARD.encode(format!("{}:{}", part(self.id), part(self.secret))))
    }
}

impl Provider {
    /// How this Headway shows its secret: `client_secret_basic`, which is meant when nothing is said (Discovery 1.0, section
    /// 3), unless `client_secret_post` is taken and that is not.
    fn takes_the_secret_in_the_form(&self) -> bool {
        let takes = |methods: &[String], method: &str| methods.iter().any(|taken| taken == method);
        self.token_endpoint_auth_methods_supported
            .as_deref()
            .is_some_and(|methods| takes(methods, "client_secret_post") && !takes(methods, "client_secret_basic"))
    }

    /// Where a browser is led to be signed in. The claim of the groups is asked for where the provider has a scope of that
    /// name.
    pub fn page(
        &self,
        client_id: &str,
        callback: &str,
        (state, nonce, verifier): (&str, &str, &str),
        groups_claim: &str,
    ) -> Result<String, OpenIdError> {
        let mut scope = "openid profile email".to_owned();
        if self.scopes_supported.iter().any(|supported| supported == groups_claim) {
            scope = format!("{scope} {groups_claim}");
        }
        let mut page = checked(&self.authorization_endpoint)?;
        page.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", callback),
            ("scope", &scope),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", &challenge(verifier)),
            ("code_challenge_method", "S256"),
        ]);
        Ok(page.into())
    }
}

/// What is shown of a verifier before the verifier itself (RFC 7636, S256).
pub fn challenge(verifier: &str) -> String {
    fingerprint(verifier)
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An address that secrets may be sent to.
fn checked(address: &str) -> Result<Url, OpenIdError> {
    let url = Url::parse(address).ok().filter(|url| {
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        url.scheme() == "https" || (url.scheme() == "http" && loopback)
    });
    url.ok_or_else(|| OpenIdError::Unusable("an address of it is not https".into()))
}

async fn read(request: RequestBuilder) -> Result<(u16, Vec<u8>), OpenIdError> {
    let unreachable = |error: reqwest::Error| {
        if let Some(closed) = closed(&error) {
            return OpenIdError::Closed(closed);
        }
        let why = if error.is_timeout() { "it did not answer in time" } else { "no connection, or it broke" };
        OpenIdError::Unreachable(why)
    };
    let request =
        request.header(ACCEPT, "application/json").header(USER_AGENT, concat!("headway/", env!("CARGO_PKG_VERSION")));
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err(OpenIdError::Unusable("it is larger than 1 MiB".into()));
        }
    }
    Ok((status, body))
}

fn succeeded((status, body): (u16, Vec<u8>)) -> Result<Vec<u8>, OpenIdError> {
    if status == 200 { Ok(body) } else { Err(OpenIdError::Unusable(format!("it answered {status}"))) }
}

fn parsed<T: DeserializeOwned>(body: Vec<u8>) -> Result<T, OpenIdError> {
    // What serde says may repeat a part of the answer, so it is not told.
    serde_json::from_slice(&body)
        .map_err(|_| OpenIdError::Unusable("a part of it is missing or of another form".into()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_over_https_or_stay_on_this_machine() {
        for address in
            ["https://login.example.com/token", "http://127.0.0.1:9/token", "http://[::1]/", "http://localhost"]
        {
            assert!(checked(address).is_ok(), "{address}");
        }
        for address in ["http://login.example.com/token", "http://127.0.0.1.evil.example", "ftp://localhost", "token"] {
            assert!(checked(address).is_err(), "{address}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    fn provider(more: Value) -> Provider {
        let mut said = serde_json::json!({
            "issuer": "https://i", "authorization_endpoint": "https://i/authorize?tenant=1",
            "token_endpoint": "https://i/token", "jwks_uri": "https://i/keys",
        });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(said).unwrap()
    }

    #[test]
    fn a_page_keeps_what_the_provider_has_in_it_and_asks_for_groups_where_it_can() {
        let provider = provider(serde_json::json!({ "scopes_supported": ["openid", "groups"] }));
        let page = provider.page("me", "https://h/sign-in/callback", ("s", "n", "v"), "groups").unwrap();
        assert!(page.starts_with("https://i/authorize?tenant=1&response_type=code&client_id=me&"), "{page}");
        assert!(page.contains("scope=openid+profile+email+groups&state=s&nonce=n&code_challenge="), "{page}");
        assert!(!provider.page("me", "https://h", ("s", "n", "v"), "roles").unwrap().contains("roles"));
    }

    #[test]
    fn the_secret_is_shown_as_the_provider_takes_it() {
        for (methods, in_the_form) in [
            (serde_json::json!({}), false),
            (serde_json::json!({ "token_endpoint_auth_methods_supported": null }), false),
            (serde_json::json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }), true),
            (
                serde_json::json!({
                    "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]
                }),
                false,
            ),
            (serde_json::json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }), false),
        ] {
            assert_eq!(provider(methods.clone()).takes_the_secret_in_the_form(), in_the_form, "{methods}");
        }
    }
}
