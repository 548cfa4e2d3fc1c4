//! The commands by which somebody checks: of a live server, of a copy without secrets, of a file alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use keydesk::domain::checkpoint::CheckpointSigner;

use super::exports::read;
use super::{export, history, keep};
use crate::cli::{keydesk, text};
use crate::support::{Browser, TestServer, database};

/// A server with a history, what somebody kept midway, and a folder of theirs with those files.
struct Scene {
    server: TestServer,
    admin: Browser,
    files: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let server = TestServer::start();
        history(&server);
        let admin = server.admin();
        let scene = Self { server, admin, files: tempfile::tempdir().unwrap() };
        let (vkey, checkpoint) = keep(&scene.admin);
        scene.write("key", &vkey);
        scene.write("old", &checkpoint);
        history(&scene.server);
        scene
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.files.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.files.path().join(name)).unwrap()
    }

    /// The command in the folder with the files, on the server's database: its exit code and what it said.
    fn audit(&self, words: &str) -> (i32, String) {
        let mut command = keydesk(self.server.folder.path());
        command.args(["--database-url", &self.server.database_url]);
        run(command, self.files.path(), words)
    }

    /// The same where there is no installation at all: nothing may be made there.
    fn audit_alone(&self, words: &str) -> (i32, String) {
        let nowhere = self.files.path().join("nowhere");
        let answer = run(keydesk(&nowhere), self.files.path(), words);
        assert!(!nowhere.exists(), "a data folder was made");
        answer
    }
}

fn run(mut command: Command, folder: &Path, words: &str) -> (i32, String) {
    let output = command.arg("audit").args(words.split(' ')).current_dir(folder).output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.stderr.is_empty(), output.status.success(), "{said}");
    (output.status.code().unwrap(), said)
}

#[test]
fn a_live_trail_is_held_against_a_checkpoint_that_was_kept() {
    let scene = Scene::new();
    let size = scene.read("old").lines().nth(1).unwrap().to_owned();
    let as_kept = format!("the first {size} as your checkpoint signs them");
    for words in [
        "verify --checkpoint old --public-key key",
        "verify --company brightwater --checkpoint old --public-key key",
        "verify --checkpoint old",
    ] {
        let (code, said) = scene.audit(words);
        assert!(code == 0 && said.contains(&as_kept), "{words}: {said}");
        assert_eq!(said.contains("as much as you trust it"), !words.contains("key"), "{words}: {said}");
        assert_eq!(said.contains("Installation: "), words == "verify --checkpoint old", "{words}: {said}");
    }
    let (code, said) = scene.audit("verify");
    assert!(code == 0 && said.contains("Brightwater: ") && said.contains("Installation: 0 events"), "{said}");
    scene.server.admin_elsewhere();
    let (code, said) = scene.audit("verify --company Northwind --checkpoint old");
    assert!(code == 1 && said.contains("belongs to another trail"), "{said}");
    assert_eq!(scene.audit("verify --company Nowhere").0, 1);
}

#[test]
fn a_history_written_anew_with_the_real_secrets_is_refused_by_a_kept_checkpoint_alone() {
    let scene = Scene::new();
    let company = scene.server.company("Brightwater");
    let (header, mut events) = read(&export(&scene.admin, ""));
    events[3].comment = Some("Nothing happened.".to_owned());
    let leaves = super::mutation::leaves(&events);
    let tree = super::mutation::tree(&leaves);
    let checkpoint = scene.server.actions.secrets.signer.sign(&header.origin, tree.size(), &tree.root());
    let hex = keydesk::domain::text::hex;
    let blob = |bytes: &[u8]| match database::postgres() {
        Some(_) => format!("decode('{}', 'hex')", hex(bytes)),
        None => format!("X'{}'", hex(bytes)),
    };
    database::tamper(
        &scene.server.database_url,
        &format!(
            "{} UPDATE events SET comment = 'Nothing happened.', leaf_hash = {} WHERE trail_id = '{company}' AND sequence = 4; \
             UPDATE audit_trails SET frontier = {}, checkpoint = '{checkpoint}' WHERE id = '{company}'",
            database::unlock_events(),
            blob(&leaves[3]),
            blob(&tree.to_bytes())
        ),
    );
    assert_eq!(scene.audit("verify").0, 0, "the secrets make anything fit");
    let (code, said) = scene.audit("verify --checkpoint old --public-key key");
    assert!(code == 1 && said.contains("its history was changed"), "{said}");
    let (code, said) = scene.audit("consistency --company Brightwater --from old");
    assert!(code == 1 && said.contains("its history was changed"), "{said}");
    scene.write("export", &export(&scene.admin, ""));
    let (code, said) = scene.audit_alone("verify --file export --checkpoint old --public-key key");
    assert!(code == 1 && said.contains("its history was changed"), "{said}");
}

#[test]
fn a_cut_tail_and_forged_or_foreign_checkpoints_are_each_named() {
    let scene = Scene::new();
    let old = scene.read("old");
    let (origin, more) = (old.lines().next().unwrap().to_owned(), 10_000);
    let ours = &scene.server.actions.secrets.signer;
    scene.write("longer", &ours.sign(&origin, more, &[1; 32]));
    scene.write("forged", &CheckpointSigner::from_seed(&[7; 32]).sign(&origin, 3, &[1; 32]));
    scene.write("foreign", &ours.sign("keydesk/elsewhere/else", 3, &[1; 32]));
    scene.write("broken", &old.replace('\n', " "));
    scene.write("export", &export(&scene.admin, ""));
    for (checkpoint, in_database, in_file) in [
        ("longer", "its tail was cut", "its tail was cut"),
        ("forged", "its signature does not fit", "its signature does not fit"),
        ("foreign", "belongs to another trail", "belongs to another trail"),
        ("broken", "belongs to another trail", "not in the form of a checkpoint"),
        ("missing", "missing cannot be read", "missing cannot be read"),
    ] {
        let (code, said) = scene.audit(&format!("verify --checkpoint {checkpoint} --public-key key"));
        assert!(code == 1 && said.contains(in_database), "{checkpoint}: {said}");
        let words = format!("verify --file export --checkpoint {checkpoint} --public-key key");
        let (code, said) = scene.audit_alone(&words);
        assert!(code == 1 && said.contains(in_file), "{checkpoint}: {said}");
    }
}

#[test]
fn a_copy_of_the_database_is_checked_without_the_secrets_and_stays_as_it_is() {
    let scene = Scene::new();
    fs::remove_file(scene.server.folder.path().join("secrets")).unwrap();
    let (code, said) = scene.audit("verify --checkpoint old --public-key key");
    assert!(code == 0 && said.contains("as your checkpoint signs them"), "{said}");
    assert!(!said.contains("the installation's own"), "{said}");
    let (code, said) = scene.audit("verify");
    assert!(code == 0 && said.contains("Give the one that you kept by --public-key"), "whose key it is: {said}");
    assert!(!scene.server.folder.path().join("secrets").exists());
    assert_eq!(scene.audit("checkpoint --company Brightwater").0, 1, "other commands need them");
}

#[test]
fn a_file_is_checked_where_there_is_no_installation() {
    super::python_is_there();
    let scene = Scene::new();
    scene.write("all", &export(&scene.admin, ""));
    scene.write("some", &export(&scene.admin, "?action=api_key.revoked"));
    let (code, said) = scene.audit_alone("verify --file all --checkpoint old --public-key key");
    assert!(code == 0 && said.contains("Brightwater: all ") && said.contains("that your checkpoint signs"), "{said}");
    let (code, said) = scene.audit_alone("verify --file some");
    assert!(code == 0 && said.contains("8 of ") && said.contains("Give the one that you kept"), "{said}");
    let (code, said) = scene.audit_alone("verify --file some --checkpoint old --public-key key");
    assert!(code == 1 && said.contains("keydesk audit consistency"), "{said}");
    let size = read(&scene.read("some")).0.checkpoint.lines().nth(1).unwrap().to_owned();
    let proof = scene.audit(&format!("consistency --company Brightwater --from old --to {size}"));
    assert_eq!(proof.0, 0, "{}", proof.1);
    scene.write("proof", &proof.1);
    let with_proof = "verify --file some --checkpoint old --public-key key --consistency proof";
    let (code, said) = scene.audit_alone(with_proof);
    assert!(code == 0 && said.contains("that your checkpoint signs"), "{said}");
    let python = [("", "some"), ("--public-key", "key"), ("--checkpoint", "old"), ("--consistency", "proof")];
    let files = python.map(|(option, name)| (option, scene.read(name)));
    let files: Vec<_> = files.iter().map(|(option, content)| (*option, content.as_bytes())).collect();
    assert!(super::agreement::python(&files).status.success());
    assert!(!super::agreement::python(&files[..3]).status.success());
    scene.admin.create_key("Later");
    let latest = scene.audit("consistency --company Brightwater --from old");
    assert!(latest.0 == 0 && latest.1.contains("\"checkpoint\":\"keydesk/"), "{}", latest.1);
    scene.write("proof", &latest.1);
    let (code, said) = scene.audit_alone(with_proof);
    assert!(code == 1 && said.contains("does not connect"), "{said}");
}

#[test]
fn an_export_of_which_a_line_was_changed_is_refused_by_that_event() {
    let scene = Scene::new();
    let all = export(&scene.admin, "");
    scene.write("changed", &all.replacen("Seen in a ticket.", "Seen in a locket.", 2));
    scene.write("cut", &all[..all.len() / 2]);
    scene.write("empty", "");
    for (file, named) in [
        ("changed", "in line "),
        ("cut", "breaks off"),
        ("empty", "does not begin with the header"),
        ("key", "does not begin with the header"),
    ] {
        let (code, said) = scene.audit_alone(&format!("verify --file {file} --public-key key"));
        assert!(code == 1 && said.contains(named) && said.contains("The export does not verify"), "{file}: {said}");
    }
    let (code, said) = scene.audit_alone("verify --file changed --public-key old");
    assert!(code == 1 && said.contains("old holds no public key"), "{said}");
}

#[test]
fn a_bare_key_serves_as_well_and_wrong_usage_exits_with_2() {
    let scene = Scene::new();
    scene.write("all", &export(&scene.admin, ""));
    let key = scene.server.actions.secrets.signer.public_key().to_bytes();
    scene.write("bare", &keydesk::domain::text::hex(&key));
    assert_eq!(scene.audit_alone("verify --file all --checkpoint old --public-key bare").0, 0);
    scene.write("bare", &keydesk::domain::text::hex(&CheckpointSigner::from_seed(&[7; 32]).public_key().to_bytes()));
    let (code, said) = scene.audit_alone("verify --file all --public-key bare");
    assert!(code == 1 && said.contains("not made under the public key"), "{said}");
    for wrong in [
        "verify --file all --company Brightwater",
        "verify --consistency proof",
        "consistency --company Brightwater",
        "consistency --company Brightwater --from old --to many",
    ] {
        assert_eq!(scene.audit(wrong).0, 2, "{wrong}");
    }
    let named = scene.audit("consistency --from old");
    assert_eq!(named, scene.audit("consistency --company Brightwater --from old"), "the checkpoint names its trail");
    assert_eq!(named.0, 0);
    let (code, said) = scene.audit("consistency --company Brightwater --from old --to 2");
    assert!(code == 1 && said.contains("Give a size from"), "{said}");
}

#[test]
fn an_export_of_another_company_is_none_of_this_one() {
    let scene = Scene::new();
    let elsewhere = scene.server.admin_elsewhere();
    scene.write("theirs", &export(&elsewhere, ""));
    let (code, said) = scene.audit_alone("verify --file theirs --public-key key");
    assert!(code == 1 && said.contains("that of another trail"), "{said}");
    let (code, said) = scene.audit_alone("verify --file theirs --checkpoint old");
    assert!(code == 1 && said.contains("belongs to another trail"), "{said}");
}
