//! A key that was replaced: what was remembered, witnessed and kept under the former key still counts.

use std::fs;

use keydesk::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner, origin};

use super::witnesses::{failure, publish};
use super::{command, keep, put_back, readiness, with_kept_trails};
use crate::cli::text;
use crate::support::companies::add_brightwater;
use crate::support::receiver::Receiver;
use crate::support::{TestServer, database};
use crate::witness::{notes, secret_file};

fn key(seed: u8) -> CheckpointKey {
    CheckpointSigner::from_seed(&[seed; 32]).public_key()
}

fn size_signed_by(server: &TestServer, key: CheckpointKey, note: &str) -> u64 {
    let trail = server.company("Brightwater").into();
    key.verify(note, &origin(server.actions.installation, trail)).unwrap().size
}

#[test]
fn a_trail_signed_again_is_the_remembered_one() {
    let (former, _, _, key) = with_kept_trails();
    let server = former.with_next_key(1, &[]);
    for server in [&server, &former] {
        server.compare_trails();
        assert_eq!((server.whoami(&key), readiness(server)), (200, 200));
    }
    server.admin().create_key("Reporting");
    server.compare_trails();
    assert_eq!((server.whoami(&key), server.second_server().whoami(&key)), (200, 200));
    put_back(&server.database_url, "old");
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
}

#[test]
fn events_lost_before_a_key_change_are_noticed_after_it() {
    let (former, admin, id, key) = with_kept_trails();
    admin.revoke(&id, "compromised", "").expect(303);
    former.compare_trails();
    put_back(&former.database_url, "old");
    let server = former.with_next_key(1, &[]);
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    let verified = command(&server, &["audit", "verify"]);
    assert!(text(&verified.stdout).contains("is missing, as the server remembers"), "{}", text(&verified.stdout));
    assert!(super::accept_loss(&server).status.success());
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (200, 200));
}

#[test]
fn what_a_key_outside_the_chain_has_signed_is_refused() {
    let (former, ..) = with_kept_trails();
    let path = former.folder.path().join("remembered-checkpoints");
    let by_former = fs::read(&path).unwrap();
    let server = former.with_next_key(1, &[]);
    // They write the memory only after this if a trail changes.
    former.compare_trails();
    server.compare_trails();
    fs::write(&path, &by_former).unwrap();
    assert!(command(&server, &["audit", "verify"]).status.success());
    database::tamper(&server.database_url, "DELETE FROM checkpoint_key_changes");
    fs::write(&path, &by_former).unwrap();
    let refused = command(&server, &["audit", "verify"]);
    assert!(text(&refused.stderr).contains("signature is not valid"), "{}", text(&refused.stderr));
}

#[test]
fn witnesses_get_the_trail_signed_again_and_its_continuation() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start());
    let (path, secret) = (folder.path().join("witnessed"), secret_file(folder.path()));
    let url = receiver.url();
    let (path_flag, secret) = (path.to_str().unwrap(), secret.to_str().unwrap());
    let flags =
        ["--checkpoint-file", path_flag, "--checkpoint-webhook", &url, "--checkpoint-webhook-secret-file", secret];
    let former = TestServer::with(&flags, add_brightwater);
    former.admin().create_key("ERP Sync");
    publish(&former);
    let before = notes(&path);
    let server = former.with_next_key(1, &flags);
    publish(&server);
    let last = notes(&path).last().unwrap().clone();
    let signed_before = size_signed_by(&former, former.actions.secrets.signer().public_key(), before.last().unwrap());
    assert_eq!(size_signed_by(&server, key(1), &last), signed_before);
    server.admin().create_key("Reporting");
    publish(&server);
    assert!(size_signed_by(&server, key(1), notes(&path).last().unwrap()) > signed_before);
    crate::witness::wait_until("the webhook has it", || {
        server.publish_checkpoints();
        server.statuses().iter().all(|status| status.is_latest)
    });
    let posted = receiver.posted().last().unwrap().json();
    let (_, posted_key) = CheckpointKey::parse_vkey(posted["data"]["public_key"].as_str().unwrap()).unwrap();
    assert_eq!(posted_key, key(1));
    size_signed_by(&server, posted_key, posted["data"]["checkpoint"].as_str().unwrap());
}

#[test]
fn a_checkpoint_of_a_former_key_contradicts_a_shorter_trail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witnessed");
    let flags = ["--checkpoint-file", path.to_str().unwrap()];
    let former = TestServer::with(&flags, add_brightwater);
    keep(&former.database_url, "old");
    former.admin().create_key("ERP Sync");
    publish(&former);
    put_back(&former.database_url, "old");
    let server = former.with_next_key(1, &[]);
    let secrets = server.folder.path().join("secrets");
    let forgetful = server.node_with(&[&flags[..], &["--secrets-file", secrets.to_str().unwrap()]].concat());
    let before = notes(&path);
    assert!(failure(&forgetful).contains("do not continue"), "{}", failure(&forgetful));
    assert_eq!(notes(&path), before);
}
