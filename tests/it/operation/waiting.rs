//! A start waits for the database and for other starts, and not for what does not change.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk};
use crate::support::database;

/// The folder of the socket of the PostgreSQL server.
pub fn socket_folder() -> Option<String> {
    let url = database::postgres()?;
    let (_, host) = url.split_once('@').unwrap();
    Some(host.split('/').next().unwrap().replace("%2F", "/"))
}

#[test]
fn a_server_waits_for_its_database_and_says_so() {
    let Some(sockets) = socket_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let name = url.rsplit('/').next().unwrap();
    let missing = folder.path().join("sockets");
    std::fs::create_dir(&missing).unwrap();
    let mut command = keydesk(&folder.path().join("data"));
    let host = missing.to_str().unwrap().replace('/', "%2F");
    command.args(["--database-url", &format!("postgres://keydesk@{host}/{name}")]);
    let mut serving = Serving::spawn(command);
    serving.wait_for_log("waiting for the database", 2);
    assert!(serving.written_log().contains("No such file or directory"), "{}", serving.written_log());
    let socket = ".s.PGSQL.5432";
    symlink(Path::new(&sockets).join(socket), missing.join(socket)).unwrap();
    serving.read_lines(2);
    assert!(serving.line("Listening on ").starts_with("http://"));
}

#[test]
fn a_start_does_not_wait_for_a_database_or_a_role_that_does_not_exist() {
    let Some(url) = database::postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let unknown = refusal(folder.path(), &["--database-url", &format!("{server}/no_such_database")], &[]);
    assert!(unknown.contains("no_such_database"), "{unknown}");
    let stranger = server.replace("keydesk@", "stranger@");
    let unknown = refusal(folder.path(), &["--database-url", &format!("{stranger}/postgres")], &[]);
    assert!(unknown.contains("stranger"), "{unknown}");
}

#[test]
fn a_start_waits_for_a_migration_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let data = folder.path().join("data");
    let start = || {
        let mut command = keydesk(&data);
        command.args(["--database-url", &url]);
        Serving::spawn(command)
    };
    let mut serving = if database::postgres().is_some() {
        let mut other = PgConnection::establish(&url).unwrap();
        other.batch_execute("SELECT pg_advisory_lock(x'6b65796465736b'::bigint)").unwrap();
        let serving = start();
        serving.wait_for_log("waiting for the migration by another server", 2);
        serving
    } else {
        std::fs::create_dir(&data).unwrap();
        let lock = File::create(data.join("lock")).unwrap();
        lock.lock().unwrap();
        let serving = start();
        serving.wait_for_log("waiting for another program that starts", 2);
        serving
    };
    serving.read_lines(2);
    assert!(serving.line("Listening on ").starts_with("http://"));
}
