//! A set of secrets: one of each kind, added together.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretBox};

use crate::domain::ids::InstallationId;
use crate::domain::key::digest::Pepper;
use crate::domain::key::submission::SubmissionKey;
use crate::domain::mac;
use crate::domain::trail::checkpoint::CheckpointSigner;
use crate::domain::user::second_factor::SecondFactorKey;

/// The secrets of one set. The set has the id of its pepper.
pub struct SecretSet {
    /// Digests keys.
    pub pepper: Pepper,
    /// Signs checkpoints.
    pub signer: Arc<CheckpointSigner>,
    /// Authenticates the one-time tokens of forms.
    pub submissions: SubmissionKey,
    /// Signs session cookies.
    pub(super) cookie_key: SecretBox<[u8; 64]>,
    /// Digests the email addresses of failed sign-ins.
    pub throttle_key: SecretBox<[u8; 32]>,
    /// Derives authenticator secrets, and digests recovery codes.
    pub second_factor: SecondFactorKey,
}

impl fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSet").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// A secret of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretName {
    Pepper,
    CheckpointSeed,
    SubmissionKey,
    CookieKey,
    ThrottleKey,
    SecondFactor,
}

impl SecretName {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pepper => "pepper",
            Self::CheckpointSeed => "checkpoint_seed",
            Self::SubmissionKey => "submission_key",
            Self::CookieKey => "cookie_key",
            Self::ThrottleKey => "throttle_key",
            Self::SecondFactor => "second_factor",
        }
    }
}

/// What a database stores to recognize a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCheck {
    pub name: SecretName,
    /// The set of the secret.
    pub id: String,
    pub value: [u8; 32],
}

impl SecretSet {
    #[must_use]
    pub fn id(&self) -> &str {
        self.pepper.id()
    }

    /// The key that session cookies are signed with.
    #[must_use]
    pub fn cookie_key(&self) -> &[u8; 64] {
        self.cookie_key.expose_secret()
    }

    /// Returns the check of each secret: what a database stores to recognize it. It reveals nothing of the secret, and the
    /// checks of one secret in two installations have nothing in common.
    #[must_use]
    pub fn checks(&self, installation: InstallationId) -> [SecretCheck; 6] {
        let (cookie, throttle) = (self.cookie_key.expose_secret(), self.throttle_key.expose_secret());
        let check = |name: SecretName, keyed: &dyn Fn(&[u8]) -> [u8; 32]| {
            let label = format!("keydesk secret check v1\0{installation}\0{}", name.as_str());
            SecretCheck { name, id: self.id().to_owned(), value: keyed(label.as_bytes()) }
        };
        [
            check(SecretName::Pepper, &|text| self.pepper.keyed_value(text)),
            check(SecretName::CheckpointSeed, &|text| self.signer.keyed_value(text)),
            check(SecretName::SubmissionKey, &|text| self.submissions.keyed_value(text)),
            check(SecretName::CookieKey, &|text| mac::hmac_sha256(cookie, &[text])),
            check(SecretName::ThrottleKey, &|text| mac::hmac_sha256(throttle, &[text])),
            check(SecretName::SecondFactor, &|text| self.second_factor.keyed_value(text)),
        ]
    }
}
