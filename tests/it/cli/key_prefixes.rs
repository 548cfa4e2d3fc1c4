//! Prefixes of keys that are not in the settings any more.

use super::start::refusal;
use super::{Serving, keydesk, run, text};
use crate::support::database;

#[test]
fn a_start_that_would_refuse_active_keys_needs_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let serve = |flags: &[&str], lines: usize| {
        let mut command = keydesk(folder.path());
        command.args(["--database-url", &url]).args(flags);
        Serving::start(command, lines)
    };
    let serving = serve(&["--key-prefix", "acme"], 2);
    let admin = serving.set_up();
    let (first, key) = admin.create_key("ERP Sync");
    let (second, _) = admin.create_key("Orders");
    assert_eq!(serving.stop(), 0);
    let flags = ["--database-url", &url];
    let sentence = refusal(folder.path(), &flags, &[]);
    let named = "2 active keys have the prefix acme, which --key-prefix does not list, and would be refused.";
    assert!(sentence.starts_with(named) && sentence.contains("--drop-prefix"), "{sentence}");
    let serving = serve(&["--key-prefix", "goa", "--key-prefix", "acme"], 1);
    serving.browser().bearer("/v1/whoami", &key).expect(200);
    assert_eq!(serving.stop(), 0);
    // A command does not need the flags of the server.
    let revoked = run(folder.path(), &url, &["key", "revoke", &first], "");
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    assert!(refusal(folder.path(), &flags, &[]).starts_with("1 active key has the prefix acme"));
    let serving = serve(&["--drop-prefix"], 1);
    assert!(serving.log().contains("prefix=\"acme\" active_keys=1"), "{}", serving.log());
    serving.browser().bearer("/v1/whoami", &key).expect(401);
    assert_eq!(serving.stop(), 0);
    // The decision is for one start.
    assert!(refusal(folder.path(), &flags, &[]).contains("1 active key has"));
    assert!(run(folder.path(), &url, &["key", "revoke", &second], "").status.success());
    assert_eq!(serve(&[], 1).stop(), 0);
}

#[test]
fn keys_of_a_command_count_and_imported_digests_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let ok = |words: &[&str], input: &str| {
        let output = run(folder.path(), &url, words, input);
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    };
    ok(&["company", "add", "--name", "Brightwater"], "");
    let user = ["user", "add", "--name", "Maria", "--email", "m@example.com", "--role", "admin", "--password-stdin"];
    ok(&user, crate::support::PASSWORD);
    let digest = "name,digest\nOld,9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n";
    ok(&["key", "import", "-"], digest);
    ok(&["key", "create", "--name", "ERP Sync", "--key-prefix", "acme"], "");
    let sentence = refusal(folder.path(), &["--database-url", &url], &[]);
    assert!(sentence.starts_with("1 active key has the prefix acme"), "{sentence}");
}

#[test]
fn prefixes_of_earlier_versions_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url, "--key-prefix", "acme"]);
    let serving = Serving::start(command, 2);
    serving.set_up().create_key("ERP Sync");
    assert_eq!(serving.stop(), 0);
    let before = "DROP TABLE key_prefixes; DELETE FROM __diesel_schema_migrations WHERE version = '20261130000300'";
    database::tamper(&url, before);
    let sentence = refusal_of_migrated(folder.path(), &url);
    assert!(sentence.contains("1 active key has the prefix acme"), "{sentence}");
}

/// The last line of a refused start, which has logged a migration before.
fn refusal_of_migrated(data_dir: &std::path::Path, url: &str) -> String {
    let output = keydesk(data_dir).args(["--database-url", url]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    text(&output.stderr).lines().last().unwrap().to_owned()
}
