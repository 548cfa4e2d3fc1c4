//! Commands that change the database while a server runs.

use super::{run, text};
use crate::support::{PASSWORD, TestServer, database};

#[test]
fn companies_and_users_are_added_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let run = |words: &[&str], input: &str| run(folder.path(), &url, words, input);
    let added = run(&["company", "add", "--name", "Brightwater"], "");
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let again = run(&["company", "add", "--name", " brightwater "], "");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("already exists"));
    let id = text(&added.stdout).trim().strip_prefix("Company: ").unwrap().to_owned();
    let user = |company: &str, email: &str, input: &str| {
        let words = [
            "user",
            "add",
            "--company",
            company,
            "--name",
            "Maria",
            "--email",
            email,
            "--role",
            "admin",
            "--password-stdin",
        ];
        run(&words, input)
    };
    assert_eq!(user("Brightwater", "maria@example.com", &format!("{PASSWORD}\n")).status.code(), Some(0));
    assert_eq!(user(&id, "tomasz@example.com", PASSWORD).status.code(), Some(0));
    let like_an_id = "01a20812-5ceb-7b12-8de9-f0c654921895";
    assert!(run(&["company", "add", "--name", like_an_id], "").status.success());
    assert!(run(&["key", "list", "--company", like_an_id], "").status.success());
    let taken = user("Brightwater", "MARIA@example.com", PASSWORD);
    assert!(text(&taken.stderr).contains("This email address cannot be used."));
    assert!(text(&user("Brightwater", "a@example.com", "short").stderr).contains("Use at least 15 characters."));
    assert!(text(&user("Nowhere", "a@example.com", PASSWORD).stderr).contains("There is no company"));
    let words =
        ["user", "add", "--company", "Brightwater", "--name", "M", "--email", "m@example.com", "--role", "admin"];
    let invited = run(&words, "");
    assert!(text(&invited.stdout).starts_with("Invitation link: http://127.0.0.1:"));
    let (code, said) = (run(&["audit", "verify"], ""), "Brightwater: 5 events");
    assert!(code.status.success() && text(&code.stdout).contains(said), "{}", text(&code.stdout));
}

#[test]
fn a_user_added_while_the_server_runs_can_sign_in_at_once() {
    let server = TestServer::start();
    let words = [
        "user",
        "add",
        "--company",
        "Brightwater",
        "--name",
        "Jonas",
        "--email",
        "jonas@example.com",
        "--role",
        "auditor",
        "--password-stdin",
    ];
    assert!(run(server.folder.path(), &server.database_url, &words, PASSWORD).status.success());
    server.signed_in_as("jonas@example.com");
}

#[test]
fn a_key_is_listed_and_revoked_while_the_server_runs() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    let run = |words: &[&str]| run(server.folder.path(), &server.database_url, words, "");
    let listed = text(&run(&["key", "list", "--company", "Brightwater"]).stdout);
    assert_eq!(listed, format!("{id}\t{}…{}\tactive\tERP Sync\n", &key[..8], &key[38..]));
    assert_eq!(server.whoami(&key), 200);
    let with_key = run(&["key", "revoke", &id, "--comment", &key]);
    assert_eq!(with_key.status.code(), Some(1));
    assert!(!text(&with_key.stderr).contains(&key));
    let revoked = run(&["key", "revoke", &id, "--reason", "compromised", "--comment", "Found in a log."]);
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    assert_eq!(server.whoami(&key), 401);
    assert!(text(&run(&["key", "list", "--company", "brightwater"]).stdout).contains("\trevoked\t"));
    let again = run(&["key", "revoke", &id, "--reason", "compromised"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("has already ended"));
    assert_eq!(run(&["key", "revoke", "nonsense"]).status.code(), Some(1));
    assert_eq!(run(&["key", "revoke", &id, "--reason", "bored"]).status.code(), Some(2));
}

#[test]
fn no_secret_is_stored_in_clear_text() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    let url = server.url("/").parse().unwrap();
    let cookie = reqwest::cookie::CookieStore::cookies(&*admin.cookies, &url).unwrap();
    let token = cookie.to_str().unwrap().rsplit('%').next().unwrap()[2..].to_owned();
    let mut searched = 0;
    for entry in std::fs::read_dir(server.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [key.as_bytes(), &key.as_bytes()[4..36], PASSWORD.as_bytes(), token.as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
        searched += 1;
    }
    assert!(searched >= 2);
}
