//! A backup holds no secret in clear.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Setup, is_sqlite};
use crate::cli::{run, text};
use crate::support::authenticator::Authenticator;
use crate::support::{PASSWORD, USERS};

#[test]
fn a_backup_holds_no_key_token_password_or_secret() {
    if !is_sqlite() {
        return;
    }
    let setup = Setup::new();
    let mut secrets: Vec<Vec<u8>> = vec![PASSWORD.into()];
    let (_, key) = setup.admin.create_key("ERP Sync");
    setup.server.whoami(&key);
    setup.server.record_usage();
    secrets.push(key.into());
    let added = run(setup.data_dir(), &setup.server.database_url, &["gateway", "add", "edge"], "");
    secrets.push(text(&added.stdout).trim().into());
    let fields = [("name", "Ada North"), ("email", "ada@brightwater.example"), ("role", "auditor")];
    let invited = setup.admin.post(USERS, &fields);
    let token = invited.body.split("invitation?token=").nth(1).expect(&invited.body);
    secrets.push(token.split(['"', '<', '&']).next().unwrap().into());
    let origin = setup.server.url("").parse().unwrap();
    let cookies = reqwest::cookie::CookieStore::cookies(&*setup.admin.cookies, &origin).unwrap();
    for cookie in cookies.to_str().unwrap().split("; ") {
        let value = cookie.split_once('=').unwrap().1;
        // The whole cookie, and the parts of which the session's token is one.
        secrets.extend(value.split(['.', '%', '"', ':']).filter(|part| part.len() > 16).map(Into::into));
    }
    let (_, recovery_codes) = Authenticator::set_up(&setup.admin, setup.server.clock.now());
    secrets.extend(recovery_codes.into_iter().map(String::into_bytes));
    let file = fs::read(setup.data_dir().join("secrets")).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    for (name, value) in file["sets"][0].as_object().unwrap().iter().filter(|(name, _)| *name != "id") {
        let value = value.as_str().unwrap();
        secrets.push(BASE64_STANDARD.decode(value).unwrap_or_else(|_| panic!("{name} is not Base64")));
        secrets.push(value.into());
    }
    assert!(secrets.len() > 15, "{}", secrets.len());
    let backup = fs::read(setup.back_up("backup")).unwrap();
    for secret in secrets {
        assert!(secret.len() >= 12, "too short to be looked for: {}", String::from_utf8_lossy(&secret));
        let found = backup.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{}", String::from_utf8_lossy(&secret));
    }
}
