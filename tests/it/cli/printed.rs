//! What the program prints of a database and of requests that contain control characters: every command, and the log.

use std::process::Output;

use keydesk::domain::text::escape::{Escaped, is_unprintable};

use super::{Serving, keydesk, run, text};
use crate::support::companies::{add_brightwater, add_company};
use crate::support::{Browser, PASSWORD, TestServer, browser, database};

/// A line feed, terminal sequences, and characters that reorder and hide text.
const HOSTILE: &str = "A\n\u{1b}[2J\u{9b}1A\u{7f}\u{202e}\u{2028}\u{200b}: 9 events";

/// A server whose database has the text in every name that a command prints.
fn hostile_installation() -> (TestServer, String, String) {
    let server = TestServer::with(&[], |actions| {
        add_brightwater(actions);
        add_company(actions, "Northwind");
    });
    let (key, _) = server.admin().create_key("ERP Sync");
    for name in ["edge", "old edge"] {
        assert!(command(&server, &["gateway", "add", name], "").status.success());
    }
    let columns = [
        "companies SET name = '{}' WHERE name = 'Brightwater'",
        "users SET name = '{}', email = '{}'",
        "service_accounts SET name = '{}'",
        "gateways SET name = '{}' || name",
        "api_keys SET preview = '{}'",
        "events SET id = '{}' WHERE sequence = 2 AND trail_id = (SELECT id FROM companies WHERE name <> 'Northwind')",
    ];
    let updates = columns.map(|update| format!("UPDATE {};", update.replace("{}", HOSTILE)));
    let company = server.company("Brightwater").to_string();
    database::tamper(&server.database_url, &format!("{} {}", database::unlock_events(), updates.concat()));
    (server, company, key)
}

fn command(server: &TestServer, words: &[&str], input: &str) -> Output {
    run(server.folder.path(), &server.database_url, words, input)
}

/// The full names of all commands that do something.
fn all_commands() -> Vec<String> {
    fn collect(command: &clap::Command, name: &str, names: &mut Vec<String>) {
        let subcommands: Vec<_> = command.get_subcommands().collect();
        if subcommands.is_empty() {
            names.push(name.to_owned());
        }
        for subcommand in subcommands {
            collect(subcommand, format!("{name} {}", subcommand.get_name()).trim_start(), names);
        }
    }
    let mut names = Vec::new();
    collect(&keydesk::cli::command(), "", &mut names);
    names
}

/// Arguments for a command, what it reads from standard input, and whether its output has a name from the database.
fn arguments<'a>(command: &str, company: &'a str, key: &'a str) -> Vec<(Vec<&'a str>, &'static str, bool)> {
    let email = ["--email", "maria@brightwater.example"];
    match command {
        // Other tests start these two, and read their log.
        "serve" | "demo" => vec![],
        "company list" | "user list" => {
            let of_company = if command == "user list" { vec!["--company", company] } else { vec![] };
            vec![(of_company, "", true)]
        }
        "company rename" => vec![(vec!["--company", company, "--name", HOSTILE], "", false)],
        "user set-role" => {
            let words = |email| vec!["--email", email, "--role", "auditor"];
            vec![(words(HOSTILE), "", false), (words(email[1]), "", false)]
        }
        "user delete" => {
            let words = vec!["--email", email[1], "--new-owner", email[1]];
            vec![(words, "", false), (email.to_vec(), "", false)]
        }
        "key create" => {
            let words = |name| vec!["--company", company, "--name", name];
            vec![(words("New"), "", false), (words(HOSTILE), "", false)]
        }
        "key show" => vec![(vec![key], "", true), (vec![HOSTILE], "", true)],
        "key import" => {
            let words = |file| vec!["--company", company, file];
            let row = "name,digest\nImported,ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
            vec![(words("-"), row, false), (words("-"), row, false), (words(HOSTILE), "", true)]
        }
        "company add" => vec![(vec!["--name", HOSTILE], "", false), (vec!["--name", "Northwind"], "", false)],
        "user add" => {
            let words =
                |name| vec!["--company", company, "--name", name, "--email", "new@x.example", "--role", "admin"];
            vec![(words("New"), "", false), (words(HOSTILE), "", false)]
        }
        "user set-password" => vec![(email.to_vec(), "nine kettles sing at dusk", true)],
        "user unlock" | "user remove-second-factor" => vec![(email.to_vec(), "", true)],
        "key list" => vec![(vec!["--company", company], "", true), (vec!["--company", HOSTILE], "", true)],
        // The first revokes the key, the second finds it revoked.
        "key revoke" => vec![(vec![key], "", true), (vec![key], "", true), (vec![HOSTILE], "", true)],
        "gateway add" => vec![(vec!["third"], "", false), (vec![HOSTILE], "", false)],
        "gateway list" => vec![(vec![], "", true)],
        "migrate" | "secrets status" | "secrets rotate" => vec![(vec![], "", false)],
        "gateway revoke" => vec![(vec!["edge"], "", true), (vec![HOSTILE], "", false)],
        "audit verify" => vec![(vec![], "", true), (vec!["--company", company], "", true)],
        "audit consistency" => vec![(vec!["--company", company, "--from", HOSTILE], "", true)],
        "audit checkpoint" | "audit public-key" => vec![(vec!["--company", company], "", false)],
        // A server runs on the database.
        "database copy" => vec![(vec!["--to", "sqlite:///nonexistent/copy.db"], "", false)],
        "doctor" => vec![(vec!["--listen", "127.0.0.1:9"], "", false)],
        "secrets retire" => vec![(vec![HOSTILE], "", true)],
        "backup" => vec![(vec!["/nonexistent/backup"], "", false)],
        // It restores SQLite only, and says so on PostgreSQL before it looks at the file.
        "restore" => vec![(vec!["--accept-loss"], "", false), (vec![HOSTILE], "", database::postgres().is_none())],
        _ => panic!("give arguments for “{command}”, with which it prints something from the database"),
    }
}

fn expect_printable(output: &str, of: &str) {
    let unprintable = output.chars().find(|character| !matches!(character, '\n' | '\t') && is_unprintable(*character));
    assert_eq!(unprintable, None, "{of}: {output}");
}

#[test]
fn no_command_prints_control_characters_of_a_database() {
    let (server, company, key) = hostile_installation();
    for name in all_commands() {
        for (arguments, input, has_name) in arguments(&name, &company, &key) {
            let words: Vec<&str> = name.split(' ').chain(arguments).collect();
            let output = command(&server, &words, input);
            let printed = text(&output.stdout) + &text(&output.stderr);
            expect_printable(&printed, &name);
            assert_eq!(printed.contains("\\u{1b}[2J"), has_name, "{words:?}: {printed}");
            assert!(!printed.lines().any(|line| line.starts_with("9 events")), "{words:?}: {printed}");
        }
    }
}

#[test]
fn a_checkpoint_is_printed_line_by_line_without_control_characters() {
    let server = TestServer::start();
    let (company, sql) = (server.company("Brightwater"), "UPDATE audit_trails SET checkpoint = checkpoint || ");
    let checkpoint = || text(&command(&server, &["audit", "checkpoint", "--company", "Brightwater"], "").stdout);
    let before = checkpoint();
    assert_eq!(before.lines().count(), 5);
    database::tamper(&server.database_url, &format!("{sql}'{HOSTILE}' WHERE id = '{company}'"));
    let (first, rest) = HOSTILE.split_once('\n').unwrap();
    assert_eq!(checkpoint(), format!("{before}{first}\n{}\n", Escaped(rest)));
}

#[test]
fn wrong_usage_is_reported_without_control_characters_and_credentials() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &[HOSTILE][..],
        &["key", "revoke", "x", "--reason", HOSTILE],
        &["--listen", HOSTILE],
        &["--public-url", "https://maria:hunter2@keys.example.com"],
        &["postgres://maria:hunter2@localhost/keydesk"],
        &["--database-ul=postgres://maria:hunter2@localhost/keydesk"],
    ] {
        let output = keydesk(folder.path()).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let printed = text(&output.stdout) + &text(&output.stderr);
        expect_printable(&printed, words[0]);
        assert!(!printed.is_empty() && !printed.contains("hunter2"), "{printed}");
    }
}

#[test]
fn the_log_has_one_line_per_event_without_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--trusted-proxy", "127.0.0.1", "--log-level", "debug"]);
    let serving = Serving::start(command, 2);
    let browser = Browser::new(serving.line("Listening on http://").parse().unwrap());
    let entry = "\u{9b}31m\u{202e}\u{2028}unknown".as_bytes();
    let request = browser.request("GET", "/v1/whoami").header("X-Forwarded-For", entry).bearer_auth("goa_x");
    browser::send(request.header("User-Agent", entry)).expect(401);
    browser.get("/%1b%5b2J%0aforged").expect(404);
    browser.post("/sign-in", &[("email", HOSTILE), ("password", PASSWORD)]);
    let log = serving.log();
    assert!(log.contains("X-Forwarded-For refused") && log.contains("\\u{202e}"), "{log}");
    expect_printable(&log, "the log");
    let is_event = |line: &str| line.starts_with("20") && line.contains(" keydesk::");
    assert!(log.lines().all(is_event), "{log}");
}
