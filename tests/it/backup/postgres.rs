//! Backups of PostgreSQL by its own programs, with the commands and files of docs/operating.md.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{ADMIN, Serving, keydesk, run, text};
use crate::operation::page::blocks::block;
use crate::support::cluster::{Cluster, run_program};
use crate::support::{AUDIT_TRAIL, Browser, PASSWORD, TestServer, database};

const DEADLINE: Duration = Duration::from_mins(1);

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < DEADLINE, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn serve(data_dir: &Path, url: &str, lines: usize) -> Serving {
    let mut command = keydesk(data_dir);
    command.args(["--database-url", url]);
    Serving::start(command, lines)
}

#[test]
fn a_dump_is_restored_and_verifies() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let (id, revoked) = admin.create_key("Reporting");
    admin.revoke(&id, "compromised", "").expect(303);
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("keydesk.dump");
    let new = database::new_url(&folder);
    run_program(
        Command::new("pg_dump").args(["--format=custom", "--no-owner", "--file"]).arg(&dump).arg(&server.database_url),
    );
    run_program(Command::new("pg_restore").args(["--exit-on-error", "--no-owner", "--dbname", &new]).arg(&dump));
    fs::copy(server.folder.path().join("secrets"), folder.path().join("secrets")).unwrap();
    let verified = run(folder.path(), &new, &["audit", "verify"], "");
    let printed = text(&verified.stdout);
    assert!(verified.status.success() && printed.contains("all as they were recorded"), "{verified:?}");
    let serving = serve(folder.path(), &new, 1);
    let browser = serving.browser();
    assert_eq!(browser.bearer("/v1/whoami", &key).status, 200);
    assert_eq!(browser.bearer("/v1/whoami", &revoked).status, 401);
    browser.post("/sign-in", &[("email", "maria@brightwater.example"), ("password", PASSWORD)]).expect(303);
    browser.create_key("After the restore");
}

/// A way to archive the write-ahead log, to copy the cluster, and to restore both. The texts are the page's.
struct Method {
    configuration: fn() -> String,
    prepare: fn(&Cluster),
    copy: fn(&Cluster),
    /// Puts the copy in place of the cluster's data, which is gone.
    restore: fn(&Cluster),
}

const BACK_UP: &str = "Back up / PostgreSQL";
const RESTORE: &str = "Restore / PostgreSQL";

/// A block of the page, with the folder of a cluster as `FOLDER`.
fn own(section: &str, beginning: &str) -> String {
    let places = [
        ("/mnt/backups/wal", "FOLDER/wal"),
        ("/mnt/backups/base", "FOLDER/base"),
        ("/mnt/backups/pgbackrest", "FOLDER/repository"),
        ("/var/lib/postgresql/15/main", "FOLDER/data"),
    ];
    places.iter().fold(block(section, beginning).text, |text, (place, own)| text.replace(place, own))
}

fn run_block(cluster: &Cluster, section: &str, beginning: &str) {
    let script = own(section, beginning).replace("FOLDER", cluster.folder().to_str().unwrap());
    run_program(cluster.command("bash").args(["-euc", &script]));
}

const POSTGRESQL: Method = Method {
    configuration: || own(BACK_UP, "archive_mode = on\narchive_command = 'test"),
    prepare: |cluster| {
        run_program(cluster.command("mkdir").arg(cluster.file("wal")));
    },
    copy: |cluster| run_block(cluster, BACK_UP, "pg_basebackup"),
    restore: |cluster| {
        // The configuration is in the copy of the cluster.
        run_block(cluster, RESTORE, "mv /mnt/backups/base");
        cluster.configure(&own(RESTORE, "restore_command"));
    },
};

const PGBACKREST: Method = Method {
    configuration: || own(BACK_UP, "archive_mode = on\narchive_command = 'pgbackrest"),
    prepare: |cluster| {
        let folder = cluster.folder().to_str().unwrap();
        // Where this cluster differs from one of Debian.
        let local = "pg1-socket-path=FOLDER\npg1-user=keydesk\n[global]\nlog-path=FOLDER\nlock-path=FOLDER/locks\nstart-fast=y\n";
        let file = format!("{}\n{local}", own(BACK_UP, "[global]"));
        fs::write(cluster.file("pgbackrest.conf"), file.replace("FOLDER", folder)).unwrap();
        run_block(cluster, BACK_UP, "pgbackrest --stanza=keydesk stanza-create");
    },
    copy: |cluster| run_block(cluster, BACK_UP, "pgbackrest --stanza=keydesk backup"),
    restore: |cluster| {
        run_program(cluster.command("mkdir").args(["-m", "700"]).arg(cluster.file("data")));
        run_block(cluster, RESTORE, "pgbackrest --stanza=keydesk restore");
    },
};

/// An installation on a cluster that is lost after the last archived change. `later` is created, and not archived.
struct Lost {
    data_dir: tempfile::TempDir,
    cluster: Cluster,
    archived: Vec<String>,
    kept: [String; 2],
}

impl Lost {
    fn new(method: &Method) -> Self {
        let (data_dir, cluster) = (tempfile::tempdir().unwrap(), Cluster::new(&(method.configuration)()));
        cluster.start();
        (method.prepare)(&cluster);
        let serving = serve(data_dir.path(), &cluster.url(), 2);
        let admin = serving.set_up();
        let (_, before) = admin.create_key("Before the copy");
        (method.copy)(&cluster);
        let (_, after) = admin.create_key("After the copy");
        archive(&cluster);
        admin.create_key("Never archived");
        let kept = ["checkpoint", "public-key"].map(|name| {
            let path = data_dir.path().join(format!("kept-{name}"));
            fs::write(&path, admin.get(&format!("{AUDIT_TRAIL}/{name}")).expect(200).body).unwrap();
            path.to_str().unwrap().to_owned()
        });
        await_memory(data_dir.path(), &kept[0]);
        cluster.crash();
        drop(serving);
        fs::remove_dir_all(cluster.file("data")).unwrap();
        (method.restore)(&cluster);
        cluster.start();
        Self { data_dir, cluster, archived: vec![before, after], kept }
    }

    fn statuses(&self, browser: &Browser) -> Vec<u16> {
        self.archived.iter().map(|key| browser.bearer("/v1/whoami", key).status).collect()
    }
}

/// Archives all that was committed.
fn archive(cluster: &Cluster) {
    let url = cluster.url();
    let switched = database::column(&url, "pg_walfile_name(pg_switch_wal())", "");
    let archived = || database::column(&url, "last_archived_wal", "FROM pg_stat_archiver");
    wait_for("the log is not archived", || archived()[0] >= switched[0]);
}

/// Waits until the server remembers a checkpoint outside the database.
fn await_memory(data_dir: &Path, checkpoint: &str) {
    let root = fs::read_to_string(checkpoint).unwrap().lines().nth(2).unwrap().to_owned();
    let memory = data_dir.join("remembered-checkpoints");
    wait_for("the checkpoint is not remembered", || fs::read_to_string(&memory).is_ok_and(|text| text.contains(&root)));
}

fn assert_restored_up_to_the_last_archived_change(method: &Method) {
    if database::postgres().is_none() {
        return;
    }
    let lost = Lost::new(method);
    let url = lost.cluster.url();
    // Recovery may still be under way; the server waits for its end.
    let serving = serve(lost.data_dir.path(), &url, 1);
    let browser = serving.browser();
    assert_eq!(lost.statuses(&browser), [503, 503], "{}", serving.log());
    browser.get("/readyz").expect(503);
    let [checkpoint, key] = &lost.kept;
    let words = ["audit", "verify", "--checkpoint", checkpoint, "--public-key", key];
    let verified = run(lost.data_dir.path(), &url, &words, "");
    let printed = text(&verified.stdout);
    assert!(printed.contains("its end was cut off: your checkpoint signs"), "{printed}");
    let accepted = run(lost.data_dir.path(), &url, &["restore", "--accept-loss"], "");
    assert!(text(&accepted.stdout).contains("is missing"), "{accepted:?}");
    wait_for("the server does not go on", || lost.statuses(&browser) == [200, 200]);
    browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect(303);
    browser.create_key("After the restore");
    assert!(run(lost.data_dir.path(), &url, &["audit", "verify"], "").status.success());
}

#[test]
fn a_cluster_is_restored_up_to_the_last_archived_change() {
    assert_restored_up_to_the_last_archived_change(&POSTGRESQL);
}

#[test]
fn a_cluster_is_restored_by_pgbackrest() {
    assert_restored_up_to_the_last_archived_change(&PGBACKREST);
}
