//! Creating, showing and listing keys from the command line.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use keydesk::actions::{CompanyRules, RequestContext};
use keydesk::domain::policy::key_policy::{Days, KeyPolicy};
use serde_json::Value;

use super::{keydesk, run, text};
use crate::support::companies::add_user;
use crate::support::{TestServer, database};
use keydesk::domain::user::profile::Role;

const MARIA: &str = "maria@brightwater.example";

/// The exit code, the output and the error of a command.
fn command(server: &TestServer, words: &[&str]) -> (Option<i32>, String, String) {
    let output = run(server.folder.path(), &server.database_url, words, "");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn create(server: &TestServer, words: &[&str]) -> String {
    let (code, output, sentence) = command(server, &[&["key", "create"], words].concat());
    assert_eq!((code, sentence.as_str()), (Some(0), ""), "{words:?}");
    output
}

fn list(server: &TestServer, words: &[&str]) -> String {
    let (code, output, sentence) = command(server, &[&["key", "list"], words].concat());
    assert_eq!((code, sentence.as_str()), (Some(0), ""), "{words:?}");
    output
}

#[test]
fn a_key_is_created_and_printed_alone() {
    let server = TestServer::start();
    let output = create(&server, &["--company", "Brightwater", "--name", "ERP Sync", "--expires", "90d"]);
    let key = output.strip_suffix('\n').unwrap();
    assert_eq!(key.len(), 42);
    assert_eq!(server.whoami(key), 200);
    let listed = list(&server, &[]);
    let (id, rest) = listed.split_once('\t').unwrap();
    assert_eq!(rest, format!("{}…{}\tactive\tERP Sync\n", &key[..8], &key[38..]));
    let (_, shown, _) = command(&server, &["key", "show", id]);
    for line in [
        "Company: Brightwater",
        "Service account: ERP Sync",
        "State: active",
        "Owner: Maria Lindqvist <maria@brightwater.example>",
        "Last used: never",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{shown}");
    }
    assert!(shown.contains(" by Command line\n") && !shown.contains(key), "{shown}");
    let (action, after) = server.trail("Brightwater").pop().unwrap();
    let maria = server.user(MARIA).id;
    assert_eq!(action, "api_key.created");
    assert!(after.contains(&format!(r#""owner":"{maria}""#)) && !after.contains("imported"), "{after}");
    assert_eq!(server.last_event(id, "actor_type"), "command_line");
    let page = server.admin().key_page(id);
    assert!(page.text("main").contains("Command line"), "{}", page.text("main"));
    assert_eq!(command(&server, &["audit", "verify"]).0, Some(0));
}

#[test]
fn the_rules_of_the_page_hold() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    let key_policy = KeyPolicy { maximum_lifetime: Days::new(90), ..KeyPolicy::default() };
    let rules = CompanyRules { key_policy, ..CompanyRules::default() };
    server.actions.change_company(&RequestContext::command_line(company), None, None, &rules).unwrap();
    let refused = |words: &[&str]| {
        let (code, output, sentence) = command(&server, &[&["key", "create"], words].concat());
        assert_eq!((code, output.as_str()), (Some(1), ""), "{words:?}");
        sentence
    };
    assert!(refused(&["--name", "ERP Sync", "--expires", "none"]).contains("up to 90 days"));
    assert!(refused(&["--name", "ERP Sync", "--expires", "180d"]).contains("up to 90 days"));
    assert!(refused(&["--name", "ERP Sync", "--expires", "2020-01-01"]).contains("in the past"));
    assert!(refused(&["--name", "ERP Sync", "--owner", "nobody@x.example"]).contains("“nobody@x.example”"));
    assert!(refused(&["--name", " "]).contains("Enter a name"));
    assert_eq!(command(&server, &["key", "create", "--name", "ERP Sync", "--expires", "91d"]).0, Some(2));
    let key = create(&server, &["--name", "ERP Sync"]);
    let taken = refused(&["--name", "erp sync"]);
    assert!(taken.contains("An active key named “ERP Sync” already exists"), "{taken}");
    let with_key = refused(&["--name", key.trim()]);
    assert!(with_key.contains("contains an API key") && !with_key.contains(key.trim()), "{with_key}");
    let expiring = database::count(&server.database_url, "api_keys", "expires_at IS NOT NULL");
    assert_eq!(expiring, 1, "the key expires by the policy");
}

#[test]
fn a_list_is_narrowed_to_a_state_and_an_owner() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    add_user(&server.actions, company, "Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let admin = server.admin();
    let (revoked, _) = admin.create_key("Old");
    admin.revoke(&revoked, "compromised", "").expect(303);
    server.advance(Duration::from_secs(1));
    let (expired, _) = admin.create_key_for("Short", "30d");
    database::tamper(&server.database_url, &format!("UPDATE api_keys SET expires_at = 1000 WHERE id = '{expired}'"));
    create(&server, &["--name", "Jonas’ own", "--owner", "jonas@brightwater.example"]);
    create(&server, &["--name", "Maria’s own", "--owner", MARIA]);
    let names = |words: &[&str]| -> Vec<String> {
        let listed = list(&server, words);
        listed.lines().map(|line| line.split('\t').skip(2).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(names(&[]), ["active Maria’s own", "active Jonas’ own", "expired Short", "revoked Old"]);
    assert_eq!(names(&["--state", "active"]), ["active Maria’s own", "active Jonas’ own"]);
    assert_eq!(names(&["--state", "revoked"]), ["revoked Old"]);
    assert_eq!(names(&["--state", "expired"]), ["expired Short"]);
    assert_eq!(names(&["--owner", "JONAS@brightwater.example"]), ["active Jonas’ own"]);
    assert_eq!(names(&["--owner", MARIA, "--state", "revoked"]), ["revoked Old"]);
    assert_eq!(command(&server, &["key", "list", "--state", "lost"]).0, Some(2));
    assert_eq!(command(&server, &["key", "list", "--owner", "nobody@x.example"]).0, Some(1));
}

#[test]
fn a_list_in_json_and_csv_has_the_same_keys() {
    let server = TestServer::start();
    assert_eq!(list(&server, &["--format", "json"]), "[\n]\n");
    let admin = server.admin();
    let (id, _) = admin.create_key("=cmd, \"x\"");
    server.advance(Duration::from_secs(1));
    let (other, _) = admin.create_key("Reporting");
    admin.revoke(&other, "compromised", "").expect(303);
    let sql = "UPDATE service_accounts SET name = 'A\u{1b}[2J\u{202e}\u{2028}B' WHERE name = 'Reporting'";
    database::tamper(&server.database_url, sql);
    let json = list(&server, &["--format", "json"]);
    assert!(!json.contains(['\u{1b}', '\u{202e}', '\u{2028}']), "{json}");
    let keys: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(keys[0]["name"], "A\u{1b}[2J\u{202e}\u{2028}B");
    assert_eq!((&keys[0]["state"], &keys[0]["owner"]), (&"revoked".into(), &MARIA.into()));
    assert!(keys[0]["ended_at"].as_str().unwrap().ends_with('Z') && keys[1]["ended_at"].is_null());
    assert_eq!((&keys[1]["id"], &keys[1]["last_used_at"]), (&id.clone().into(), &Value::Null));
    let csv = list(&server, &["--format", "csv"]);
    let mut lines = csv.split("\r\n");
    assert_eq!(lines.next(), Some("id,preview,state,name,owner,created_at,expires_at,ended_at,last_used_at"));
    assert!(lines.next().unwrap().contains(r",A\u{1b}[2J\u{202e}\u{2028}B,"), "{csv}");
    let line = lines.next().unwrap();
    assert!(line.starts_with(&id) && line.contains(r#","'=cmd, ""x""","#), "{line}");
}

/// Adds keys by SQL, thousands of them at the same instant.
fn fill(server: &TestServer, count: u64) {
    let (id, _) = server.admin().create_key("ERP Sync");
    let (new_id, digest) = if database::postgres().is_some() {
        ("md5(n::text)::uuid::text", "sha256(n::text::bytea)")
    } else {
        ("printf('01a20812-5ceb-7b12-8de9-%012x', n)", "cast(printf('%032d', n) AS BLOB)")
    };
    let numbers = database::numbers(count);
    database::tamper(
        &server.database_url,
        &format!(
            "INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded,
                created_at, created_by, owner)
             SELECT {new_id}, company_id, service_account_id, {digest}, pepper_id, preview, preview_folded,
                created_at + n / 1500, created_by, owner
             FROM api_keys, ({numbers}) AS numbers WHERE api_keys.id = '{id}'"
        ),
    );
}

#[test]
fn a_long_list_has_every_key_once_and_no_usage_row_is_needed() {
    let server = TestServer::start();
    fill(&server, 4_000);
    for (format, header) in [("text", 0), ("csv", 1)] {
        let listed = list(&server, &["--format", format]);
        let mut ids: Vec<&str> =
            listed.lines().skip(header).map(|line| line.split(['\t', ',']).next().unwrap()).collect();
        assert_eq!(ids.len(), 4_001);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4_001);
    }
    let json: Vec<Value> = serde_json::from_str(&list(&server, &["--format", "json"])).unwrap();
    assert_eq!(json.len(), 4_001);
}

#[test]
fn a_closed_pipe_ends_a_list_quietly() {
    let server = TestServer::start();
    fill(&server, 4_000);
    for format in ["text", "json", "csv"] {
        let mut command = keydesk(server.folder.path());
        command.args(["key", "list", "--format", format, "--database-url", &server.database_url]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!((child.wait().unwrap().code(), error.as_str()), (Some(0), ""), "{format}");
    }
}
