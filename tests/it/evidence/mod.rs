//! The trail proven to somebody who does not trust the server: exports, kept checkpoints, and who changed what in between.

mod agreement;
mod commands;
mod database;
mod exports;
mod journey;
mod mutation;
mod random;

use keydesk::domain::checkpoint::CheckpointKey;
use keydesk::domain::export_check::{Checked, ExportCheck, Kept};
use keydesk::domain::export_misfit::ExportMisfit;

use crate::support::{Browser, T, TestServer};

/// A company with a history of every kind: names with quotes and from right to left, comments of several lines.
fn history(server: &TestServer) {
    let admin = server.admin();
    let names = ["ERP Sync", "Gdańsk “Scanner” \\ 2", "שירות דיווח", "=SUM(A1)"];
    for name in names {
        let (id, key) = admin.create_key(name);
        let more = admin.post(&format!("{}/{id}/edit", crate::support::K), &[("name", &format!("{name} II"))]);
        assert!(matches!(more.status, 303 | 422), "{}", more.body);
        admin.revoke(&id, "compromised", "Seen in a ticket.\r\n\tReplaced \"today\". \u{1F511}").expect(303);
        assert_eq!(server.whoami(&key), 401);
    }
    server.record_usage();
}

/// What somebody keeps: the public key and the checkpoint of now, as the pages give them.
fn keep(browser: &Browser) -> (String, String) {
    let checkpoint = browser.get(&format!("{T}/checkpoint")).expect(200).body;
    (browser.get(&format!("{T}/public-key")).expect(200).body, checkpoint)
}

fn kept(vkey: &str, checkpoint: &str) -> Kept {
    let (name, key) = CheckpointKey::parse_vkey(vkey).unwrap();
    Kept { key: Some((key, Some(name))), checkpoint: Some(checkpoint.to_owned()), consistency: None }
}

fn export(browser: &Browser, query: &str) -> String {
    browser.get(&format!("{T}/export.jsonl{query}")).expect(200).body
}

/// Says what to run where the independent verifier cannot start.
fn python_is_there() {
    let found = std::process::Command::new("python3").args(["-c", "import cryptography"]).status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "python3 or its package cryptography is missing: run tests/install_tools python"
    );
}

/// What the command does with a file, in memory.
fn check(export: &[u8], kept: &Kept) -> Result<Checked, ExportMisfit> {
    let mut lines = export.split_inclusive(|byte| *byte == b'\n');
    let mut check = ExportCheck::begin(lines.next().unwrap_or_default(), kept)?;
    lines.try_for_each(|line| check.take(line))?;
    check.finish()
}
