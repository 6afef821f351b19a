//! An OpenID provider under test, with keys of its own: it signs everybody in at once, and says what a test has it say.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

pub const CLIENT_ID: &str = "headway & co";
pub const CLIENT_SECRET: &str = "provider:secret/1+2";

/// What the userinfo endpoint is shown.
const ACCESS_TOKEN: &str = "access+token/1";

/// How the next token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    Well,
    /// With a key that is not the provider's.
    ByAnother,
    /// Not at all, with the algorithm `none`.
    Not,
    /// With the public key as if it were a shared secret.
    WithPublicKey,
    /// Well, but under the name of a key that is not there.
    UnderAnotherName,
}

struct Key {
    private: EncodingKey,
    /// Both coordinates, 32 bytes each.
    public: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
        let public = pair.public_key().as_ref()[1..].to_vec();
        Self { private: EncodingKey::from_ec_der(document.as_ref()), public }
    }
}

/// A code that was given out: its nonce, its challenge and its callback.
type Codes = HashMap<String, [String; 3]>;

struct World {
    url: String,
    client_secret: String,
    key: Key,
    other: Key,
    /// What the next tokens say besides, or instead.
    claims: Mutex<Value>,
    signed: Mutex<Signed>,
    /// What its userinfo endpoint answers; it has one when there is something.
    userinfo: Mutex<Option<(StatusCode, Value)>>,
    /// How clients may show their secret; nothing leaves it unsaid.
    methods: Mutex<Option<Vec<&'static str>>>,
    codes: Mutex<Codes>,
}

/// The provider, until the test ends.
pub struct Provider(Arc<World>);

impl Provider {
    pub async fn start() -> Self {
        Self::start_with(CLIENT_SECRET).await
    }

    /// Starts one that shares this secret with Headway.
    pub async fn start_with(client_secret: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let world = Arc::new(World {
            url: format!("http://{}", listener.local_addr().unwrap()),
            client_secret: client_secret.to_owned(),
            key: Key::new(),
            other: Key::new(),
            claims: Mutex::new(json!({})),
            signed: Mutex::new(Signed::Well),
            userinfo: Mutex::default(),
            methods: Mutex::default(),
            codes: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/elsewhere/.well-known/openid-configuration", get(configuration))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .route("/userinfo", get(userinfo))
            .with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self(world)
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// What the next tokens say, and how they are signed.
    pub fn says(&self, claims: Value, signed: Signed) {
        *self.0.claims.lock().unwrap() = claims;
        *self.0.signed.lock().unwrap() = signed;
    }

    /// What its userinfo endpoint answers from now on.
    pub fn tells(&self, status: StatusCode, userinfo: Value) {
        *self.0.userinfo.lock().unwrap() = Some((status, userinfo));
    }

    /// How clients may show their secret from now on.
    pub fn takes(&self, methods: &[&'static str]) {
        *self.0.methods.lock().unwrap() = Some(methods.to_vec());
    }
}

/// Now, in seconds, as a provider's clock has it.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

async fn configuration(State(world): State<Arc<World>>) -> Json<Value> {
    let url = &world.url;
    let mut said = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"), "scopes_supported": ["openid", "groups"],
    });
    if world.userinfo.lock().unwrap().is_some() {
        said["userinfo_endpoint"] = json!(format!("{url}/userinfo"));
    }
    if let Some(methods) = &*world.methods.lock().unwrap() {
        said["token_endpoint_auth_methods_supported"] = json!(methods);
    }
    Json(said)
}

async fn authorize(State(world): State<Arc<World>>, Query(asked): Query<HashMap<String, String>>) -> Redirect {
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT_ID));
    assert_eq!(
        (asked["scope"].as_str(), asked["code_challenge_method"].as_str()),
        ("openid profile email groups", "S256")
    );
    let code = asked["state"].chars().rev().collect::<String>();
    let kept = ["nonce", "code_challenge", "redirect_uri"].map(|name| asked[name].clone());
    world.codes.lock().unwrap().insert(code.clone(), kept);
    Redirect::to(&format!("{}?code={code}&state={}&iss={}", asked["redirect_uri"], asked["state"], world.url))
}

async fn token(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Form(shown): Form<HashMap<String, String>>,
) -> Response {
    if !is_shown_the_secret(&world, &headers, &shown) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let kept = world.codes.lock().unwrap().remove(&shown["code"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(shown["code_verifier"].as_bytes()));
    let Some([nonce, _, _]) = kept.filter(|kept| kept[1] == challenge && kept[2] == shown["redirect_uri"]) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let mut claims = json!({
        "iss": world.url, "sub": "ada-1", "aud": CLIENT_ID, "exp": now() + 300, "iat": now(), "nonce": nonce,
        "preferred_username": "ada",
    });
    let instead = world.claims.lock().unwrap().clone();
    claims.as_object_mut().unwrap().extend(instead.as_object().unwrap().clone());
    let signed = *world.signed.lock().unwrap();
    Json(json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": sign(&world, &claims, signed) }))
        .into_response()
}

/// Whether a client shows the secret in the one way that is taken, and in no other.
fn is_shown_the_secret(world: &World, headers: &HeaderMap, shown: &HashMap<String, String>) -> bool {
    let in_form = world.methods.lock().unwrap().as_ref().is_some_and(|taken| !taken.contains(&"client_secret_basic"));
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(&world.client_secret)));
    let header = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let fields = ["client_id", "client_secret"].map(|name| shown.get(name).map(String::as_str));
    if in_form {
        header.is_none() && fields == [Some(CLIENT_ID), Some(&world.client_secret)]
    } else {
        header == Some(format!("Basic {basic}")) && fields == [None, None]
    }
}

async fn userinfo(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    if headers[AUTHORIZATION] != format!("Bearer {ACCESS_TOKEN}") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match world.userinfo.lock().unwrap().clone() {
        Some((status, said)) => (status, Json(said)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn sign(world: &World, claims: &Value, signed: Signed) -> String {
    let header = |algorithm, name: &str| Header { kid: Some(name.into()), ..Header::new(algorithm) };
    let well = header(Algorithm::ES256, "first");
    match signed {
        Signed::Well => encode(&well, claims, &world.key.private).unwrap(),
        Signed::ByAnother => encode(&well, claims, &world.other.private).unwrap(),
        Signed::UnderAnotherName => encode(&header(Algorithm::ES256, "second"), claims, &world.key.private).unwrap(),
        Signed::WithPublicKey => {
            let secret = EncodingKey::from_secret(&world.key.public);
            encode(&header(Algorithm::HS256, "first"), claims, &secret).unwrap()
        }
        Signed::Not => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", part(&json!({ "alg": "none", "kid": "first" })), part(claims))
        }
    }
}

async fn keys(State(world): State<Arc<World>>) -> Json<Value> {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = world.key.public.split_at(32);
    Json(json!({ "keys": [
        { "kty": "of the future", "kid": "zero" },
        { "kty": "oct", "kid": "first", "k": part(&world.key.public) },
        { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "first", "x": part(x), "y": part(y) },
    ]}))
}
