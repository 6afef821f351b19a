//! The ID token: whom a provider names. It is believed when a key of the provider signed it, for this Headway, for this very
//! sign-in, and lately (OpenID Connect Core 1.0, section 3.1.3.7). What it leaves out, the userinfo endpoint may add.

use super::OpenIdError;
use crate::domain::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How a token may be signed: with a key that the provider alone has.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How far the provider's clock may be off, in seconds.
const SKEW: f64 = 60.0;

/// How long ago a token may have been made, in seconds: it was asked for just now.
const AGE: f64 = 600.0;

/// How many groups are read, and how long the name of one may be, in characters.
const GROUPS: (usize, usize) = (200, 100);

/// The longest name of a person at a provider, in characters (section 2).
const SUBJECT: usize = 255;

/// What a token has to say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who made it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// The claim that lists groups.
    pub groups_claim: &'a str,
    /// The present moment.
    pub now: Timestamp,
}

/// Whom a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The provider's name for them, which no other person ever has.
    pub id: String,
    /// What they may be called, the best first.
    pub names: Vec<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token says that is believed.
#[derive(Debug, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What the userinfo endpoint says (section 5.3.2).
#[derive(Debug, Deserialize)]
pub struct Userinfo {
    sub: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Reads a token that one of these keys has to have signed.
pub fn read(token: &str, keys: &[Value], expected: &Expected<'_>) -> Result<Claims, OpenIdError> {
    let not = |why: &str| OpenIdError::Disbelieved(why.to_owned());
    let header = decode_header(token).map_err(|_| not("it is not signed in a way that is known"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(not("it is not signed with a key that the provider alone has"));
    }
    let key = key(&header, keys).ok_or_else(|| not("no key of the provider fits it"))?;
    let mut validation = Validation::new(header.alg);
    // All that it says is judged below, by the clock of Headway and in words.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = decode::<Claims>(token, &key, &validation).map_err(|error| {
        let forged = matches!(error.kind(), ErrorKind::InvalidSignature);
        not(if forged { "its signature is wrong" } else { "a part of it is missing or of another form" })
    });
    let claims = decoded?.claims;
    believe(&claims, expected).map_err(not)?;
    Ok(claims)
}

/// The one key that fits what a token says of its own.
fn key(header: &Header, keys: &[Value]) -> Option<DecodingKey> {
    let fits = |jwk: &Jwk| {
        let kind = matches!(
            (header.alg.family(), &jwk.algorithm),
            (AlgorithmFamily::Rsa, AlgorithmParameters::RSA(_))
                | (AlgorithmFamily::Ec, AlgorithmParameters::EllipticCurve(_))
                | (AlgorithmFamily::Ed, AlgorithmParameters::OctetKeyPair(_))
        );
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        let algorithm = jwk.common.key_algorithm.is_none_or(|of| of == header.alg.into());
        kind && signs && algorithm && (header.kid.is_none() || header.kid == jwk.common.key_id)
    };
    // A provider may have keys of kinds that are not known here.
    let known = keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let fitting: Vec<Jwk> = known.filter(fits).collect();
    match fitting.as_slice() {
        [key] => DecodingKey::from_jwk(key).ok(),
        _ => None,
    }
}

fn believe(claims: &Claims, expected: &Expected<'_>) -> Result<(), &'static str> {
    let now = expected.now.0 as f64 / 1000.0;
    let audiences = match &claims.aud {
        Audience::One(audience) => std::slice::from_ref(audience),
        Audience::Many(audiences) => audiences,
    };
    let (for_us, for_others) = (audiences.iter().any(|one| one == expected.client_id), audiences.len() > 1);
    if claims.iss != expected.issuer {
        return Err("another provider made it");
    }
    if !for_us || claims.azp.as_deref().map_or(for_others, |party| party != expected.client_id) {
        return Err("it was made for somebody else");
    }
    if claims.exp + SKEW <= now {
        return Err("it has ended");
    }
    if claims.iat > now + SKEW || claims.iat + AGE < now {
        return Err("it was not made just now");
    }
    if claims.nonce != expected.nonce {
        return Err("it belongs to another sign-in");
    }
    if claims.sub.is_empty() || claims.sub.chars().count() > SUBJECT {
        return Err("it names nobody");
    }
    Ok(())
}

impl Claims {
    /// Whether it says nothing under this name. No groups at all are said by an empty list.
    pub fn lacks(&self, name: &str) -> bool {
        self.others.get(name).is_none_or(Value::is_null)
    }

    /// What it says, and besides what the userinfo endpoint says of the same person and of no other (section 5.3.4).
    pub fn with(self, userinfo: Userinfo) -> Result<Self, OpenIdError> {
        if userinfo.sub != self.sub {
            return Err(OpenIdError::Disbelieved("its userinfo endpoint tells of somebody else".into()));
        }
        let mut others = userinfo.others;
        others.extend(self.others.into_iter().filter(|(_, value)| !value.is_null()));
        Ok(Self { others, ..self })
    }

    /// Whom it names.
    pub fn subject(self, groups_claim: &str) -> Subject {
        let text = |name: &str| self.others.get(name).and_then(Value::as_str).map(str::to_owned);
        let names = ["preferred_username", "email", "name"].into_iter().filter_map(text).collect();
        let told = match self.others.get(groups_claim) {
            Some(Value::String(group)) => vec![group.as_str()],
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        };
        let (most, longest) = GROUPS;
        let fits = |group: &&str| !group.is_empty() && group.chars().count() <= longest;
        let mut groups: Vec<String> = told.into_iter().filter(fits).take(most).map(str::to_owned).collect();
        groups.sort();
        groups.dedup();
        Subject { id: self.sub, names, groups }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
