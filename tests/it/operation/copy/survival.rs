//! Everything is in the copy, and goes on there.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use keydesk::clock::Clock;
use keydesk::server;
use tempfile::TempDir;

use super::{copied, file, rows};
use crate::cli::{Serving, keydesk_at, run, text};
use crate::support::authenticator::Authenticator;
use crate::support::browser::send;
use crate::support::server::{config, replace_key};
use crate::support::{API_KEYS, Browser, PASSWORD, database};

const JONAS: &str = "jonas@brightwater.example";

/// Tables of which a copy has no row: each server has its own.
const NOT_COPIED: [&str; 2] = ["secret_servers", "setup_links"];

/// What a journey on the first database leaves for the second one.
struct Journey {
    folder: TempDir,
    address: SocketAddr,
    admin: Browser,
    /// Has entered the password, and no code yet.
    awaiting: Browser,
    recovery_codes: Vec<String>,
    active: (String, String),
    rotated: String,
    revoked: String,
    credential: String,
    invitation: String,
}

fn serve(data_dir: &Path, url: &str, address: &str, lines: usize) -> Serving {
    let mut command = keydesk_at(data_dir, address);
    // The port is not part of the cookies' names.
    command.args(["--public-url", "http://localhost", "--database-url", url]);
    command.arg("--checkpoint-file").arg(data_dir.join("checkpoints"));
    Serving::start(command, lines)
}

impl Journey {
    /// Uses every part of the product, and stops the server.
    fn on(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = serve(folder.path(), url, "127.0.0.1:0", 2);
        let address: SocketAddr = serving.line("Listening on http://").parse().unwrap();
        let admin = serving.set_up();
        let command = |words: &[&str]| {
            let output = run(folder.path(), url, words, "");
            assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
            text(&output.stdout).trim().to_owned()
        };
        command(&["company", "add", "--name", "Nördlich 日本 AS"]);
        let credential = command(&["gateway", "add", "Edge Oslo"]);
        let link = admin.invite("Jonas Bakke", JONAS, "auditor");
        let jonas = serving.browser();
        let path = link.strip_prefix("http://localhost").unwrap();
        jonas.accept(path).expect(303);
        let (_, recovery_codes) = Authenticator::set_up(&jonas, Clock::system().now());
        let awaiting = serving.browser();
        awaiting.post("/sign-in", &[("email", JONAS), ("password", PASSWORD)]).expect_redirect("/sign-in/code");
        serving.browser().post("/sign-in", &[("email", JONAS), ("password", "not it")]).expect(422);
        let invitation = admin.invite("Elif Demir", "elif@brightwater.example", "admin");
        let active = admin.create_key("ERP \"Sync\" \\N 'x'");
        let (id, rotated) = admin.create_key("Orders");
        let (second, _) = admin.rotate(&id, "7d").shown_key();
        admin.rotate(&second, "24h").shown_key();
        admin.create_key_for("Short", "30d");
        let (id, revoked) = admin.create_key("Old");
        admin.revoke(&id, "compromised", "In a ticket, “twice”.\nAnd a second line \\ with a backslash.").expect(303);
        let browser = serving.browser();
        for (key, status) in [(&active.1, 200), (&rotated, 200), (&revoked, 401)] {
            browser.bearer("/v1/whoami", key).expect(status);
        }
        wait_for_checkpoints(url);
        assert_eq!(serving.stop(), 0);
        let actions = server::open(&config(folder.path(), url, &[]), &Clock::system()).unwrap();
        replace_key(&actions, folder.path(), url, 1);
        // The next start stores the checks of the secrets.
        drop(server::open(&config(folder.path(), url, &[]), &Clock::system()).unwrap());
        // The server has reported the refused sign-in; this one waits.
        database::tamper(
            url,
            "INSERT INTO refused_sign_ins (subject, refused_at, refusals, user_agent) VALUES (x'00ff', -7, 2, '\\N')",
        );
        Self { folder, address, admin, awaiting, recovery_codes, active, rotated, revoked, credential, invitation }
    }

    fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Everything goes on where it was, on another database.
    fn goes_on(&self, url: &str) {
        let serving = serve(self.data_dir(), url, &self.address.to_string(), 1);
        let list = self.admin.get(API_KEYS).expect(200).html();
        assert!(list.key_names().contains(&"ERP \"Sync\" \\N 'x'".to_owned()), "{:?}", list.key_names());
        let browser = serving.browser();
        browser.get("/readyz").expect(200);
        for (key, status) in [(&self.active.1, 200), (&self.rotated, 200), (&self.revoked, 401)] {
            browser.bearer("/v1/whoami", key).expect(status);
        }
        assert!(!self.admin.key_page(&self.active.0).section("usage").is_empty());
        let code = ("code", self.recovery_codes[0].as_str());
        self.awaiting.post("/sign-in/code", &[code]).expect_redirect(API_KEYS);
        let again = serving.browser();
        again.post("/sign-in", &[("email", JONAS), ("password", PASSWORD)]).expect_redirect("/sign-in/code");
        again.post("/sign-in/code", &[code]).expect(422);
        let token = [("token", self.active.1.as_str())];
        let introspected = browser.request("POST", "/v1/introspect").bearer_auth(&self.credential).form(&token);
        let introspected = send(introspected).expect(200).body;
        assert!(introspected.contains(r#""active":true"#), "{introspected}");
        serving.browser().get(self.invitation.strip_prefix("http://localhost").unwrap()).expect(200);
        let (id, key) = self.admin.create_key("Made after the move");
        browser.bearer("/v1/whoami", &key).expect(200);
        self.admin.revoke(&id, "unspecified", "").expect(303);
        browser.bearer("/v1/whoami", &key).expect(401);
        assert_eq!(serving.stop(), 0);
        let verified = run(self.data_dir(), url, &["audit", "verify"], "");
        assert!(verified.status.success(), "{}", text(&verified.stderr));
    }
}

fn wait_for_checkpoints(url: &str) {
    let started = std::time::Instant::now();
    while database::count(url, "checkpoint_witnesses", "size > 10") == 0 {
        assert!(started.elapsed().as_secs() < 60, "no checkpoint was published");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Fails unless the copy has the rows of every table, and the original has rows in every table.
fn assert_same_rows(original: &str, copy: &str) {
    let (original, copy) = (rows(original), rows(copy));
    for (table, rows) in &original {
        if NOT_COPIED.contains(&table.as_str()) {
            assert!(copy[table].is_empty(), "{table}");
        } else {
            assert!(!rows.is_empty(), "the journey leaves no row in {table}; let it leave one");
            assert_eq!(*rows, copy[table], "{table}");
        }
    }
}

#[test]
fn everything_survives_and_the_copy_goes_on() {
    let files = tempfile::tempdir().unwrap();
    let first = file(files.path(), "first.db");
    let journey = Journey::on(&first);
    let second = database::new_url(&journey.folder);
    let printed = copied(journey.data_dir(), &first, &second);
    let all: usize = rows(&second).values().map(Vec::len).sum();
    assert!(printed.starts_with(&format!("Copied: {all} rows of ")), "{printed}");
    assert!(printed.contains("Brightwater: ") && printed.contains("all as they were recorded"), "{printed}");
    assert_same_rows(&first, &second);
    journey.goes_on(&second);
    // And back.
    database::tamper(&second, refused_sign_in());
    let third = file(files.path(), "third.db");
    copied(journey.data_dir(), &second, &third);
    assert_same_rows(&second, &third);
    journey.admin_goes_on(&third);
    assert!(!PathBuf::from(files.path()).join("third.db.partial").exists());
}

impl Journey {
    /// The session of the admin goes on, on another database.
    fn admin_goes_on(&self, url: &str) {
        let serving = serve(self.data_dir(), url, &self.address.to_string(), 1);
        self.admin.get(API_KEYS).expect(200);
        serving.browser().bearer("/v1/whoami", &self.active.1).expect(200);
        assert_eq!(serving.stop(), 0);
    }
}

fn refused_sign_in() -> &'static str {
    if database::postgres().is_some() {
        "INSERT INTO refused_sign_ins (subject, refused_at, refusals) VALUES ('\\x00ff'::bytea, 7, 2)"
    } else {
        "INSERT INTO refused_sign_ins (subject, refused_at, refusals) VALUES (x'00ff', 7, 2)"
    }
}

/// The older keys of long chains of rotations refer to the newer ones.
#[test]
fn keys_that_refer_to_each_other_are_copied() {
    let files = tempfile::tempdir().unwrap();
    let first = file(files.path(), "first.db");
    let folder = tempfile::tempdir().unwrap();
    let serving = serve(folder.path(), &first, "127.0.0.1:0", 2);
    let (id, _) = serving.set_up().create_key("Orders");
    assert_eq!(serving.stop(), 0);
    // Each key is replaced by the next one, or by the one before: ids say nothing about the order.
    let keys = "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 9000)
        INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at,
            created_by, owner, replaced_by, rotated_by)
        SELECT printf('01a20812-5ceb-7b12-8de9-%012x', n), company_id, service_account_id,
            CAST(printf('%032d', n) AS BLOB), pepper_id, preview, preview_folded, created_at, created_by, owner,
            CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN printf('01a20812-5ceb-7b12-8de9-%012x', n + 1)
                ELSE printf('01a20812-5ceb-7b12-8de9-%012x', n - 1) END,
            CASE WHEN n % 3 = 0 THEN NULL ELSE owner END
        FROM api_keys, up WHERE id = 'ID'";
    database::tamper(&first, &keys.replace("ID", &id));
    let second = database::new_url(&folder);
    let output = super::copy(folder.path(), &first, &second);
    // These keys are in no event.
    assert_eq!(output.status.code(), Some(1));
    let sentence = text(&output.stderr);
    assert!(sentence.starts_with("The copy is complete, but has what was wrong before: "), "{sentence}");
    assert!(text(&output.stdout).starts_with("Copied: "));
    assert_eq!(rows(&first)["api_keys"], rows(&second)["api_keys"]);
    assert_eq!(rows(&first)["key_counts"], rows(&second)["key_counts"]);
}
