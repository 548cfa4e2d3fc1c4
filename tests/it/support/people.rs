//! People: how they are invited, how they set a second factor up, what the database holds of them.

use keydesk::domain::user::Role;
use totp_rs::{Algorithm, Builder, Secret};

use super::server::add_user;
use super::{Browser, PASSWORD, TestServer, U, database};

impl TestServer {
    /// Adds a user of Brightwater who has a password: their id.
    pub fn add_person(&self, name: &str, email: &str, role: Role) -> String {
        add_user(&self.actions, self.company("Brightwater"), name, email, role);
        self.user_id(email)
    }

    /// The id of whoever has that address.
    pub fn user_id(&self, email: &str) -> String {
        let found = database::column(&self.database_url, "id", &format!("FROM users WHERE email = '{email}'"));
        found.into_iter().next().flatten().unwrap()
    }

    /// How many admins could sign in now.
    pub fn admins_who_can_sign_in(&self) -> u64 {
        let condition = "role = 'admin' AND password_hash IS NOT NULL AND deleted_at IS NULL";
        database::count(&self.database_url, "users", condition)
    }

    /// How many events of an action there are.
    pub fn events(&self, action: &str) -> u64 {
        database::count(&self.database_url, "events", &format!("action = '{action}'"))
    }

    /// A link as the path that it leads to on this server.
    pub fn path_of(&self, link: &str) -> String {
        link.strip_prefix(&self.url("")).unwrap().to_owned()
    }

    /// The code that an authenticator app with that secret shows now.
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

    /// Somebody who gave their password and has yet to give a code.
    pub fn signed_in_as_far_as_the_code(&self, email: &str) -> Browser {
        let browser = self.anonymous();
        browser.post("/sign-in", &[("email", email), ("password", PASSWORD)]).expect_redirect("/sign-in/code");
        browser
    }

    /// Sets a second factor up for whoever is signed in: the secret in their app.
    pub fn set_up_second_factor(&self, browser: &Browser) -> String {
        let form = browser.get("/account/second-factor").expect(200).html();
        let secret = form.text("#second-factor-secret").replace(' ', "");
        browser.post("/account/second-factor", &[("code", &self.code(&secret))]).expect(201);
        secret
    }
}

impl Browser {
    /// Adds a user: the link that is shown once.
    pub fn invite(&self, name: &str, email: &str, role: &str) -> String {
        let answer = self.post(U, &[("name", name), ("email", email), ("role", role)]).expect(201);
        answer.html().text("#invitation-link")
    }

    /// Makes a new link for a user: the link that is shown once.
    pub fn renew_invitation(&self, id: &str) -> String {
        self.post(&format!("{U}/{id}/invitation"), &[]).expect(201).html().text("#invitation-link")
    }

    pub fn change_role(&self, id: &str, role: &str) -> super::Answer {
        self.post(&format!("{U}/{id}/role"), &[("role", role)])
    }

    pub fn delete_user(&self, id: &str, fields: &[(&str, &str)]) -> super::Answer {
        self.post(&format!("{U}/{id}/delete"), fields)
    }

    /// Chooses a password by a link.
    pub fn accept(&self, path: &str) -> super::Answer {
        self.post(path, &[("password", PASSWORD)])
    }
}
