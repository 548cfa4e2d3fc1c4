//! Files, secrets and the disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{NO_SERVER, examine, serve};
use crate::cli::{called_by, keydesk_at, text};
use crate::support::{TestServer, database};

#[test]
fn a_folder_that_others_can_write_is_named() {
    let server = TestServer::start();
    fs::set_permissions(server.folder.path(), Permissions::from_mode(0o777)).unwrap();
    let examined = examine(server.folder.path(), &server.database_url, &server.address.to_string(), &[]);
    examined.expect(10, "files: The data folder ");
    assert!(examined.lines.contains("can be written by others (mode 0777). Run: chmod go-w"), "{}", examined.lines);
    // It does not hide the rest.
    assert!(examined.lines.contains("server: good"), "{}", examined.lines);
}

#[test]
fn missing_foreign_and_open_secrets_are_named() {
    let (server, other) = (TestServer::start(), TestServer::start());
    let secrets = server.folder.path().join("secrets");
    let examined = || examine(server.folder.path(), &server.database_url, NO_SERVER, &[]);
    fs::set_permissions(&secrets, Permissions::from_mode(0o644)).unwrap();
    examined().expect(14, "secrets: The secrets file ");
    fs::remove_file(&secrets).unwrap();
    examined().expect(14, "secrets: The secrets file ");
    assert!(!secrets.exists(), "new secrets were created");
    fs::copy(other.folder.path().join("secrets"), &secrets).unwrap();
    let examined = examined();
    examined.expect(14, "secrets: The secrets file ");
    assert!(examined.lines.contains("belongs to another database"), "{}", examined.lines);
}

#[test]
fn a_disk_that_is_almost_full_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let mut program = keydesk_at(folder.path(), NO_SERVER);
    // A small disk of its own, which only the command sees.
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=6m,mode=700 tmpfs \"$0\" && exec \"$@\"").arg(folder.path());
    program.args(["doctor", "--database-url", &url]);
    let output = called_by(command, &program).output().unwrap();
    let lines = text(&output.stdout);
    assert!(
        lines.contains("disk: 6 MiB are free on the disk of ") || lines.contains("disk: 5 MiB are free"),
        "{lines}"
    );
}

#[test]
fn an_older_state_of_the_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let serving = serve(folder.path(), &url, &[]);
    serving.set_up();
    assert_eq!(serving.stop(), 0);
    database::tamper(&url, "UPDATE audit_trails SET size = 0, checkpoint = '' WHERE size > 0");
    examine(folder.path(), &url, NO_SERVER, &[])
        .expect(15, "audit trails: The database was put back to an older state: ");
}
