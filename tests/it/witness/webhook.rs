//! Checkpoints sent to a webhook.

use std::time::Duration;

use keydesk::domain::trail::checkpoint::CheckpointKey;
use tempfile::TempDir;

use super::{secret_file, wait_until};
use crate::support::companies::{add_brightwater, add_company};
use crate::support::receiver::{Delivery, Receiver, ReservedAddress};
use crate::support::server::NOW;
use crate::support::{API_KEYS, AUDIT_TRAIL, TestServer};

const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The flags of a server with this receiver as its witness.
struct Flags {
    url: String,
    secret: String,
    _folder: TempDir,
}

impl Flags {
    fn to(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = secret_file(folder.path()).to_str().unwrap().to_owned();
        Self { url: url.to_owned(), secret, _folder: folder }
    }

    fn words(&self) -> [&str; 4] {
        ["--checkpoint-webhook", &self.url, "--checkpoint-webhook-secret-file", &self.secret]
    }

    fn server(&self) -> TestServer {
        let server = TestServer::with(&self.words(), add_brightwater);
        // The first round of the server's own thread is over before a test begins.
        wait_until("the server has sent its first checkpoint", || {
            let status = &server.statuses()[0];
            status.is_latest || status.failure.is_some()
        });
        server.publish_checkpoints();
        server
    }
}

#[test]
fn a_checkpoint_is_posted_signed_and_verifiable() {
    let receiver = Receiver::start();
    let server = Flags::to(&format!("{}?box=7", receiver.url())).server();
    let admin = server.admin();
    admin.create_key("ERP Sync");
    server.publish_checkpoints();
    let posted = receiver.posted();
    let last = posted.last().unwrap();
    assert!(last.is_signed() && last.path == "/in?box=7", "{last:?}");
    assert_eq!(last.headers["content-type"], "application/json");
    assert_eq!(last.headers["webhook-timestamp"], NOW.as_seconds().to_string());
    let (body, company) = (last.json(), server.company("Brightwater").to_string());
    assert_eq!((&body["type"], &body["timestamp"]), (&"audit_trail.checkpoint".into(), &"2026-11-23T09:00:00Z".into()));
    let data = &body["data"];
    assert_eq!(data["company"], serde_json::json!({ "id": company, "name": "Brightwater" }));
    let note = data["checkpoint"].as_str().unwrap();
    assert_eq!(note, admin.get(&format!("{AUDIT_TRAIL}/checkpoint")).body);
    let (name, key) = CheckpointKey::parse_vkey(data["public_key"].as_str().unwrap()).unwrap();
    let said = key.verify(note, &name).unwrap();
    assert_eq!(data["size"], said.size);
    assert_eq!(data["root"].as_str(), note.lines().nth(2));
    assert_eq!(data["trail"].as_str(), Some(company.as_str()));
    server.publish_checkpoints();
    assert_eq!(receiver.posted().len(), posted.len());
}

#[test]
fn a_failed_delivery_is_retried_with_the_same_id() {
    let receiver = Receiver::start();
    let flags = Flags::to(&receiver.url());
    let server = flags.server();
    let admin = server.admin();
    server.publish_checkpoints();
    let before = receiver.posted().len();
    receiver.reply("500 Internal Server Error");
    admin.create_key("ERP Sync");
    server.publish_checkpoints();
    server.publish_checkpoints();
    assert_eq!(receiver.posted().len(), before + 1, "no retry without a pause");
    let status = &server.statuses()[0];
    assert_eq!(status.witness, receiver.url());
    assert_eq!(status.failure, Some((server.clock.now(), "it answered 500".to_owned())));
    server.advance(FIRST_PAUSE);
    server.publish_checkpoints();
    let posted = receiver.posted();
    assert_eq!(posted.len(), before + 2);
    let (first, second) = (&posted[before], &posted[before + 1]);
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    assert!(second.is_signed() && second.headers["webhook-timestamp"] != first.headers["webhook-timestamp"]);
    assert!(server.statuses()[0].is_latest);
    admin.create_key("Reporting");
    server.publish_checkpoints();
    assert_ne!(receiver.posted().last().unwrap().id(), first.id());
}

#[test]
fn an_undelivered_checkpoint_is_sent_after_a_restart() {
    let reserved = ReservedAddress::new();
    let flags = Flags::to(&format!("http://{}/in", reserved.address));
    let server = flags.server();
    let status = &server.statuses()[0];
    assert!(status.last.is_none() && !status.is_latest, "{status:?}");
    assert!(status.failure.as_ref().unwrap().1.starts_with("it cannot be reached"), "{status:?}");
    let receiver = reserved.start();
    let again = server.second_server_with(&flags.words());
    again.publish_checkpoints();
    assert_eq!(receiver.posted().len(), 1);
    assert_eq!(receiver.posted()[0].trail(), server.company("Brightwater").to_string());
    assert!(again.statuses()[0].is_latest);
}

#[test]
fn a_redirect_is_not_followed_and_delays_no_other_trail() {
    let (receiver, redirect_target) = (Receiver::start(), Receiver::start());
    let server = Flags::to(&receiver.url()).server();
    add_company(&server.actions, "Northwind");
    server.admin();
    let before = receiver.posted().len();
    receiver.reply(&format!("307 Temporary Redirect\r\nLocation: {}", redirect_target.url()));
    server.publish_checkpoints();
    let posted = receiver.posted()[before..].to_vec();
    assert_eq!(posted.len(), 2, "both trails, although the first was refused");
    assert_ne!(posted[0].trail(), posted[1].trail());
    let refused =
        if posted[0].trail() == server.company("Northwind").to_string() { "Northwind" } else { "Brightwater" };
    let failure = || server.statuses_of(refused)[0].failure.clone().unwrap().1;
    assert_eq!(failure(), "it answered 307, a redirect, which is not followed");
    server.advance(FIRST_PAUSE);
    receiver.reply("410 Gone");
    server.publish_checkpoints();
    assert_eq!(receiver.posted().len(), before + 3);
    assert_eq!(receiver.posted()[before + 2].id(), posted[0].id());
    assert!(failure().contains("410") && failure().contains("--checkpoint-webhook"), "{}", failure());
    assert!(redirect_target.posted().is_empty());
}

#[test]
fn after_an_outage_the_next_round_starts_with_another_trail() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    add_company(&server.actions, "Northwind");
    server.admin();
    let before = receiver.posted().len();
    receiver.reply("503 Service Unavailable");
    server.publish_checkpoints();
    assert_eq!(receiver.posted().len(), before + 1);
    server.advance(FIRST_PAUSE);
    server.publish_checkpoints();
    let trails: Vec<String> = receiver.posted()[before..].iter().map(Delivery::trail).collect();
    assert!(trails.len() == 3 && trails[0] != trails[1] && trails[0] == trails[2], "{trails:?}");
}

#[test]
fn a_stalled_receiver_delays_neither_pages_nor_keys() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let (has_arrived, release) = receiver.hold();
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| server.publish_checkpoints());
        has_arrived.recv().unwrap();
        admin.get(API_KEYS).expect(200);
        admin.create_key("Reporting");
        assert_eq!(server.whoami(&key), 200);
        assert!(!server.statuses()[0].is_latest);
        assert!(!publishing.is_finished(), "the receiver had not answered yet");
        release.send(()).unwrap();
    });
    server.publish_checkpoints();
    assert!(server.statuses()[0].is_latest);
}

#[test]
fn checkpoints_of_a_former_witness_are_still_known() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    let without = server.second_server();
    let statuses = without.statuses();
    assert_eq!(statuses.len(), 1);
    assert!(!statuses[0].is_configured && statuses[0].is_latest && statuses[0].witness == receiver.url());
}

#[test]
fn metrics_show_how_long_events_have_no_witness() {
    let reserved = ReservedAddress::new();
    let server = Flags::to(&format!("http://{}/in", reserved.address)).server();
    let unwitnessed = || server.sampled("keydesk_checkpoint_unwitnessed_seconds");
    let failures = server.metric("keydesk_witness_failures_total").unwrap();
    assert!(failures >= 1.0);
    assert_eq!(unwitnessed(), Some(0.0), "no time has passed");
    server.advance(FIRST_PAUSE);
    server.admin().create_key("ERP Sync");
    server.advance(FIRST_PAUSE);
    server.publish_checkpoints();
    assert!(server.metric("keydesk_witness_failures_total").unwrap() > failures);
    assert_eq!(unwitnessed(), Some(30.0), "the oldest event counts, not the newest");
    let _receiver = reserved.start();
    server.advance(Duration::from_hours(2));
    server.publish_checkpoints();
    assert_eq!(unwitnessed(), Some(0.0));
}
