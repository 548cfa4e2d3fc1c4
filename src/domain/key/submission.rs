//! One-time tokens of the forms that create a key: submitting a form twice creates one key.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretBox};

use crate::domain::ids::SessionId;
use crate::domain::mac;
use crate::domain::timestamp::Timestamp;

/// How long a form may stay open before it is submitted.
pub const LIFETIME: Duration = Duration::from_hours(24);

/// The form that a submission belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    Create,
    Rotate,
}

impl KeyForm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rotate => "rotate",
        }
    }
}

/// The unique part of a submission. It is stored when the submission is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmissionId([u8; 16]);

impl SubmissionId {
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The secret that authenticates submissions, so that unused ones need no storage.
pub struct SubmissionKey(SecretBox<[u8; 32]>);

impl fmt::Debug for SubmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubmissionKey(…)")
    }
}

impl SubmissionKey {
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(secret)))
    }

    /// Returns the keyed value of a text.
    #[must_use]
    pub fn keyed_value(&self, text: &[u8]) -> [u8; 32] {
        mac::hmac_sha256(self.0.expose_secret(), &[text])
    }

    /// Issues the value of a form's hidden field `submission`.
    #[must_use]
    pub fn issue(&self, form: KeyForm, session: SessionId, now: Timestamp, nonce: [u8; 16]) -> String {
        let issued = now.as_micros().to_be_bytes();
        let tag = mac::hmac_sha256(self.0.expose_secret(), &[&signed_bytes(form, session, issued, &nonce)]);
        BASE64_URL_SAFE_NO_PAD.encode([&issued[..], &nonce, &tag].concat())
    }

    /// Returns the submission, or `None` if the value was not issued for this form and session, or is older than 24
    /// hours.
    #[must_use]
    pub fn check(&self, value: &str, form: KeyForm, session: SessionId, now: Timestamp) -> Option<SubmissionId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        let (issued, rest) = bytes.split_first_chunk::<8>()?;
        let (nonce, tag) = rest.split_first_chunk::<16>()?;
        let is_authentic = mac::verify(self.0.expose_secret(), &[&signed_bytes(form, session, *issued, nonce)], tag);
        let issued_at = Timestamp::from_micros(i64::from_be_bytes(*issued));
        (is_authentic && now.since(issued_at) < LIFETIME).then_some(SubmissionId(*nonce))
    }
}

fn signed_bytes(form: KeyForm, session: SessionId, issued: [u8; 8], nonce: &[u8; 16]) -> Vec<u8> {
    [&issued[..], nonce, form.as_str().as_bytes(), session.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn session(seed: u8) -> SessionId {
        SessionId::new(NOW, &[seed; 10])
    }

    #[test]
    fn a_submission_is_valid_for_24_hours_in_its_session() {
        let key = SubmissionKey::new([5; 32]);
        let value = key.issue(KeyForm::Create, session(1), NOW, [1; 16]);
        let check = |session, now| key.check(&value, KeyForm::Create, session, now);
        assert_eq!(check(session(1), NOW), Some(SubmissionId([1; 16])));
        assert!(check(session(1), NOW + LIFETIME - Duration::from_micros(1)).is_some());
        assert!(check(session(1), NOW + LIFETIME).is_none());
        assert!(check(session(2), NOW).is_none());
    }

    #[test]
    fn a_value_issued_under_another_key_is_refused() {
        let value = SubmissionKey::new([5; 32]).issue(KeyForm::Create, session(1), NOW, [1; 16]);
        let other = SubmissionKey::new([6; 32]);
        for bad in ["", "AAAA", "not base64!", &value] {
            assert!(other.check(bad, KeyForm::Create, session(1), NOW).is_none(), "{bad}");
        }
    }
}
