//! Signatures of webhooks, as the Standard Webhooks specification writes them: HMAC-SHA-256 under a shared secret.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretSlice};

use super::mac;

const PREFIX: &str = "whsec_";
const SHORTEST: usize = 24;
/// Senders write secrets with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secret that sender and receiver share.
pub struct WebhookSecret(SecretSlice<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Why a text is no secret. Displays as what is wrong with it, and never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    /// It is of another form.
    #[error("does not hold whsec_ and then Base64")]
    Malformed,
    /// It can be guessed.
    #[error("holds a secret of fewer than 24 bytes")]
    Short,
}

impl WebhookSecret {
    /// Reads `whsec_` and Base64; white space around it does not matter.
    ///
    /// # Errors
    /// [`WebhookSecretError`].
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(WebhookSecretError::Malformed)?;
        let bytes = BASE64.decode(encoded).map_err(|_| WebhookSecretError::Malformed)?;
        let secret = SecretSlice::from(bytes);
        if secret.expose_secret().len() < SHORTEST { Err(WebhookSecretError::Short) } else { Ok(Self(secret)) }
    }

    /// The signature of a message: its id, the seconds since 1970 at which it is sent, and its body.
    #[must_use]
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.");
        let code = mac::under_any_key(self.0.expose_secret(), &[signed.as_bytes(), body.as_bytes()]);
        format!("v1,{}", BASE64_STANDARD.encode(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_signature_is_that_of_the_specification_s_example() {
        let secret = WebhookSecret::parse(&format!("whsec_{KNOWN}\n")).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{secret:?}").contains("MfKQ"));
    }

    #[test]
    fn a_secret_that_is_short_or_of_another_form_is_refused_without_being_repeated() {
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
