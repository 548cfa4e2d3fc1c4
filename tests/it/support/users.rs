//! Helpers for users: invite, delete, change roles and set up a second factor.

use keydesk::domain::user::profile::Role;
use totp_rs::{Algorithm, Builder, Secret};

use super::companies::add_user;
use super::{Browser, PASSWORD, TestServer, USERS, database};

impl TestServer {
    /// Adds a user with a password to Brightwater. Returns the user's id.
    pub fn add_person(&self, name: &str, email: &str, role: Role) -> String {
        add_user(&self.actions, self.company("Brightwater"), name, email, role);
        self.user_id(email)
    }

    pub fn user_id(&self, email: &str) -> String {
        let found = database::column(&self.database_url, "id", &format!("FROM users WHERE email = '{email}'"));
        found.into_iter().next().flatten().unwrap()
    }

    pub fn admins_who_can_sign_in(&self) -> u64 {
        let condition = "role = 'admin' AND password_hash IS NOT NULL AND deleted_at IS NULL";
        database::count(&self.database_url, "users", condition)
    }

    pub fn event_count(&self, action: &str) -> u64 {
        database::count(&self.database_url, "events", &format!("action = '{action}'"))
    }

    /// The path of a link to this server.
    pub fn path_of(&self, link: &str) -> String {
        link.strip_prefix(&self.url("")).unwrap().to_owned()
    }

    /// The current code for an authenticator secret.
    pub fn code(&self, secret: &str) -> String {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(0)
            .with_step_duration(30)
            .with_secret(Secret::try_from_base32(secret).unwrap())
            .build_noncompliant();
        totp.generate(u64::try_from(self.clock.now().as_micros()).unwrap() / 1_000_000).to_string()
    }

    /// A browser in which a user has entered a password, but no code yet.
    pub fn awaiting_code(&self, email: &str) -> Browser {
        let browser = self.anonymous();
        browser.post("/sign-in", &[("email", email), ("password", PASSWORD)]).expect_redirect("/sign-in/code");
        browser
    }

    /// Sets up a second factor for the signed-in user. Returns the secret.
    pub fn set_up_second_factor(&self, browser: &Browser) -> String {
        let form = browser.get("/account/second-factor").expect(200).html();
        let secret = form.text("#second-factor-secret").replace(' ', "");
        let fields = [("code", self.code(&secret)), ("current_password", PASSWORD.to_owned())];
        browser
            .post("/account/second-factor", &fields.each_ref().map(|(name, value)| (*name, value.as_str())))
            .expect(201);
        secret
    }
}

impl Browser {
    /// Adds a user. Returns the invitation link.
    pub fn invite(&self, name: &str, email: &str, role: &str) -> String {
        let answer = self.post(USERS, &[("name", name), ("email", email), ("role", role)]).expect(201);
        answer.html().text("#invitation-link")
    }

    /// Creates a new invitation link for a user.
    pub fn renew_invitation(&self, id: &str) -> String {
        self.post(&format!("{USERS}/{id}/invitation"), &[]).expect(201).html().text("#invitation-link")
    }

    pub fn change_role(&self, id: &str, role: &str) -> super::Answer {
        self.save(&format!("{USERS}/{id}/role"), &[("role", role)])
    }

    pub fn delete_user(&self, id: &str, fields: &[(&str, &str)]) -> super::Answer {
        self.post(&format!("{USERS}/{id}/delete"), fields)
    }

    /// Accepts an invitation by choosing a password.
    pub fn accept(&self, path: &str) -> super::Answer {
        self.post(path, &[("password", PASSWORD)])
    }
}
