//! Exports in JSON Lines: what they hold, that every change to one is found, and that no untouched one is accused.

use keydesk::domain::checkpoint::CheckpointSigner;
use keydesk::domain::event::Event;
use keydesk::domain::export::{self, Filters, Header, Names, Seal, Since};
use keydesk::domain::leaf;
use keydesk::domain::tree::{Block, Outline, Outliner};
use serde_json::Value;

use super::mutation::{self, leaves};
use super::random::Random;
use super::{check, export, history, keep, kept};
use crate::support::{T, TestServer};

/// Writes an export of these events as the product does; all of them, or those that are wanted.
pub struct Writer<'a> {
    pub header: Header,
    pub events: &'a [Event],
    pub signer: &'a CheckpointSigner,
}

impl Writer<'_> {
    pub fn write(&self, since: Option<usize>, wanted: impl Fn(&Event) -> bool) -> String {
        let leaves = leaves(self.events);
        let mut outliner = Outliner::default();
        for leaf in &leaves {
            outliner.push(*leaf);
        }
        let outline = outliner.finish();
        let block = |leaf: usize| {
            let number = Outline::block_of(leaf);
            Block::new(number, leaves[outline.leaves_of(number)].to_vec())
        };
        let chosen: Vec<&Event> = self.events.iter().rev().filter(|event| wanted(event)).collect();
        let since = since.map(|size| {
            let proof = outline.consistency(size, &block(size.saturating_sub(1)));
            Since { size: size as u64, proof }
        });
        let (origin, full) = (self.header.origin.clone(), chosen.len() == self.events.len());
        let tree = mutation::tree(&leaves);
        let filters = Filters { user: (!full).then(|| "somebody".to_owned()), ..Filters::default() };
        let (events, checkpoint) = (chosen.len() as u64, self.signer.sign(&origin, tree.size(), &tree.root()));
        let public_key = self.signer.public_key().to_vkey(&origin);
        let header = Header { events, full, filters, checkpoint, public_key, since, origin, ..self.header.clone() };
        let (mut text, mut seal) = (header.line(), Seal::default());
        for event in chosen {
            let place = usize::try_from(event.sequence - 1).unwrap();
            let names = Names { actor: Some("Maria"), ..Names::default() };
            text.push_str(&export::line(event, names, outline.inclusion(place, &block(place))));
        }
        seal.take(text.as_bytes());
        text + &seal.line(&header.origin, events, self.signer)
    }
}

/// An export's header and events, oldest first.
pub fn read(export: &str) -> (Header, Vec<Event>) {
    let lines: Vec<&str> = export.lines().collect();
    let of_line = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        leaf::event(line["leaf"].as_str().unwrap()).unwrap()
    };
    let events = lines[1..lines.len() - 1].iter().rev().map(of_line).collect();
    (serde_json::from_str(lines[0]).unwrap(), events)
}

#[test]
fn an_export_carries_its_checkpoint_and_each_line_its_leaf_and_its_proof() {
    let server = TestServer::start();
    history(&server);
    let admin = server.admin();
    let (vkey, checkpoint) = keep(&admin);
    server.admin();
    let answer = admin.get(&format!("{T}/export.jsonl")).expect(200);
    assert_eq!(answer.header("content-type"), "application/jsonl; charset=utf-8");
    assert!(answer.header("content-disposition").ends_with("-events.jsonl\""));
    let (header, events) = read(&answer.body);
    assert_eq!((header.company_name.as_str(), header.full, header.events), ("Brightwater", true, events.len() as u64));
    let first: Value = serde_json::from_str(answer.body.lines().nth(1).unwrap()).unwrap();
    let expected = serde_json::json!({ "format": "json_lines" });
    assert_eq!((first["action"].as_str(), &first["after"]), (Some("audit_trail.exported"), &expected));
    assert_eq!(first["actor_name"], "Maria Lindqvist");
    let checked = check(answer.body.as_bytes(), &kept(&vkey, &checkpoint)).unwrap();
    assert_eq!((checked.events, checked.size, checked.full), (header.events, header.events, true));
    assert!(checked.kept < Some(checked.size), "{checked:?}");
}

#[test]
fn a_filtered_export_proves_its_lines_and_is_connected_with_an_older_checkpoint_where_that_was_asked_for() {
    let server = TestServer::start();
    let admin = server.admin();
    history(&server);
    let (vkey, checkpoint) = keep(&admin);
    let size = checkpoint.lines().nth(1).unwrap();
    history(&server);
    let without = export(&admin, "?action=api_key.revoked");
    let refusal = check(without.as_bytes(), &kept(&vkey, &checkpoint)).unwrap_err().to_string();
    assert!(refusal.contains(&format!("since={size}")) && refusal.contains("--consistency"), "{refusal}");
    let with = export(&admin, &format!("?action=api_key.revoked&since={size}"));
    let checked = check(with.as_bytes(), &kept(&vkey, &checkpoint)).unwrap();
    assert_eq!((checked.events, checked.full, checked.kept), (8, false, Some(size.parse().unwrap())));
    let (vkey_elsewhere, checkpoint_elsewhere) = keep(&server.admin_elsewhere());
    assert!(check(with.as_bytes(), &kept(&vkey_elsewhere, &checkpoint)).is_err());
    assert!(check(with.as_bytes(), &kept(&vkey, &checkpoint_elsewhere)).is_err());
    let now = keep(&admin).1;
    let older = check(with.as_bytes(), &kept(&vkey, &now)).map(|checked| checked.kept);
    assert_eq!(older, Ok(Some(with_size(&now))), "the export's own event was the last");
    admin.create_key("Later");
    let refusal = check(with.as_bytes(), &kept(&vkey, &keep(&admin).1)).unwrap_err().to_string();
    assert!(refusal.contains("Export it again"), "{refusal}");
}

fn with_size(checkpoint: &str) -> u64 {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_older_size_that_the_trail_never_had_is_refused_with_what_it_may_mean_and_exports_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    let before = server.trail("Brightwater").len();
    for wrong in [(before + 1).to_string(), "-1".to_owned(), "many".to_owned()] {
        let page = admin.get(&format!("{T}/export.jsonl?since={wrong}")).expect(422);
        assert!(page.html().text("main").contains(&format!("The audit trail has {before}")), "{}", page.body);
    }
    assert_eq!(server.trail("Brightwater").len(), before);
    for right in [before.to_string(), "0".to_owned(), String::new()] {
        admin.get(&format!("{T}/export.jsonl?since={right}")).expect(200);
    }
}

#[test]
fn a_thousand_changed_exports_are_all_found_out() {
    let server = TestServer::start();
    history(&server);
    let admin = server.admin();
    let (vkey, checkpoint) = keep(&admin);
    history(&server);
    let size = usize::try_from(with_size(&checkpoint)).unwrap();
    let bases = [
        export(&admin, ""),
        export(&admin, &format!("?since={size}")),
        export(&admin, &format!("?action=api_key.created&action=user.signed_in&since={size}")),
    ];
    let kept = kept(&vkey, &checkpoint);
    for base in &bases {
        check(base.as_bytes(), &kept).unwrap();
    }
    let (header, events) = read(&bases[0]);
    let (ours, other) = (&server.actions.secrets.signer, CheckpointSigner::from_seed(&[7; 32]));
    for seed in 0..1_000 {
        let mut random = Random::from(seed);
        let mut events = events.clone();
        let since = (seed % 2 == 0).then_some(size);
        let changed = match seed % 5 {
            // Somebody between the server and the reader.
            0..3 => mutation::of_file(&random.of(&bases).clone(), &mut random),
            // Somebody who has everything but the key.
            3 => Writer { header: header.clone(), events: &events, signer: &other }.write(since, |_| true).into_bytes(),
            // Whoever runs the server, and signs what they like.
            _ => {
                mutation::of_history(&mut events, size, &mut random);
                let since = since.map(|size| size.min(events.len()));
                let writer = Writer { header: header.clone(), events: &events, signer: ours };
                let part = random.below(3);
                writer.write(since, |event| part == 0 || event.sequence % 3 != 0).into_bytes()
            }
        };
        let found = check(&changed, &kept);
        assert!(found.is_err(), "seed {seed}: {found:?}\n{}", String::from_utf8_lossy(&changed));
    }
}

#[test]
fn of_a_thousand_untouched_exports_none_is_accused() {
    let server = TestServer::start();
    history(&server);
    let admin = server.admin();
    let mut checkpoints = vec![keep(&admin)];
    for seed in 0..60 {
        let mut random = Random::from(seed);
        let (vkey, checkpoint) = random.of(&checkpoints).clone();
        let size = with_size(&checkpoint);
        let filter = *random.of(&[
            "",
            "&action=api_key.revoked",
            "&action=user.signed_in",
            "&from=2026-11-23",
            "&to=2020-01-01",
        ]);
        let export = export(&admin, &format!("?since={size}{filter}"));
        let checked = check(export.as_bytes(), &kept(&vkey, &checkpoint));
        assert_eq!(checked.map(|checked| checked.kept), Ok(Some(size)), "seed {seed}, {filter}");
        checkpoints.push(keep(&admin));
    }
    let (header, events) = read(&export(&admin, ""));
    let signer = &server.actions.secrets.signer;
    for seed in 60..1_000 {
        let mut random = Random::from(seed);
        let events = &events[..=random.below(events.len())];
        let size = random.below(events.len() + 1);
        let leaves = leaves(&events[..size]);
        let tree = mutation::tree(&leaves);
        let checkpoint = signer.sign(&header.origin, tree.size(), &tree.root());
        let step = i64::try_from(1 + random.below(4)).unwrap();
        let writer = Writer { header: header.clone(), events, signer };
        let export = writer.write(Some(size), |event| event.sequence % step == 0);
        let checked = check(export.as_bytes(), &kept(&header.public_key, &checkpoint));
        assert_eq!(checked.map(|checked| checked.kept), Ok(Some(size as u64)), "seed {seed}");
    }
}
