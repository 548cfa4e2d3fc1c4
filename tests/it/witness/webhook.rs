//! Checkpoints posted to a webhook.

use std::time::Duration;

use keydesk::domain::checkpoint::CheckpointKey;
use tempfile::TempDir;

use super::{secret_file, until};
use crate::support::receiver::{self, Posted, Receiver};
use crate::support::server::{NOW, add_brightwater, add_company};
use crate::support::{K, T, TestServer};

const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// What a server takes whose witness is that receiver.
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
        // The server's own first round, whenever its thread comes to it, is over before a test begins.
        until("the server told its witness nothing", || {
            let standing = &server.standings()[0];
            standing.is_latest || standing.failure.is_some()
        });
        server.tell_witnesses();
        server
    }
}

#[test]
fn a_checkpoint_is_posted_signed_with_all_that_is_needed_to_check_it() {
    let receiver = Receiver::start();
    let server = Flags::to(&format!("{}?box=7", receiver.url())).server();
    let admin = server.admin();
    admin.create_key("ERP Sync");
    server.tell_witnesses();
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
    assert_eq!(note, admin.get(&format!("{T}/checkpoint")).body);
    let (name, key) = CheckpointKey::parse_vkey(data["public_key"].as_str().unwrap()).unwrap();
    let said = key.verify(note, &name).unwrap();
    assert_eq!(data["size"], said.size);
    assert_eq!(data["root"].as_str(), note.lines().nth(2));
    assert_eq!(data["trail"].as_str(), Some(company.as_str()));
    server.tell_witnesses();
    assert_eq!(receiver.posted().len(), posted.len());
}

#[test]
fn what_the_receiver_could_not_take_is_sent_again_under_the_same_id_after_a_pause() {
    let receiver = Receiver::start();
    let flags = Flags::to(&receiver.url());
    let server = flags.server();
    let admin = server.admin();
    server.tell_witnesses();
    let before = receiver.posted().len();
    receiver.reply("500 Internal Server Error");
    admin.create_key("ERP Sync");
    server.tell_witnesses();
    server.tell_witnesses();
    assert_eq!(receiver.posted().len(), before + 1, "not again at once");
    let standing = &server.standings()[0];
    assert_eq!(standing.witness, receiver.url());
    assert_eq!(standing.failure, Some((server.clock.now(), "it answered 500".to_owned())));
    server.wait(FIRST_PAUSE);
    server.tell_witnesses();
    let posted = receiver.posted();
    assert_eq!(posted.len(), before + 2);
    let (first, second) = (&posted[before], &posted[before + 1]);
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    assert!(second.is_signed() && second.headers["webhook-timestamp"] != first.headers["webhook-timestamp"]);
    assert!(server.standings()[0].is_latest);
    admin.create_key("Reporting");
    server.tell_witnesses();
    assert_ne!(receiver.posted().last().unwrap().id(), first.id());
}

#[test]
fn what_was_never_delivered_is_delivered_after_a_restart() {
    let address = receiver::nobody();
    let flags = Flags::to(&format!("http://{address}/in"));
    let server = flags.server();
    let standing = &server.standings()[0];
    assert!(standing.last.is_none() && !standing.is_latest, "{standing:?}");
    assert!(standing.failure.as_ref().unwrap().1.starts_with("it cannot be reached"), "{standing:?}");
    let receiver = Receiver::at(address);
    let again = server.beside_with(&flags.words());
    again.tell_witnesses();
    assert_eq!(receiver.posted().len(), 1);
    assert_eq!(receiver.posted()[0].trail(), server.company("Brightwater").to_string());
    assert!(again.standings()[0].is_latest);
}

#[test]
fn a_redirect_is_not_followed_and_what_is_refused_for_one_trail_reaches_the_receiver_for_others() {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    let server = Flags::to(&receiver.url()).server();
    add_company(&server.actions, "Northwind");
    server.admin();
    let before = receiver.posted().len();
    receiver.reply(&format!("307 Temporary Redirect\r\nLocation: {}", elsewhere.url()));
    server.tell_witnesses();
    let posted = receiver.posted()[before..].to_vec();
    assert_eq!(posted.len(), 2, "both trails, although the first of them was refused");
    assert_ne!(posted[0].trail(), posted[1].trail());
    let refused =
        if posted[0].trail() == server.company("Northwind").to_string() { "Northwind" } else { "Brightwater" };
    let failure = || server.standings_of(refused)[0].failure.clone().unwrap().1;
    assert_eq!(failure(), "it answered 307, a redirect, which is not followed");
    server.wait(FIRST_PAUSE);
    receiver.reply("410 Gone");
    server.tell_witnesses();
    assert_eq!(receiver.posted().len(), before + 3);
    assert_eq!(receiver.posted()[before + 2].id(), posted[0].id());
    assert!(failure().contains("410") && failure().contains("--checkpoint-webhook"), "{}", failure());
    assert!(elsewhere.posted().is_empty());
}

#[test]
fn an_outage_ends_a_round_and_the_next_begins_behind_the_trail_that_failed() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    add_company(&server.actions, "Northwind");
    server.admin();
    let before = receiver.posted().len();
    receiver.reply("503 Service Unavailable");
    server.tell_witnesses();
    assert_eq!(receiver.posted().len(), before + 1);
    server.wait(FIRST_PAUSE);
    server.tell_witnesses();
    let trails: Vec<String> = receiver.posted()[before..].iter().map(Posted::trail).collect();
    assert!(trails.len() == 3 && trails[0] != trails[1] && trails[0] == trails[2], "{trails:?}");
}

#[test]
fn a_receiver_that_does_not_answer_delays_neither_pages_nor_keys() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let (has_arrived, release) = receiver.hold();
    std::thread::scope(|scope| {
        let telling = scope.spawn(|| server.tell_witnesses());
        has_arrived.recv().unwrap();
        admin.get(K).expect(200);
        admin.create_key("Reporting");
        assert_eq!(server.whoami(&key), 200);
        assert!(!server.standings()[0].is_latest);
        assert!(!telling.is_finished(), "all that was done while the receiver was waited for");
        release.send(()).unwrap();
    });
    server.tell_witnesses();
    assert!(server.standings()[0].is_latest);
}

#[test]
fn where_witnesses_changed_what_the_former_one_has_is_still_known() {
    let receiver = Receiver::start();
    let server = Flags::to(&receiver.url()).server();
    let without = server.beside();
    let standings = without.standings();
    assert_eq!(standings.len(), 1);
    assert!(!standings[0].is_configured && standings[0].is_latest && standings[0].witness == receiver.url());
}
