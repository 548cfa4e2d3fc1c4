//! Signs webhooks with HMAC-SHA-256, as the Standard Webhooks specification describes.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretSlice};

use crate::domain::mac;

const PREFIX: &str = "whsec_";
const MIN_SECRET_BYTES: usize = 24;
/// Secrets are written with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secret that the sender and the receiver share.
pub struct WebhookSecret(SecretSlice<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Why a text is not a secret. The message never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    #[error("does not hold whsec_ and then Base64")]
    Malformed,
    #[error("holds a secret of fewer than 24 bytes")]
    Short,
}

impl WebhookSecret {
    /// Parses `whsec_` followed by Base64, trimmed.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(WebhookSecretError::Malformed)?;
        let bytes = BASE64.decode(encoded).map_err(|_| WebhookSecretError::Malformed)?;
        let secret = SecretSlice::from(bytes);
        if secret.expose_secret().len() < MIN_SECRET_BYTES { Err(WebhookSecretError::Short) } else { Ok(Self(secret)) }
    }

    /// Returns the signature of a message with this id, sending time in seconds since 1970, and body.
    #[must_use]
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let header = format!("{id}.{seconds}.");
        let tag = mac::hmac_sha256(self.0.expose_secret(), &[header.as_bytes(), body.as_bytes()]);
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_example_of_the_specification_is_signed() {
        let secret = WebhookSecret::parse(&format!("whsec_{KNOWN}\n")).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{secret:?}").contains("MfKQ"));
    }

    #[test]
    fn an_invalid_secret_is_refused_and_not_repeated() {
        for (text, error) in [
            ("", WebhookSecretError::Malformed),
            ("hunter2", WebhookSecretError::Malformed),
            (KNOWN, WebhookSecretError::Malformed),
            ("whsec_hunter2!", WebhookSecretError::Malformed),
            ("whsec_", WebhookSecretError::Short),
            // 23 bytes.
            ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", WebhookSecretError::Short),
        ] {
            let refused = WebhookSecret::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("hunter2"));
        }
        for good in [
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        ] {
            assert!(WebhookSecret::parse(good).is_ok(), "{good}");
        }
    }
}
