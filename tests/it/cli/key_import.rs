//! Importing keys and digests of another system.

use std::fmt::Write;
use std::time::Duration;

use keydesk::clock::Clock;
use keydesk::domain::text::normalize::hex;
use sha2::{Digest, Sha256};

use super::{run, text};
use crate::support::{API_KEYS, TestServer, browser, database};

/// A key of another installation. Its format is the same.
struct ForeignKeys(TestServer);

impl ForeignKeys {
    fn new() -> Self {
        Self(TestServer::start())
    }

    fn create(&self, name: &str) -> String {
        self.0.admin().create_key(name).1
    }
}

fn digest(key: &str) -> String {
    hex(&Sha256::digest(key))
}

/// The exit code, the output and the error of an import from standard input.
fn import(server: &TestServer, csv: &str, flags: &[&str]) -> (Option<i32>, String, String) {
    let words = [&["key", "import", "--company", "Brightwater", "-"], flags].concat();
    let output = run(server.folder.path(), &server.database_url, &words, csv);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Imports a row, and returns the id of the key.
fn import_one(server: &TestServer, header: &str, row: &str) -> String {
    let (code, output, sentence) = import(server, &format!("{header}\n{row}\n"), &[]);
    assert_eq!((code, sentence.as_str()), (Some(0), ""), "{output}");
    assert!(output.ends_with("Imported: 1\n"), "{output}");
    output.split('\t').next().unwrap().to_owned()
}

#[test]
fn keys_and_digests_are_imported_and_verified() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    let (key, digested) = (foreign.create("ERP"), foreign.create("Reporting"));
    let sha256 = digest(&digested).to_uppercase();
    let csv = format!(
        "\u{feff}Name,key,digest,owner,expires\r\nERP Sync,{key},,,\r\n\"Reports, daily\",,{sha256},MARIA@brightwater.example,2031-01-31\r\n"
    );
    let (code, output, sentence) = import(&server, &csv, &[]);
    assert_eq!((code, sentence.as_str()), (Some(0), ""));
    let preview = format!("sha256_{}…{}", &digest(&digested)[..4], &digest(&digested)[60..]);
    assert!(output.contains(&format!("\t{}…{}\tERP Sync\n", &key[..8], &key[38..])), "{output}");
    assert!(output.contains(&format!("\t{preview}\tReports, daily\nImported: 2\n")), "{output}");
    assert!(!output.contains(&key) && !output.contains(&digest(&digested)[..16]));
    assert_eq!((server.whoami(&key), server.whoami(&digested)), (200, 200));
    let whoami = server.anonymous().bearer("/v1/whoami", &digested).body;
    assert!(whoami.contains("Reports, daily") && whoami.contains("2031-01-31T23:59:59Z"), "{whoami}");
    let id = output.lines().nth(1).unwrap().split('\t').next().unwrap();
    let created: Vec<String> = server.trail("Brightwater").into_iter().map(|(_, after)| after).rev().take(2).collect();
    assert!(created.iter().all(|after| after.contains(r#""imported":true"#) && after.contains("digest_fingerprint")));
    assert!(created[0].contains(r#""digest_kind":"sha256""#) && !created[1].contains("digest_kind"), "{created:?}");
    let identified = server.admin().post(&format!("{API_KEYS}/identify"), &[("key", &digested)]);
    identified.expect_redirect(&format!("{API_KEYS}/{id}"));
    let verified = run(server.folder.path(), &server.database_url, &["audit", "verify"], "");
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    let page = server.admin().key_page(id);
    assert!(page.text("main").contains(&preview) && page.text("main").contains("Command line"));
}

#[test]
fn a_running_server_accepts_and_refuses_an_imported_digest_at_once() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    for number in 0..5 {
        let key = foreign.create(&format!("ERP {number}"));
        assert_eq!(server.whoami(&key), 401);
        let id = import_one(&server, "name,digest", &format!("ERP {number},{}", digest(&key)));
        assert_eq!((server.whoami(&key), server.whoami(&key)), (200, 200));
        let revoked = run(server.folder.path(), &server.database_url, &["key", "revoke", &id], "");
        assert!(revoked.status.success());
        assert_eq!(server.whoami(&key), 401);
    }
}

#[test]
fn the_holder_of_an_imported_key_can_revoke_it() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    let key = foreign.create("ERP");
    import_one(&server, "name,digest", &format!("ERP,{}", digest(&key)));
    assert_eq!(server.whoami(&key), 200);
    browser::send(server.anonymous().request("POST", "/v1/revoke").form(&[("token", &key)])).expect(200);
    assert_eq!(server.whoami(&key), 401);
}

#[test]
fn a_key_that_is_stored_twice_ends_with_either_row() {
    let server = TestServer::start();
    let admin = server.admin();
    let second = |name: &str, key: &str| import_one(&server, "name,digest", &format!("{name},{}", digest(key)));
    let (_, key) = admin.create_key("First");
    assert_eq!(server.whoami(&key), 200);
    let imported = second("First again", &key);
    assert_eq!(server.whoami(&key), 200);
    admin.revoke(&imported, "compromised", "").expect(303);
    assert_eq!(server.whoami(&key), 401);
    let (own, key) = admin.create_key("Second");
    second("Second again", &key);
    assert_eq!(server.whoami(&key), 200);
    admin.revoke(&own, "compromised", "").expect(303);
    assert_eq!(server.whoami(&key), 401);
    // The key is cached under its own digest before the other row appears, which expires by the clock alone.
    server.set_clock(Clock::system().now());
    let (_, key) = server.admin().create_key("Third");
    assert_eq!(server.whoami(&key), 200);
    import_one(&server, "name,digest,expires", &format!("Third again,{},30d", digest(&key)));
    assert_eq!(server.whoami(&key), 200);
    server.advance(Duration::from_hours(24 * 31));
    assert_eq!(server.whoami(&key), 401);
}

#[test]
fn all_faults_are_reported_at_once_and_nothing_is_imported() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    let admin = server.admin();
    let (_, taken) = admin.create_key("Taken");
    let (key, other) = (foreign.create("ERP"), foreign.create("Other"));
    let (good, repeated) = (digest(&other), digest(&key));
    let rows = [
        format!("Good,,{good},,"),
        format!("TAKEN,,{},,", digest("something else")),
        format!("Known,{taken},,,"),
        format!("good,{key},,,"),
        format!("Repeated,,{repeated},,"),
        "Wrong key,goa_wrong,,,".to_owned(),
        "Wrong digest,,abc,nobody@x.example,tomorrow".to_owned(),
        "Neither,,,,".to_owned(),
        format!("Both,{key},{good},,"),
        format!("Past,,{},,2020-01-01", digest("past")),
        "Short,row".to_owned(),
        format!("{other},,{},,", digest("a name")),
    ];
    let csv = format!("name,key,digest,owner,expires\n{}\n", rows.join("\n"));
    for flags in [&[][..], &["--dry-run"]] {
        let (code, output, sentence) = import(&server, &csv, flags);
        assert_eq!(code, Some(1), "{output}");
        assert_eq!(sentence, "Nothing was imported. Correct the file: it has 13 faults in 12 keys.\n", "{output}");
        let expected = [
            "Line 3: An active key named “Taken” already exists. Choose another name.",
            "Line 4: This key is already stored.",
            "Line 5: The name is the same as in an earlier row. Choose another name.",
            "Line 6: This key is the same as in an earlier row.",
            "Line 7: The key does not have the format of this installation's keys.",
            "Line 8: The digest is not a SHA-256 of 64 hexadecimal digits.",
            "Line 8: The expiry is not known: give none, 30d, 90d, 180d, 365d, a date such as 2027-06-30, or a time in RFC 3339.",
            "Line 8: The owner is no user of the company. Give the email address of one.",
            "Line 9: The line has neither a key nor a digest.",
            "Line 10: The line has both a key and a digest. Give one of them.",
            "Line 11: Choose a date in the future",
            "Line 12: The line has 2 columns instead of 5.",
            "Line 13: The name contains an API key.",
        ];
        for line in expected {
            assert!(output.lines().any(|printed| printed == line), "{line}: {output}");
        }
        for secret in [&key, &other, &taken] {
            assert!(!output.contains(&secret[8..38]));
        }
    }
    assert_eq!(database::count(&server.database_url, "api_keys", "TRUE"), 1);
    assert_eq!(database::count(&server.database_url, "service_accounts", "TRUE"), 1);
}

#[test]
fn a_dry_run_changes_nothing() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    let key = foreign.create("ERP");
    let events = database::count(&server.database_url, "events", "TRUE");
    let (code, output, _) = import(&server, &format!("name,key\nERP,{key}\n"), &["--dry-run"]);
    assert_eq!((code, output.as_str()), (Some(0), "Nothing was changed. Keys that can be imported: 1\n"));
    assert_eq!(database::count(&server.database_url, "api_keys", "TRUE"), 0);
    assert_eq!(database::count(&server.database_url, "events", "TRUE"), events);
    assert_eq!(server.whoami(&key), 401);
}

#[test]
fn a_file_without_a_usable_header_is_refused_without_repeating_it() {
    let (server, foreign) = (TestServer::start(), ForeignKeys::new());
    let key = foreign.create("ERP");
    for (csv, expected) in [
        (format!("ERP,{key}\n"), "Column 1 of the first line is not known"),
        ("name;key\n".to_owned(), "separated by commas"),
        ("name,owner\n".to_owned(), "neither “key” nor “digest”"),
        ("key\n".to_owned(), "no column “name”"),
        ("name,key,name\n".to_owned(), "Column 3 of the first line has the name of another one"),
        ("name,key\n".to_owned(), "has no keys"),
        (String::new(), "Add it"),
    ] {
        let (code, output, sentence) = import(&server, &csv, &[]);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{csv}");
        assert!(sentence.contains(expected) && !sentence.contains(&key), "{sentence}");
        assert_eq!(sentence.lines().count(), 1);
    }
    let words = ["key", "import", "missing.csv"];
    let output = run(server.folder.path(), &server.database_url, &words, "");
    assert!(text(&output.stderr).starts_with("The file “missing.csv” cannot be read"), "{}", text(&output.stderr));
}

#[test]
fn an_import_of_thousands_continues_accounts_and_is_counted() {
    let server = TestServer::start();
    let admin = server.admin();
    let (ended, _) = admin.create_key("Account 7");
    admin.revoke(&ended, "compromised", "").expect(303);
    let mut csv = "name,digest\n".to_owned();
    for number in 0..2_500 {
        writeln!(csv, "account {number},{}", digest(&number.to_string())).unwrap();
    }
    let (code, output, sentence) = import(&server, &csv, &[]);
    assert_eq!((code, sentence.as_str()), (Some(0), ""), "{output}");
    assert!(output.ends_with("Imported: 2500\n"));
    assert_eq!(database::count(&server.database_url, "service_accounts", "TRUE"), 2_500);
    assert_eq!(database::count(&server.database_url, "key_usage", "TRUE"), 2_501);
    assert_eq!(admin.tab("active").counters(), ["Active Keys 2,500 keys", "Revoked Keys 1 key"]);
    let verified = run(server.folder.path(), &server.database_url, &["audit", "verify"], "");
    assert!(verified.status.success(), "{}", text(&verified.stderr));
}
