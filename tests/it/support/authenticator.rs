//! What an authenticator app does: keeps a secret and shows the code of now (RFC 6238), by a library of its own kin.

use keydesk::domain::instant::Instant;
use totp_rs::{Builder, Secret, Totp};

use super::{Browser, Html};

/// An authenticator app with one secret.
pub struct Authenticator(Totp);

/// Where a second factor is set up and removed.
pub const SECOND_FACTOR: &str = "/account/second-factor";

impl Authenticator {
    /// Types the secret in that a page shows.
    pub fn typed_from(page: &Html) -> Self {
        let secret: String = page.text("#second-factor-secret").split_whitespace().collect();
        let secret = Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).with_skew(0).build_noncompliant())
    }

    /// Sets the second factor of whoever is signed in up: the app, and the recovery codes.
    pub fn set_up(browser: &Browser, now: Instant) -> (Self, Vec<String>) {
        let app = Self::typed_from(&browser.get(SECOND_FACTOR).expect(200).html());
        let answer = browser.post(SECOND_FACTOR, &[("code", &app.code(now))]).expect(201);
        (app, answer.html().texts("#recovery-codes li"))
    }

    /// The code that the app shows at that instant.
    pub fn code(&self, now: Instant) -> String {
        self.0.generate(u64::try_from(now.as_micros() / 1_000_000).unwrap()).to_string()
    }
}
