//! A key that was replaced: verifiers follow from an old public key to the latest, and refuse notes that do not lead there.

use std::fs;
use std::sync::Arc;

use keydesk::actions::{KeyChangeError, record_key_change};
use keydesk::domain::ids::TrailId;
use keydesk::domain::text::name::CompanyName;
use keydesk::domain::trail::checkpoint::{Checkpoint, CheckpointSigner, origin, text_of};
use keydesk::domain::trail::key_change::KeyChange;
use tempfile::TempDir;

use super::commands::run;
use super::{add_events, download_evidence, export, require_python, verifier_parity};
use crate::cli::keydesk;
use crate::support::{AUDIT_TRAIL, Browser, TestServer, database};

fn signer(seed: u8) -> CheckpointSigner {
    CheckpointSigner::from_seed(&[seed; 32])
}

/// A server whose key was replaced twice, by those of the seeds 1 and 2, and what an auditor kept under each key.
struct Setup {
    server: TestServer,
    first: Arc<CheckpointSigner>,
    admin: Browser,
    files: TempDir,
}

impl Setup {
    fn new() -> Self {
        let (files, server) = (tempfile::tempdir().unwrap(), TestServer::start());
        server.other_company_admin();
        let first = server.actions.secrets.signer();
        let keep = |server: &TestServer, number: u8| {
            add_events(server);
            let (vkey, checkpoint) = download_evidence(&server.admin());
            fs::write(files.path().join(format!("key{number}")), vkey).unwrap();
            fs::write(files.path().join(format!("kept{number}")), checkpoint).unwrap();
            add_events(server);
        };
        keep(&server, 0);
        let server = server.with_next_key(1, &[]);
        keep(&server, 1);
        let server = server.with_next_key(2, &[]);
        keep(&server, 2);
        let admin = server.admin();
        Self { server, first, admin, files }
    }

    fn trail(&self) -> TrailId {
        self.server.company("Brightwater").into()
    }

    fn origin(&self) -> String {
        origin(self.server.actions.installation, self.trail())
    }

    fn notes(&self, trail: TrailId) -> Vec<String> {
        self.server.actions.store.query(|db| db.trails().key_changes(trail)).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.files.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.files.path().join(name), content).unwrap();
    }

    fn audit(&self, words: &str) -> (i32, String) {
        let mut command = keydesk(self.server.folder.path());
        command.args(["--database-url", &self.server.database_url]);
        run(command, self.files.path(), words)
    }

    fn audit_alone(&self, words: &str) -> (i32, String) {
        run(keydesk(&self.files.path().join("nowhere")), self.files.path(), words)
    }

    /// Replaces the notes of Brightwater's trail in the database.
    fn put_notes(&self, notes: &[String]) {
        let trail = self.trail();
        let row = |(number, note): (usize, &String)| format!("('{trail}', {}, '{note}')", number + 1);
        let rows: Vec<String> = notes.iter().enumerate().map(row).collect();
        let insert = format!("INSERT INTO checkpoint_key_changes VALUES {};", rows.join(", "));
        let insert = if rows.is_empty() { String::new() } else { insert };
        let statements = format!("DELETE FROM checkpoint_key_changes WHERE trail_id = '{trail}'; {insert}");
        database::tamper(&self.server.database_url, &statements);
    }
}

/// The tree that a note signs.
fn tree(note: &str, signer: &CheckpointSigner) -> Checkpoint {
    signer.public_key().verify(note, note.lines().next().unwrap()).unwrap()
}

/// A note's text with the lines of these signatures.
fn with_signatures(note: &str, lines: &[&str]) -> String {
    format!("{}\n\n{}\n", text_of(note), lines.join("\n"))
}

fn signature(note: &str, number: usize) -> &str {
    note.lines().filter(|line| line.starts_with("— ")).nth(number).unwrap()
}

#[test]
fn a_trail_is_followed_from_an_old_public_key() {
    let setup = Setup::new();
    let changes: Vec<String> = (setup.notes(setup.trail()).iter().zip(1..))
        .map(|(note, seed)| {
            let (size, key) = (tree(note, &signer(seed)).size, signer(seed).public_key().to_vkey(&setup.origin()));
            format!("Brightwater: its signing key was changed after event {size}; the public key since then is {key}\n")
        })
        .collect();
    assert_eq!(changes.len(), 2);
    for (key, kept, said) in [(0, 0, 2), (0, 1, 2), (0, 2, 2), (1, 0, 1), (1, 2, 1), (2, 0, 0), (2, 1, 0), (2, 2, 0)] {
        let size = setup.read(&format!("kept{kept}")).lines().nth(1).unwrap().to_owned();
        let (code, output) = setup.audit(&format!("verify --checkpoint kept{kept} --public-key key{key}"));
        assert!(code == 0 && output.contains(&format!("the first {size} as your checkpoint signs them")), "{output}");
        assert_eq!(output.matches("its signing key was changed").count(), said, "{output}");
        assert!(changes[2 - said..].iter().all(|change| output.contains(change)), "{output}");
    }
    let (code, output) = setup.audit("verify");
    assert!(code == 0 && output.contains("Northwind: ") && !output.contains("changed"), "{output}");
    assert_eq!(setup.audit("public-key --company Brightwater"), (0, setup.read("key2")), "it is the active key");
    assert_eq!(setup.audit("consistency --from kept0").0, 0);
    setup.server.check_state();
    assert_eq!(setup.server.metric("keydesk_audit_check_differences"), Some(0.0));
    let stored = setup.admin.get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200).body;
    assert!(signer(2).public_key().verify(&stored, &setup.origin()).is_ok());
}

#[test]
fn an_export_is_followed_from_an_old_public_key() {
    require_python();
    let setup = Setup::new();
    let size = setup.read("kept0").lines().nth(1).unwrap().to_owned();
    setup.write("all", &export(&setup.admin, ""));
    setup.write("some", &export(&setup.admin, &format!("?action=api_key.revoked&since={size}")));
    for (file, key, kept, said) in
        [("all", 0, 0, 2), ("all", 0, 2, 2), ("all", 1, 0, 1), ("all", 2, 1, 0), ("some", 0, 0, 2)]
    {
        let (code, output) =
            setup.audit_alone(&format!("verify --file {file} --public-key key{key} --checkpoint kept{kept}"));
        assert!(
            code == 0 && output.matches("its signing key was changed after event ").count() == said,
            "{file} {key}: {output}"
        );
        let [export, key, kept] =
            [file.to_owned(), format!("key{key}"), format!("kept{kept}")].map(|it| setup.read(&it));
        let python = verifier_parity::python(&[
            ("", export.as_bytes()),
            ("--public-key", key.as_bytes()),
            ("--checkpoint", kept.as_bytes()),
        ]);
        assert!(python.status.success(), "{file}: {}", String::from_utf8_lossy(&python.stderr));
    }
    let other = signer(7);
    setup.write("foreign", &other.sign(&setup.origin(), 3, &[0; 32]));
    setup.write("foreign-key", &other.public_key().to_vkey(&setup.origin()));
    let early = signer(2).sign(&setup.origin(), 3, &[0; 32]);
    setup.write("early", &early);
    for (words, sentence) in [
        ("--public-key key0 --checkpoint foreign", "its signature is not valid"),
        ("--public-key key0 --checkpoint early", "signs this trail only from"),
        ("--public-key foreign-key --checkpoint kept0", "not signed under"),
    ] {
        let (code, output) = setup.audit_alone(&format!("verify --file all {words}"));
        assert!(code == 1 && output.contains(sentence), "{words}: {output}");
        let (code, output) = setup.audit(&format!("verify {words}"));
        assert!(code == 1 && output.contains(sentence), "{words}: {output}");
    }
}

#[test]
fn notes_that_do_not_lead_to_the_key_are_found() {
    let setup = Setup::new();
    let (trail, origin) = (setup.trail(), setup.origin());
    let notes = setup.notes(trail);
    let [one, two] = &notes[..] else { panic!("{notes:?}") };
    let elsewhere = setup.notes(setup.server.company("Northwind").into());
    let at = tree(two, &signer(2));
    let changed = |size: u64, root| KeyChange::sign(&origin, Checkpoint { size, root }, &signer(1), &signer(2));
    let (other_root, longer) = (changed(at.size, [9; 32]), changed(at.size + 10_000, at.root));
    let forged = with_signatures(two, &[signature(two, 0), signature(&other_root, 1)]);
    // An attacker has the database: an old checkpoint with a signature of their own, and one that names their key.
    let kept = setup.read("kept0");
    let stranger = signer(7).sign(&origin, tree(&kept, &setup.first).size, &tree(&kept, &setup.first).root);
    let countersigned = with_signatures(&kept, &[signature(&kept, 0), signature(&stranger, 0)]);
    let named = KeyChange::sign(&origin, at, &signer(7), &signer(2));
    let named = with_signatures(&named, &[signature(two, 0), signature(&named, 1)]);
    let own_key = "does not verify";
    for (what, notes, sentence) in [
        (
            "one valid and one forged signature",
            vec![one.clone(), forged],
            "change 2 of its signing key is not valid: its signature",
        ),
        ("one signature", vec![one.clone(), with_signatures(two, &[signature(two, 0)])], "its signature is not valid"),
        ("a note of another trail", vec![one.clone(), elsewhere[1].clone()], "it belongs to another trail"),
        ("another root", vec![one.clone(), other_root], "events that a change of its signing key signs"),
        ("more events than there are", vec![one.clone(), longer], "its end was cut off: a change of its signing key"),
        ("a gap at the start", vec![two.clone()], "no change of its signing key leads there"),
        ("a gap at the end", vec![one.clone()], "its signature is not valid"),
        ("no note", vec![], "its signature is not valid"),
        ("swapped notes", vec![two.clone(), one.clone()], "change 2 of its signing key does not continue"),
        (
            "a repeated note",
            vec![one.clone(), one.clone(), two.clone()],
            "change 2 of its signing key does not continue",
        ),
        ("a checkpoint signed twice", vec![countersigned, two.clone()], "not in the format of a checkpoint"),
        ("another key named", vec![one.clone(), named], "its signature is not valid"),
        ("hostile text", vec!["all verified\n\u{202e}".to_owned()], own_key),
    ] {
        setup.put_notes(&notes);
        let (code, output) = setup.audit("verify --checkpoint kept0 --public-key key0");
        assert!(code == 1 && output.contains(sentence), "{what}: {output}");
        assert!(!output.contains("all verified"), "{what}: {output}");
    }
    setup.put_notes(&notes);
    assert_eq!(setup.audit("verify --checkpoint kept0 --public-key key0").0, 0);
}

#[test]
fn an_attacker_without_the_keys_cannot_continue_a_trail() {
    let setup = Setup::new();
    let (trail, stranger) = (setup.trail(), signer(7));
    let head = setup.server.actions.store.query(|db| db.trails().head(trail)).unwrap();
    let at = tree(&head.checkpoint, &signer(2));
    let signed = stranger.sign(&setup.origin(), at.size, &at.root);
    database::tamper(
        &setup.server.database_url,
        &format!("UPDATE audit_trails SET checkpoint = '{signed}' WHERE id = '{trail}'"),
    );
    let mut notes = setup.notes(trail);
    notes.push(KeyChange::sign(&setup.origin(), at, &stranger, &signer(8)));
    for (notes, found) in [
        (&notes[..2], "the checkpoint is not valid: its signature is not valid"),
        (&notes, "change 3 of its signing key does not continue the one before it"),
    ] {
        setup.put_notes(notes);
        let (code, output) = setup.audit("verify --company Brightwater --public-key key0");
        assert!(code == 1 && output.contains(&format!("Brightwater: {found}\n")), "{output}");
    }
    assert_eq!(setup.admin.add_key("ERP Sync 3").status, 503, "the server does not sign over it");
}

#[test]
fn a_server_with_the_former_key_verifies_and_does_not_sign() {
    let former = TestServer::start();
    let admin = former.admin();
    let (_, key) = admin.create_key("ERP Sync");
    former.compare_trails();
    let server = former.with_next_key(1, &[]);
    server.admin().create_key("Reporting");
    former.compare_trails();
    assert_eq!((former.whoami(&key), server.whoami(&key)), (200, 200));
    let head = || {
        let trail = server.company("Brightwater").into();
        server.actions.store.query(|db| db.trails().head(trail)).unwrap().checkpoint
    };
    let before = head();
    assert_eq!(admin.add_key("Scanner").status, 503);
    assert_eq!(head(), before);
}

#[test]
fn a_key_change_is_complete_and_can_be_repeated() {
    let server = TestServer::start();
    let (actions, first) = (&server.actions, &server.actions.secrets.signer());
    let record = |former: &CheckpointSigner, next: &CheckpointSigner| {
        actions.store.write(|tx| record_key_change(tx, actions.installation, former, next))
    };
    assert_eq!(record(first, &signer(1)).unwrap(), 2, "Brightwater and the installation");
    assert_eq!(record(first, &signer(1)).unwrap(), 0);
    // A server that only has the former key adds no trail, which that key would sign.
    assert!(actions.add_company(&CompanyName::parse("Northwind").unwrap()).is_err());
    assert_eq!(record(first, &signer(1)).unwrap(), 0);
    let stored = actions.store.query(|db| db.installation().get()).unwrap().unwrap();
    assert_eq!(stored.checkpoint_key, signer(1).public_key().to_bytes());
    assert!(matches!(record(&signer(5), &signer(6)), Err(KeyChangeError::Broken(_))));
    assert!(matches!(record(&signer(1), first), Err(KeyChangeError::Repeated(_))));
    let stored = actions.store.query(|db| db.installation().get()).unwrap().unwrap();
    assert_eq!(stored.checkpoint_key, signer(1).public_key().to_bytes(), "a refused change changes nothing");
    database::tamper(&server.database_url, "UPDATE audit_trails SET size = size + 1");
    assert!(matches!(record(&signer(1), &signer(2)), Err(KeyChangeError::Broken(_))));
}
