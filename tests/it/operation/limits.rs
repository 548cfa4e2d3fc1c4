//! Limits of PostgreSQL to connections, and a setting that loses commits.

use std::thread::available_parallelism;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use keydesk::store::Store;

use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run};
use crate::support::{API_KEYS, database};

fn needed() -> u32 {
    Store::connections_needed(available_parallelism().unwrap().get())
}

#[test]
fn a_role_with_too_few_connections_is_refused_with_the_number() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let owner = database::new_url(&folder);
    let name = owner.rsplit('/').next().unwrap().to_owned();
    let role = format!("limited_in_{name}");
    let url = owner.replace("keydesk@", &format!("{role}@"));
    let mut connection = PgConnection::establish(&owner).unwrap();
    let (few, enough) = (needed() - 1, needed());
    connection
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN CONNECTION LIMIT {few}; ALTER DATABASE {name} OWNER TO {role}"
        ))
        .unwrap();
    let sentence = refusal(folder.path(), &["--database-url", &url], &[]);
    assert!(
        sentence.contains(&format!("{few} connections")) && sentence.contains(&format!("needs {enough}")),
        "{sentence}"
    );
    connection
        .batch_execute(&format!(
            "ALTER ROLE {role} CONNECTION LIMIT {enough}; ALTER DATABASE {name} CONNECTION LIMIT {few}"
        ))
        .unwrap();
    let sentence = refusal(folder.path(), &["--database-url", &url], &[]);
    assert!(sentence.contains("of the database"), "{sentence}");
    connection.batch_execute(&format!("ALTER DATABASE {name} CONNECTION LIMIT {enough}")).unwrap();
    // A command needs few.
    assert!(run(folder.path(), &url, &["gateway", "add", "edge"], "").status.success());

    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url]);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let (_, key) = browser.create_key("ERP Sync");
    // Whether a busy machine answers all of them in time does not matter here.
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                for _ in 0..3 {
                    browser.get(API_KEYS);
                    browser.bearer("/v1/whoami", &key);
                }
            });
        }
    });
    let open = database::column(&owner, "count(*)", &format!("FROM pg_stat_activity WHERE usename = '{role}'"));
    let open: u32 = open[0].as_ref().unwrap().parse().unwrap();
    assert!(open <= enough, "{open} connections are open, and {enough} were announced");
    assert!(!serving.log().contains("too many connections"), "{}", serving.log());
    drop(serving);
    connection.batch_execute(&format!("REASSIGN OWNED BY {role} TO keydesk; DROP OWNED BY {role}")).unwrap();
}

#[test]
fn the_documents_name_the_number_of_connections() {
    let of_pages = Store::connections_needed(0);
    let sentence = format!("{of_pages} connections to PostgreSQL and one for each processor");
    for document in ["README.md", "docs/operating.md"] {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&sentence), "{document} does not say: {sentence}");
    }
}

#[test]
fn asynchronous_commits_are_warned_about() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let name = url.rsplit('/').next().unwrap();
    let log = || {
        let mut command = keydesk(folder.path());
        command.args(["--database-url", &url]);
        Serving::start(command, 2).log()
    };
    for (setting, is_warned) in [("off", true), ("local", false), ("on", false)] {
        let mut connection = PgConnection::establish(&url).unwrap();
        connection.batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = {setting}")).unwrap();
        drop(connection);
        let log = log();
        assert_eq!(log.contains("synchronous_commit is off"), is_warned, "{setting}: {log}");
    }
}
