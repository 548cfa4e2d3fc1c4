//! Sections about backups of SQLite and what follows a restore.

use std::fs;
use std::process::Stdio;

use super::blocks::assert_like;
use super::{Machine, Sections, walk};
use crate::operation::readiness::wait_until;
use crate::support::database;
use crate::witness::wait_until as wait;

pub const SECTIONS: Sections = &[
    "Back up / Keep the secrets",
    "Back up / SQLite",
    "Restore / SQLite",
    "After the database went back",
    "Check the audit trail",
    "Find out what is wrong",
];

pub const LITESTREAM: Sections = &["Back up / SQLite, continuously", "Restore / SQLite, from Litestream"];

/// A serving installation with a key, and keys of age.
fn set_up(machine: &Machine) {
    machine.set("KEYDESK_DATA_DIR", machine.file("var/lib/keydesk").to_str().unwrap());
    machine.prepare(
        "mkdir -p -m 700 /var/lib/keydesk; systemctl start keydesk; keydesk company add --name 'Brightwater Foods'",
    );
    machine.prepare("printf %s \"$PASSWORD\" | keydesk user add --name Maria --email maria@example.com --role admin --password-stdin");
    machine.prepare("keydesk key create --name 'ERP Sync' > key; age-keygen -o age-key.txt 2>/dev/null");
    machine.set("AGE_RECIPIENT", machine.prepare("age-keygen -y age-key.txt").trim());
}

/// What an admin keeps outside: the checkpoint of the company, and the public key.
fn keep_checkpoint(machine: &Machine) {
    let company = "--company 'Brightwater Foods'";
    machine.prepare(&format!("keydesk audit checkpoint {company} > latest.checkpoint"));
    machine.prepare(&format!("keydesk audit public-key {company} > keydesk.vkey"));
}

#[test]
fn the_commands_that_back_up_and_restore_work() {
    walk(SECTIONS, false, |machine| {
        set_up(machine);
        machine.open("Back up / Keep the secrets");
        machine.run("age --encrypt");
        machine.run("keydesk audit checkpoint");

        machine.open("Back up / SQLite");
        machine.sees_after("keydesk backup /mnt/backups/keydesk-monday", "Backup:");
        machine.run("keydesk backup \"/mnt/backups/keydesk-$(date");
        assert_eq!(fs::read_dir(machine.file("mnt/backups")).unwrap().count(), 2);

        // These changes are lost.
        machine.prepare("keydesk key create --name Orders; keydesk key create --name Reports");
        keep_checkpoint(machine);
        machine.prepare("systemctl stop keydesk");

        machine.open("Restore / SQLite");
        machine.sees_after("install --directory", "Restored:");

        machine.open("After the database went back");
        machine.set("KEYDESK_DATA_DIR", machine.file("var/lib/keydesk-restored").to_str().unwrap());
        let serving = crate::cli::Serving::start(machine.prepared("exec keydesk serve"), 1);
        let browser = machine.browser();
        let key = machine.prepare("cat key");
        browser.bearer("/v1/whoami", key.trim()).expect(503);
        assert!(wait_until(&browser, 503).contains("are missing"));
        let accepted = machine.run("keydesk restore --accept-loss");
        assert!(accepted.contains("are missing"), "{accepted}");
        wait("the company is served", || browser.bearer("/v1/whoami", key.trim()).status == 200);

        machine.open("Check the audit trail");
        let verified = machine.run("keydesk audit verify");
        assert!(verified.contains("all as they were recorded"), "{verified}");

        machine.open("Find out what is wrong");
        let [lost, restored] = ["var/lib/keydesk", "var/lib/keydesk-restored"].map(|path| machine.file(path));
        machine.replace(lost.to_str().unwrap(), restored.to_str().unwrap());
        let (mut examination, shown) = machine.transcript("keydesk doctor");
        let examined = crate::cli::text(&examination.output().unwrap().stdout);
        let subject = |line: &str| line.split_once(": ").unwrap().0.to_owned();
        let subjects = |text: &str| text.lines().map(subject).collect::<Vec<_>>();
        assert_eq!(subjects(&shown), subjects(&examined));
        let good = shown.lines().filter(|line| !line.starts_with("disk") && !line.starts_with("backup"));
        assert_like(good, &examined.replace(": good. The first", ": good\n"));
        machine.pass("HEALTHCHECK");
        assert_eq!(serving.stop(), 0);
    });
}

#[test]
fn the_commands_for_litestream_work() {
    walk(LITESTREAM, false, |machine| {
        set_up(machine);
        machine.prepare("age --encrypt --recipient \"$AGE_RECIPIENT\" --output /mnt/secrets/keydesk-secrets.age /var/lib/keydesk/secrets");
        let configuration = machine.own(include_str!("../../../../deploy/litestream.yml"));
        fs::write(machine.file("etc/litestream.yml"), configuration).unwrap();
        machine.open("Back up / SQLite, continuously");
        let mut litestream = machine.command("litestream replicate");
        let mut litestream = litestream.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let copy = machine.file("work/attempt.db");
        let url = format!("sqlite://{}", copy.display());
        wait("the replica has the key", || {
            let _ = fs::remove_file(&copy);
            let script = "litestream restore -config /etc/litestream.yml -o attempt.db /var/lib/keydesk/keydesk.db";
            machine.prepared(script).output().unwrap().status.success()
                && database::count(&url, "api_keys", "true") == 1
        });
        keep_checkpoint(machine);
        litestream.kill().unwrap();
        litestream.wait().unwrap();
        machine.prepare("systemctl stop keydesk");
        machine.open("Restore / SQLite, from Litestream");
        let verified = machine.run("install --directory");
        assert!(verified.contains("all as they were recorded"), "{verified}");
    });
}
