//! Commands that read: they create nothing and migrate nothing.

use std::fs;
use std::path::Path;

use super::{run, text};
use crate::support::{TestServer, database};

const READING: [&[&str]; 8] = [
    &["company", "list"],
    &["user", "list"],
    &["key", "list"],
    &["key", "show", "01a20812-5ceb-7b12-8de9-f0c654921895"],
    &["gateway", "list"],
    &["audit", "verify"],
    &["audit", "checkpoint"],
    &["audit", "public-key"],
];

fn refusal(data_dir: &Path, url: &str, words: &[&str]) -> String {
    let output = run(data_dir, url, words, "");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{words:?}");
    let sentence = text(&output.stderr);
    assert_eq!(sentence.lines().count(), 1, "{words:?}: {sentence}");
    sentence
}

/// The names of the tables of a database that exists.
fn tables(url: &str) -> Vec<Option<String>> {
    if database::postgres().is_some() {
        database::column(url, "tablename", "FROM pg_tables WHERE schemaname = current_schema()")
    } else {
        database::column(url, "name", "FROM sqlite_master")
    }
}

#[test]
fn a_reading_command_makes_no_installation() {
    let folder = tempfile::tempdir().unwrap();
    let (url, data) = (database::new_url(&folder), folder.path().join("data"));
    for words in READING {
        let sentence = refusal(&data, &url, words);
        assert!(sentence.starts_with("There is no installation: the database"), "{words:?}: {sentence}");
    }
    assert!(!data.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(database::postgres().is_none() || tables(&url).is_empty());
}

#[test]
fn a_reading_command_does_not_migrate() {
    let server = TestServer::start();
    let migrations =
        || database::column(&server.database_url, "version", "FROM __diesel_schema_migrations ORDER BY version");
    let latest = migrations().pop().flatten().unwrap();
    database::tamper(
        &server.database_url,
        &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{latest}'"),
    );
    let before = migrations();
    for words in READING {
        let sentence = refusal(server.folder.path(), &server.database_url, words);
        assert!(sentence.contains("older version") && sentence.contains("keydesk migrate"), "{words:?}: {sentence}");
    }
    assert_eq!(migrations(), before);
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('20991231235959', CURRENT_TIMESTAMP)";
    database::tamper(&server.database_url, newer);
    assert!(refusal(server.folder.path(), &server.database_url, READING[0]).contains("newer version"));
}

#[test]
fn secrets_of_another_installation_are_refused() {
    let (server, other) = (TestServer::start(), TestServer::start());
    fs::copy(other.folder.path().join("secrets"), server.folder.path().join("secrets")).unwrap();
    let sentence = refusal(server.folder.path(), &server.database_url, &["key", "list"]);
    assert!(sentence.contains("another database"), "{sentence}");
}
