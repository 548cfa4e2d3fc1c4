//! The one-time token in a form that makes a key, so that posting it again makes no second one.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretBox};

use super::ids::SessionId;
use super::instant::Instant;
use super::mac;

/// How long a form may stay open before it is sent.
pub const GOOD_FOR: Duration = Duration::from_hours(24);

/// Which form a submission belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Add API Key.
    Create,
    /// Rotate.
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

/// What makes a submission this one: stored once it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmissionId([u8; 16]);

impl SubmissionId {
    /// The 16 bytes, for storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The secret under which submissions are made: they need no storage until they are used.
pub struct SubmissionKey(SecretBox<[u8; 32]>);

impl fmt::Debug for SubmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubmissionKey(…)")
    }
}

impl SubmissionKey {
    /// A key of 32 secret bytes.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(secret)))
    }

    /// The value of a form's hidden field `submission`.
    #[must_use]
    pub fn issue(&self, form: KeyForm, session: SessionId, now: Instant, nonce: [u8; 16]) -> String {
        let issued = now.as_micros().to_be_bytes();
        let tag = mac::over(self.0.expose_secret(), &[&signed(form, session, issued, &nonce)]);
        BASE64_URL_SAFE_NO_PAD.encode([&issued[..], &nonce, &tag].concat())
    }

    /// The submission that `value` is; `None` where it is missing, another session's or form's, or older than 24 h.
    #[must_use]
    pub fn check(&self, value: &str, form: KeyForm, session: SessionId, now: Instant) -> Option<SubmissionId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        let (issued, rest) = bytes.split_first_chunk::<8>()?;
        let (nonce, tag) = rest.split_first_chunk::<16>()?;
        let is_ours = mac::verify(self.0.expose_secret(), &[&signed(form, session, *issued, nonce)], tag);
        let issued_at = Instant::from_micros(i64::from_be_bytes(*issued));
        (is_ours && now.since(issued_at) < GOOD_FOR).then_some(SubmissionId(*nonce))
    }
}

/// What the tag of a submission speaks for.
fn signed(form: KeyForm, session: SessionId, issued: [u8; 8], nonce: &[u8; 16]) -> Vec<u8> {
    [&issued[..], nonce, form.as_str().as_bytes(), session.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);

    fn session(seed: u8) -> SessionId {
        SessionId::new(NOW, &[seed; 10])
    }

    #[test]
    fn a_submission_is_good_for_24_hours_in_its_own_session() {
        let key = SubmissionKey::new([5; 32]);
        let value = key.issue(KeyForm::Create, session(1), NOW, [1; 16]);
        let check = |session, now| key.check(&value, KeyForm::Create, session, now);
        assert_eq!(check(session(1), NOW), Some(SubmissionId([1; 16])));
        assert!(check(session(1), NOW + GOOD_FOR - Duration::from_micros(1)).is_some());
        assert!(check(session(1), NOW + GOOD_FOR).is_none());
        assert!(check(session(2), NOW).is_none());
    }

    #[test]
    fn a_value_that_was_not_issued_here_is_no_submission() {
        let value = SubmissionKey::new([5; 32]).issue(KeyForm::Create, session(1), NOW, [1; 16]);
        let other = SubmissionKey::new([6; 32]);
        for bad in ["", "AAAA", "not base64!", &value] {
            assert!(other.check(bad, KeyForm::Create, session(1), NOW).is_none(), "{bad}");
        }
    }
}
