//! Witnesses get no checkpoint that contradicts one which they have.

use std::fs;

use super::{accept_loss, keep, put_back};
use crate::support::TestServer;
use crate::support::companies::add_brightwater;
use crate::support::receiver::Receiver;
use crate::witness::{notes, secret_file, wait_until};

/// Publishes until the witness has the latest checkpoint of Brightwater.
pub(super) fn publish(server: &TestServer) {
    wait_until("the checkpoint is witnessed", || {
        server.publish_checkpoints();
        server.statuses()[0].is_latest
    });
}

pub(super) fn failure(server: &TestServer) -> String {
    wait_until("the checkpoint is withheld", || {
        server.publish_checkpoints();
        server.statuses()[0].failure.is_some()
    });
    server.statuses()[0].failure.clone().unwrap().1
}

#[test]
fn no_smaller_checkpoint_is_appended_before_the_loss_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witnessed");
    let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
    let admin = server.admin();
    admin.create_key("ERP Sync");
    publish(&server);
    keep(&server.database_url, "old");
    admin.create_key("Reporting");
    publish(&server);
    let before = notes(&path);
    put_back(&server.database_url, "old");
    server.compare_trails();
    assert!(failure(&server).contains("is missing"), "{}", failure(&server));
    assert_eq!(notes(&path), before);
    let page = admin.get("/administration/company-settings/evidence").expect(200).body;
    assert!(page.contains("the database was put back to an older state"), "{page}");
    assert_eq!(accept_loss(&server).status.code(), Some(0));
    server.compare_trails();
    server.advance(std::time::Duration::from_mins(1));
    publish(&server);
    let after = notes(&path);
    assert!(after.len() > before.len() && after[..before.len()] == before);
}

#[test]
fn a_server_without_a_memory_withholds_what_the_file_contradicts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witnessed");
    let flags = ["--checkpoint-file", path.to_str().unwrap()];
    let server = TestServer::with(&flags, add_brightwater);
    keep(&server.database_url, "old");
    server.admin().create_key("ERP Sync");
    publish(&server);
    let before = fs::read(&path).unwrap();
    put_back(&server.database_url, "old");
    server.compare_trails();
    let secrets = server.folder.path().join("secrets");
    let forgetful = server.node_with(&[&flags[..], &["--secrets-file", secrets.to_str().unwrap()]].concat());
    assert!(failure(&forgetful).contains("do not continue"), "{}", failure(&forgetful));
    assert_eq!(fs::read(&path).unwrap(), before);
    // Moved away and kept, the file no longer withholds anything.
    fs::rename(&path, folder.path().join("kept")).unwrap();
    forgetful.advance(std::time::Duration::from_hours(1));
    publish(&forgetful);
}

#[test]
fn no_smaller_checkpoint_is_posted_after_a_restart() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    let (url, secret) = (receiver.url(), secret_file(folder.path()));
    let flags = ["--checkpoint-webhook", &url, "--checkpoint-webhook-secret-file", secret.to_str().unwrap()];
    let server = TestServer::with(&flags, add_brightwater);
    keep(&server.database_url, "old");
    server.admin().create_key("ERP Sync");
    publish(&server);
    server.compare_trails();
    let trail = server.company("Brightwater");
    let sizes = || -> Vec<u64> {
        let own = receiver.posted().into_iter().filter(|delivery| delivery.trail() == trail.to_string());
        own.map(|delivery| delivery.json()["data"]["size"].as_u64().unwrap()).collect()
    };
    let before = sizes().into_iter().max();
    put_back(&server.database_url, "old");
    let restarted = server.second_server_with(&flags);
    failure(&restarted);
    assert_eq!(sizes().into_iter().max(), before);
    assert_eq!(sizes().last().copied(), before);
}
