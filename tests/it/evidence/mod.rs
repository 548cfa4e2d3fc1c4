//! The tamper evidence of audit trails and exports, checked against kept checkpoints.

mod commands;
mod database;
mod export_roundtrip;
mod exports;
mod key_changes;
mod mutation;
mod random;
mod state;
mod verifier_parity;

use keydesk::domain::trail::checkpoint::CheckpointKey;
use keydesk::domain::trail::export_check::{ExportCheck, ExportSummary, TrustAnchor};
use keydesk::domain::trail::export_error::ExportError;

use crate::support::{AUDIT_TRAIL, Browser, TestServer};

/// Adds events with quotes, right-to-left names and multi-line comments.
fn add_events(server: &TestServer) {
    let admin = server.admin();
    let names = ["ERP Sync", "Gdańsk “Scanner” \\ 2", "שירות דיווח", "=SUM(A1)"];
    for name in names {
        let (id, key) = admin.create_key(name);
        let more = admin.save(&format!("{}/{id}/edit", crate::support::API_KEYS), &[("name", &format!("{name} II"))]);
        assert!(matches!(more.status, 303 | 422), "{}", more.body);
        admin.revoke(&id, "compromised", "Seen in a ticket.\r\n\tReplaced \"today\". \u{1F511}").expect(303);
        assert_eq!(server.whoami(&key), 401);
    }
    server.record_usage();
}

/// Downloads the public key and the current checkpoint.
pub fn download_evidence(browser: &Browser) -> (String, String) {
    let checkpoint = browser.get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body;
    (browser.get(&format!("{AUDIT_TRAIL}/public-key")).expect(200).body, checkpoint)
}

fn kept(vkey: &str, checkpoint: &str) -> TrustAnchor {
    let (name, key) = CheckpointKey::parse_vkey(vkey).unwrap();
    TrustAnchor { key: Some((key, Some(name))), checkpoint: Some(checkpoint.to_owned()), consistency: None }
}

fn export(browser: &Browser, query: &str) -> String {
    browser.get(&format!("{AUDIT_TRAIL}/export.jsonl{query}")).expect(200).body
}

/// Fails with the command to run if the independent verifier cannot start.
fn require_python() {
    let found = std::process::Command::new("python3").args(["-c", "import cryptography"]).status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "python3 or its package cryptography is missing. Run tests/install_tools python"
    );
}

/// Checks an export in memory, as the command does with a file.
fn check(export: &[u8], kept: &TrustAnchor) -> Result<ExportSummary, ExportError> {
    let mut lines = export.split_inclusive(|byte| *byte == b'\n');
    let mut check = ExportCheck::start(lines.next().unwrap_or_default(), kept)?;
    lines.try_for_each(|line| check.check_line(line))?;
    check.finish()
}
