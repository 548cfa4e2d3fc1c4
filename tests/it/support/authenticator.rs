//! An authenticator app: keeps a secret and shows the current code (RFC 6238).

use keydesk::domain::timestamp::Timestamp;
use totp_rs::{Builder, Secret, Totp};

use super::{Answer, Browser, Html, PASSWORD};

pub struct Authenticator(Totp);

pub const SECOND_FACTOR: &str = "/account/second-factor";

impl Authenticator {
    /// Reads the secret from the set-up page.
    pub fn from_page(page: &Html) -> Self {
        let secret: String = page.text("#second-factor-secret").split_whitespace().collect();
        let secret = Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).with_skew(0).build_noncompliant())
    }

    /// Sets up the second factor of the signed-in user. Returns the app and the recovery codes.
    pub fn set_up(browser: &Browser, now: Timestamp) -> (Self, Vec<String>) {
        let app = Self::from_page(&browser.get(SECOND_FACTOR).expect(200).html());
        let answer = app.confirm(browser, now, PASSWORD).expect(201);
        (app, answer.html().texts("#recovery-codes li"))
    }

    /// Sends the form that sets up the second factor.
    pub fn confirm(&self, browser: &Browser, now: Timestamp, password: &str) -> Answer {
        browser.post(SECOND_FACTOR, &[("code", &self.code(now)), ("current_password", password)])
    }

    pub fn code(&self, now: Timestamp) -> String {
        self.0.generate(u64::try_from(now.as_micros() / 1_000_000).unwrap()).to_string()
    }
}
