//! Tokens as providers sign them, and as nobody should believe them.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

/// Now, in seconds.
const NOW: i64 = 1_700_000_000;

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://login.example.com",
        client_id: "headway",
        nonce: "once",
        groups_claim: "groups",
        now: Timestamp(NOW * 1000),
    }
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token with this header; `sign` makes the signature of its first two parts.
fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", part(signature))
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example.com", "sub": "ada-1", "aud": "headway", "exp": NOW + 300, "iat": NOW, "nonce": "once",
        "email": "ada@example.com", "groups": ["ops"],
    })
}

/// An RSA key, and what its provider shows of it.
struct Rsa(RsaKeyPair);

impl Rsa {
    fn new() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn modulus(&self) -> String {
        part(self.0.public_key().modulus().big_endian_without_leading_zero())
    }

    fn shown(&self, more: &Value) -> Value {
        let exponent = part(self.0.public_key().exponent().big_endian_without_leading_zero());
        let mut shown = json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "n": self.modulus(), "e": exponent });
        shown.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shown
    }

    fn sign(&self, encoding: &'static dyn RsaEncoding, signed: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(encoding, &SystemRandom::new(), signed, &mut signature).unwrap();
        signature
    }

    /// A token that says so and is signed so.
    fn token(&self, algorithm: &str, encoding: &'static dyn RsaEncoding, claims: &Value) -> String {
        token(&json!({ "alg": algorithm, "kid": "rsa" }), claims, |signed| self.sign(encoding, signed))
    }
}

/// A key on the curve P-256, and what its provider shows of it.
struct Ec(EcdsaKeyPair);

impl Ec {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn shown(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": part(x), "y": part(y) })
    }

    fn token(&self, claims: &Value) -> String {
        let sign = |signed: &[u8]| self.0.sign(&SystemRandom::new(), signed).unwrap().as_ref().to_vec();
        token(&json!({ "alg": "ES256", "kid": "ec" }), claims, sign)
    }
}

/// Why a token is not believed.
fn disbelieved(token: &str, keys: &[Value]) -> String {
    match read(token, keys, &expected()) {
        Err(OpenIdError::Disbelieved(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_that_a_key_of_the_provider_signed_is_believed() {
    let (rsa, ec) = (Rsa::new(), Ec::new());
    let keys = [rsa.shown(&json!({})), ec.shown(), json!({ "kty": "of the future" })];
    for token in [
        rsa.token("RS256", &RSA_PKCS1_SHA256, &claims()),
        rsa.token("RS512", &RSA_PKCS1_SHA512, &claims()),
        rsa.token("PS256", &RSA_PSS_SHA256, &claims()),
        ec.token(&claims()),
    ] {
        let subject = read(&token, &keys, &expected()).unwrap().subject("groups");
        let names = vec!["ada@example.com".to_owned()];
        assert_eq!(subject, Subject { id: "ada-1".into(), names, groups: vec!["ops".into()] }, "{token}");
    }
}

#[test]
fn a_token_that_anybody_could_have_made_is_not() {
    let (rsa, ec, other) = (Rsa::new(), Ec::new(), Rsa::new());
    let keys = [rsa.shown(&json!({})), ec.shown()];
    let unknown = "it is not signed in a way that is known";
    let shared = "it is not signed with a key that the provider alone has";
    for algorithm in ["none", "None", "NONE", ""] {
        let header = json!({ "alg": algorithm, "kid": "rsa" });
        assert_eq!(disbelieved(&token(&header, &claims(), |_| Vec::new()), &keys), unknown, "{algorithm}");
    }
    // Signed with what everybody may read, as if it were a secret that two share.
    for algorithm in ["HS256", "HS384", "HS512"] {
        let forged = token(&json!({ "alg": algorithm, "kid": "rsa" }), &claims(), |signed| {
            let mut mac = Hmac::<Sha256>::new_from_slice(rsa.modulus().as_bytes()).unwrap();
            mac.update(signed);
            mac.finalize().into_bytes().to_vec()
        });
        assert_eq!(disbelieved(&forged, &keys), shared, "{algorithm}");
    }
    let good = rsa.token("RS256", &RSA_PKCS1_SHA256, &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut more = claims();
    more["groups"] = json!(["administrators"]);
    let header = signed.split('.').next().unwrap();
    let wrong = "its signature is wrong";
    assert_eq!(disbelieved(&other.token("RS256", &RSA_PKCS1_SHA256, &claims()), &keys), wrong);
    assert_eq!(disbelieved(&format!("{header}.{}.{signature}", part(more.to_string())), &keys), wrong);
    assert_eq!(disbelieved(&format!("{signed}."), &keys), wrong);
    // One algorithm is said and another was used.
    assert_eq!(disbelieved(&rsa.token("RS256", &RSA_PKCS1_SHA512, &claims()), &keys), wrong);
    assert_eq!(disbelieved(&rsa.token("PS256", &RSA_PKCS1_SHA256, &claims()), &keys), wrong);
}

#[test]
fn a_key_fits_by_its_name_kind_use_and_algorithm() {
    let rsa = Rsa::new();
    let token = rsa.token("RS256", &RSA_PKCS1_SHA256, &claims());
    for more in [json!({}), json!({ "alg": "RS256" }), json!({ "use": null, "alg": null })] {
        assert!(read(&token, &[rsa.shown(&more)], &expected()).is_ok(), "{more}");
    }
    for more in [json!({ "kid": "another" }), json!({ "use": "enc" }), json!({ "alg": "RS512" })] {
        assert_eq!(disbelieved(&token, &[rsa.shown(&more)]), "no key of the provider fits it", "{more}");
    }
    let mut ec = Ec::new().shown();
    ec["kid"] = json!("rsa");
    assert_eq!(disbelieved(&token, &[ec]), "no key of the provider fits it");
    // Two of the same name: which one is meant cannot be told.
    let twice = [rsa.shown(&json!({})), Rsa::new().shown(&json!({}))];
    assert_eq!(disbelieved(&token, &twice), "no key of the provider fits it");
}

#[test]
fn the_userinfo_endpoint_adds_what_the_token_leaves_out_of_the_same_person() {
    let rsa = Rsa::new();
    let keys = [rsa.shown(&json!({}))];
    let read = |groups: Value| {
        let mut claims = claims();
        claims["groups"] = groups;
        read(&rsa.token("RS256", &RSA_PKCS1_SHA256, &claims), &keys, &expected()).unwrap()
    };
    assert!(read(Value::Null).lacks("groups"));
    assert!(!read(json!([])).lacks("groups") && !read(json!("ops")).lacks("groups"));
    let userinfo = |sub: &str| {
        let said = json!({ "sub": sub, "groups": ["ops"], "email": "other@example.com", "preferred_username": "ada" });
        serde_json::from_value::<Userinfo>(said).unwrap()
    };
    let subject = read(Value::Null).with(userinfo("ada-1")).unwrap().subject("groups");
    // What is signed counts for more.
    assert_eq!((subject.names, subject.groups), (vec!["ada".into(), "ada@example.com".into()], vec!["ops".into()]));
    let other = read(Value::Null).with(userinfo("ada-2")).unwrap_err();
    assert_eq!(other, OpenIdError::Disbelieved("its userinfo endpoint tells of somebody else".into()));
    assert!(serde_json::from_value::<Userinfo>(json!({ "groups": ["ops"] })).is_err(), "it has to say of whom");
}
