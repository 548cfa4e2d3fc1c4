//! Files that a command reads: exports, checkpoints, proofs and imports.

use keydesk::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner};
use keydesk::domain::trail::consistency_file::ConsistencyFile;
use keydesk::domain::trail::export_check::{ExportCheck, TrustAnchor};
use keydesk::domain::trail::key_change::KeyChange;

use super::fuzz;
use crate::cli::{run, text};
use crate::support::{AUDIT_TRAIL, TestServer};

fn export(server: &TestServer) -> Vec<u8> {
    server.admin().create_key("ERP Sync");
    server.admin().get(&format!("{AUDIT_TRAIL}/export.jsonl")).expect(200).body.into_bytes()
}

fn is_verified(export: &[u8], anchor: &TrustAnchor) -> bool {
    let mut lines = export.split_inclusive(|byte| *byte == b'\n');
    let Ok(mut check) = ExportCheck::start(lines.next().unwrap_or_default(), anchor) else { return false };
    lines.all(|line| check.check_line(line).is_ok()) && check.finish().is_ok()
}

#[test]
fn no_changed_export_is_verified() {
    let server = TestServer::start();
    let export = export(&server);
    let header: serde_json::Value =
        serde_json::from_slice(export.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let key = CheckpointKey::parse_vkey(header["public_key"].as_str().unwrap()).unwrap();
    let anchor = TrustAnchor { key: Some((key.1, Some(key.0))), ..TrustAnchor::default() };
    assert!(is_verified(&export, &anchor));
    let whole = export.clone();
    fuzz("export", vec![export], |input| {
        assert!(!is_verified(input, &anchor) || same_lines(input, &whole), "a changed export is verified");
    });
}

/// Whether the texts differ by the end of the last line at most.
fn same_lines(one: &[u8], other: &[u8]) -> bool {
    one.strip_suffix(b"\n").unwrap_or(one) == other.strip_suffix(b"\n").unwrap_or(other)
}

#[test]
fn no_changed_checkpoint_is_verified() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    let note = server.admin().get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body;
    let origin = note.lines().next().unwrap().to_owned();
    let key = server.actions.secrets.signer().public_key();
    let expected = key.verify(&note, &origin).unwrap();
    let signer = &server.actions.secrets.signer();
    let change = KeyChange::sign(&origin, expected, signer, &CheckpointSigner::from_seed(&[7; 32]));
    let expected_change = KeyChange::read(&change, &origin);
    let seeds = vec![note.into_bytes(), key.to_vkey(&origin).into_bytes(), change.into_bytes()];
    fuzz("checkpoint", seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let change = KeyChange::read(&text, &origin);
        assert!(change.is_err() || change == expected_change);
        // Lines of other keys may follow, but the signed text is the same.
        assert!(key.verify(&text, &origin).is_ok_and(|found| found == expected) || key.verify(&text, &origin).is_err());
        let _ = CheckpointKey::parse_vkey(&text);
        let _ = CheckpointKey::parse_raw(&text);
        let _ = ConsistencyFile::parse(&text);
    });
}

#[test]
fn any_import_is_reported() {
    let server = TestServer::start();
    let path = server.folder.path().join("keys.csv");
    let file = path.to_str().unwrap().to_owned();
    // Each input takes a process of its own.
    let mut turn = 0_u32;
    fuzz("import", vec![], |input| {
        turn += 1;
        if super::long_run().is_none() && turn > 40 {
            return;
        }
        std::fs::write(&path, input).unwrap();
        let arguments = ["key", "import", "--company", "Brightwater", "--dry-run", &file];
        let output = run(server.folder.path(), &server.database_url, &arguments, "");
        let error = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    });
}
