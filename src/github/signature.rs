//! The signature of a delivery: HMAC-SHA256 over the raw bytes, compared in constant time, before anything is parsed.
//! The older SHA-1 signature is not looked at.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether the header's signature was made of these bytes with one of the secrets. An empty secret signs nothing.
pub fn is_signed(body: &[u8], header: Option<&str>, secrets: &[String]) -> bool {
    let Some(signature) = header.and_then(|header| header.strip_prefix("sha256=")) else { return false };
    let Ok(signature) = hex::decode(signature) else { return false };
    // Every secret is tried, so that the time does not tell which one it was.
    secrets.iter().fold(false, |signed, secret| signed | matches(body, &signature, secret))
}

fn matches(body: &[u8], signature: &[u8], secret: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            mac.verify_slice(signature).is_ok()
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own example (Validating webhook deliveries).
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn only_a_signature_of_these_bytes_with_a_known_secret_counts() {
        let secrets = ["old".to_owned(), SECRET.to_owned()];
        assert!(is_signed(b"Hello, World!", Some(SIGNATURE), &secrets));
        assert!(is_signed(b"Hello, World!", Some(&SIGNATURE.replace("757107ea", "757107EA")), &secrets));
        for (body, header) in [
            (&b"Hello, World?"[..], Some(SIGNATURE)),
            (b"Hello, World!", None),
            (b"Hello, World!", Some("sha256=")),
            (b"Hello, World!", Some("sha256=zz")),
            (b"Hello, World!", Some(&SIGNATURE["sha256=".len()..])),
            (b"Hello, World!", Some(&SIGNATURE[..SIGNATURE.len() - 2])),
            (b"Hello, World!", Some("sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")),
        ] {
            assert!(!is_signed(body, header, &secrets), "{header:?}");
        }
        assert!(!is_signed(b"Hello, World!", Some(SIGNATURE), &[]));
        let empty = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        assert!(!is_signed(b"", Some(empty), &[String::new()]));
    }
}
