//! The `audit` commands on a live server, on a database copy without secrets, and on a file alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use keydesk::domain::trail::checkpoint::CheckpointSigner;
use keydesk::domain::trail::export::Header;

use super::exports::{Writer, read};
use super::{add_events, download_evidence, export};
use crate::cli::{keydesk, text};
use crate::support::{Browser, TestServer, database};

/// A server with events, and a folder with the public key and a checkpoint from halfway.
struct Setup {
    server: TestServer,
    admin: Browser,
    files: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let server = TestServer::start();
        add_events(&server);
        let admin = server.admin();
        let setup = Self { server, admin, files: tempfile::tempdir().unwrap() };
        let (vkey, checkpoint) = download_evidence(&setup.admin);
        setup.write("key", &vkey);
        setup.write("old", &checkpoint);
        add_events(&setup.server);
        setup
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.files.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.files.path().join(name)).unwrap()
    }

    /// Runs a command in the folder, on the server's database. Returns the exit code and the output.
    fn audit(&self, words: &str) -> (i32, String) {
        let mut command = keydesk(self.server.folder.path());
        command.args(["--database-url", &self.server.database_url]);
        run(command, self.files.path(), words)
    }

    /// Runs a command without an installation. Fails if the command creates one.
    fn audit_alone(&self, words: &str) -> (i32, String) {
        let nowhere = self.files.path().join("nowhere");
        let answer = run(keydesk(&nowhere), self.files.path(), words);
        assert!(!nowhere.exists(), "the command created a data folder");
        answer
    }
}

/// Runs a command in a folder. Returns the exit code and the output.
pub fn run(mut command: Command, folder: &Path, words: &str) -> (i32, String) {
    let result = command.arg("audit").args(words.split(' ')).current_dir(folder).output().unwrap();
    let output = format!("{}{}", text(&result.stdout), text(&result.stderr));
    assert_eq!(result.stderr.is_empty(), result.status.success(), "{output}");
    (result.status.code().unwrap(), output)
}

#[test]
fn a_live_trail_is_checked_against_a_kept_checkpoint() {
    let setup = Setup::new();
    let size = setup.read("old").lines().nth(1).unwrap().to_owned();
    let as_kept = format!("the first {size} as your checkpoint signs them");
    for words in [
        "verify --checkpoint old --public-key key",
        "verify --company brightwater --checkpoint old --public-key key",
        "verify --checkpoint old",
    ] {
        let (code, output) = setup.audit(words);
        assert!(code == 0 && output.contains(&as_kept), "{words}: {output}");
        assert_eq!(output.contains("as much as you trust it"), !words.contains("key"), "{words}: {output}");
        assert_eq!(output.contains("Installation: "), words == "verify --checkpoint old", "{words}: {output}");
    }
    let (code, output) = setup.audit("verify");
    assert!(code == 0 && output.contains("Brightwater: ") && output.contains("Installation: 0 events"), "{output}");
    setup.server.other_company_admin();
    let (code, output) = setup.audit("verify --company Northwind --checkpoint old");
    assert!(code == 1 && output.contains("belongs to another trail"), "{output}");
    assert_eq!(setup.audit("verify --company Nowhere").0, 1);
}

#[test]
fn only_a_kept_checkpoint_reveals_a_rewrite_with_the_secrets() {
    let setup = Setup::new();
    let company = setup.server.company("Brightwater");
    let (header, mut events) = read(&export(&setup.admin, ""));
    events[3].comment = Some("Nothing happened.".to_owned());
    let leaves = super::mutation::leaves(&events);
    let tree = super::mutation::tree(&leaves);
    let checkpoint = setup.server.actions.secrets.signer().sign(&header.origin, tree.size(), &tree.root());
    let hex = keydesk::domain::text::normalize::hex;
    let blob = |bytes: &[u8]| match database::postgres() {
        Some(_) => format!("decode('{}', 'hex')", hex(bytes)),
        None => format!("X'{}'", hex(bytes)),
    };
    database::tamper(
        &setup.server.database_url,
        &format!(
            "{} UPDATE events SET comment = 'Nothing happened.', leaf_hash = {} WHERE trail_id = '{company}' AND sequence = 4; \
             UPDATE audit_trails SET frontier = {}, checkpoint = '{checkpoint}' WHERE id = '{company}'",
            database::unlock_events(),
            blob(&leaves[3]),
            blob(&tree.to_bytes())
        ),
    );
    // A server that remembers the checkpoint would notice, so the attacker deletes what it remembers.
    let forgetful = setup.server.second_node();
    let audit = |words: &str| {
        let mut command = keydesk(forgetful.folder.path());
        command.args(["--database-url", &setup.server.database_url, "--secrets-file"]);
        command.arg(setup.server.folder.path().join("secrets"));
        run(command, setup.files.path(), words)
    };
    assert_eq!(audit("verify").0, 0, "with the secrets, every check passes");
    let (code, output) = audit("verify --checkpoint old --public-key key");
    assert!(code == 1 && output.contains("its history was changed"), "{output}");
    let (code, output) = audit("consistency --company Brightwater --from old");
    assert!(code == 1 && output.contains("its history was changed"), "{output}");
    setup.write("export", &export(&forgetful.admin(), ""));
    let (code, output) = setup.audit_alone("verify --file export --checkpoint old --public-key key");
    assert!(code == 1 && output.contains("its history was changed"), "{output}");
}

#[test]
fn a_cut_tail_and_forged_or_foreign_checkpoints_are_each_named() {
    let setup = Setup::new();
    let old = setup.read("old");
    let (origin, more) = (old.lines().next().unwrap().to_owned(), 10_000);
    let ours = &setup.server.actions.secrets.signer();
    setup.write("longer", &ours.sign(&origin, more, &[1; 32]));
    setup.write("forged", &CheckpointSigner::from_seed(&[7; 32]).sign(&origin, 3, &[1; 32]));
    setup.write("foreign", &ours.sign("keydesk/elsewhere/else", 3, &[1; 32]));
    setup.write("broken", &old.replace('\n', " "));
    setup.write("export", &export(&setup.admin, ""));
    for (checkpoint, in_database, in_file) in [
        ("longer", "its end was cut off", "its end was cut off"),
        ("forged", "its signature is not valid", "its signature is not valid"),
        ("foreign", "belongs to another trail", "belongs to another trail"),
        ("broken", "belongs to another trail", "not in the format of a checkpoint"),
        ("missing", "missing cannot be read", "missing cannot be read"),
    ] {
        let (code, output) = setup.audit(&format!("verify --checkpoint {checkpoint} --public-key key"));
        assert!(code == 1 && output.contains(in_database), "{checkpoint}: {output}");
        let words = format!("verify --file export --checkpoint {checkpoint} --public-key key");
        let (code, output) = setup.audit_alone(&words);
        assert!(code == 1 && output.contains(in_file), "{checkpoint}: {output}");
    }
}

#[test]
fn a_database_copy_is_checked_without_secrets_or_changes() {
    let setup = Setup::new();
    fs::remove_file(setup.server.folder.path().join("secrets")).unwrap();
    let (code, output) = setup.audit("verify --checkpoint old --public-key key");
    assert!(code == 0 && output.contains("as your checkpoint signs them"), "{output}");
    assert!(!output.contains("the installation's own"), "{output}");
    let (code, output) = setup.audit("verify");
    assert!(
        code == 0 && output.contains("Give the one that you kept by --public-key"),
        "the key is unverified: {output}"
    );
    assert!(!setup.server.folder.path().join("secrets").exists());
    assert_eq!(setup.audit("checkpoint --company Brightwater").0, 1, "other commands need the secrets");
}

#[test]
fn a_file_is_checked_without_an_installation() {
    super::require_python();
    let setup = Setup::new();
    setup.write("all", &export(&setup.admin, ""));
    setup.write("some", &export(&setup.admin, "?action=api_key.revoked"));
    let (code, output) = setup.audit_alone("verify --file all --checkpoint old --public-key key");
    assert!(
        code == 0 && output.contains("“Brightwater”: all ") && output.contains("that your checkpoint signs"),
        "{output}"
    );
    let (code, output) = setup.audit_alone("verify --file some");
    assert!(code == 0 && output.contains("8 of ") && output.contains("Give the one that you kept"), "{output}");
    let (code, output) = setup.audit_alone("verify --file some --checkpoint old --public-key key");
    assert!(code == 1 && output.contains("keydesk audit consistency"), "{output}");
    let size = read(&setup.read("some")).0.checkpoint.lines().nth(1).unwrap().to_owned();
    let proof = setup.audit(&format!("consistency --company Brightwater --from old --to {size}"));
    assert_eq!(proof.0, 0, "{}", proof.1);
    setup.write("proof", &proof.1);
    let with_proof = "verify --file some --checkpoint old --public-key key --consistency proof";
    let (code, output) = setup.audit_alone(with_proof);
    assert!(code == 0 && output.contains("that your checkpoint signs"), "{output}");
    let python = [("", "some"), ("--public-key", "key"), ("--checkpoint", "old"), ("--consistency", "proof")];
    let files = python.map(|(option, name)| (option, setup.read(name)));
    let files: Vec<_> = files.iter().map(|(option, content)| (*option, content.as_bytes())).collect();
    assert!(super::verifier_parity::python(&files).status.success());
    assert!(!super::verifier_parity::python(&files[..3]).status.success());
    setup.admin.create_key("Later");
    let latest = setup.audit("consistency --company Brightwater --from old");
    assert!(latest.0 == 0 && latest.1.contains("\"checkpoint\":\"keydesk/"), "{}", latest.1);
    setup.write("proof", &latest.1);
    let (code, output) = setup.audit_alone(with_proof);
    assert!(code == 1 && output.contains("does not connect"), "{output}");
}

#[test]
fn a_changed_export_is_refused_with_the_line() {
    let setup = Setup::new();
    let all = export(&setup.admin, "");
    setup.write("changed", &all.replacen("Seen in a ticket.", "Seen in a locket.", 2));
    setup.write("cut", &all[..all.len() / 2]);
    setup.write("empty", "");
    for (file, named) in [
        ("changed", "in line "),
        ("cut", "is cut off after line"),
        ("empty", "does not start with the header"),
        ("key", "does not start with the header"),
    ] {
        let (code, output) = setup.audit_alone(&format!("verify --file {file} --public-key key"));
        assert!(
            code == 1 && output.contains(named) && output.contains("The export does not verify"),
            "{file}: {output}"
        );
    }
    let (code, output) = setup.audit_alone("verify --file changed --public-key old");
    assert!(code == 1 && output.contains("old holds no public key"), "{output}");
}

#[test]
fn a_bare_key_is_accepted_and_wrong_usage_exits_with_2() {
    let setup = Setup::new();
    setup.write("all", &export(&setup.admin, ""));
    let key = setup.server.actions.secrets.signer().public_key().to_bytes();
    setup.write("bare", &keydesk::domain::text::normalize::hex(&key));
    assert_eq!(setup.audit_alone("verify --file all --checkpoint old --public-key bare").0, 0);
    setup.write(
        "bare",
        &keydesk::domain::text::normalize::hex(&CheckpointSigner::from_seed(&[7; 32]).public_key().to_bytes()),
    );
    let (code, output) = setup.audit_alone("verify --file all --public-key bare");
    assert!(code == 1 && output.contains("not signed under the public key"), "{output}");
    for wrong in [
        "verify --file all --company Brightwater",
        "verify --consistency proof",
        "consistency --company Brightwater",
        "consistency --company Brightwater --from old --to many",
    ] {
        assert_eq!(setup.audit(wrong).0, 2, "{wrong}");
    }
    let named = setup.audit("consistency --from old");
    assert_eq!(named, setup.audit("consistency --company Brightwater --from old"), "the checkpoint names its trail");
    assert_eq!(named.0, 0);
    let (code, output) = setup.audit("consistency --company Brightwater --from old --to 2");
    assert!(code == 1 && output.contains("Give a size from"), "{output}");
}

#[test]
fn an_export_of_another_company_is_refused() {
    let setup = Setup::new();
    let elsewhere = setup.server.other_company_admin();
    setup.write("theirs", &export(&elsewhere, ""));
    let (code, output) = setup.audit_alone("verify --file theirs --public-key key");
    assert!(code == 1 && output.contains("belongs to another trail"), "{output}");
    let (code, output) = setup.audit_alone("verify --file theirs --checkpoint old");
    assert!(code == 1 && output.contains("belongs to another trail"), "{output}");
}

#[test]
fn a_file_cannot_forge_a_verdict() {
    const FORGED: &str = "Brightwater”: all 9 events\n\u{1b}[2J\u{202e}“Brightwater";
    let setup = Setup::new();
    let (header, events) = read(&export(&setup.admin, ""));
    let signer = CheckpointSigner::from_seed(&[7; 32]);
    let origin = header.origin.clone();
    let named = Header { company_name: FORGED.to_owned(), ..header };
    let write = |header: &Header| {
        Writer { header: header.clone(), events: &events, signer: &signer, former: &[] }.write(None, |_| true)
    };
    let written = write(&named);
    setup.write("named", &written);
    let name = "keydesk/”:\u{1b}[2J\u{202e}/x";
    setup.write("foreign-key", &signer.public_key().to_vkey(name));
    setup.write("own-key", &signer.public_key().to_vkey(&origin));
    let (code, output) = setup.audit_alone("verify --file named --public-key own-key");
    let escaped = r"“Brightwater\u{201d}: all 9 events\u{a}\u{1b}[2J\u{202e}\u{201c}Brightwater”: all ";
    assert!(code == 0 && output.starts_with(escaped) && output.lines().count() == 1, "{output}");
    let (code, output) = setup.audit_alone("verify --file named --public-key foreign-key");
    let escaped = r"belongs to another trail, “keydesk/\u{201d}:\u{1b}[2J\u{202e}/x”.";
    assert!(code == 1 && output.contains(escaped) && output.lines().count() == 1, "{output}");
}
