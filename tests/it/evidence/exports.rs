//! Exports in JSON Lines: their content, and that every changed export is found and every unchanged one verifies.

use keydesk::domain::trail::checkpoint::{Checkpoint, CheckpointSigner};
use keydesk::domain::trail::event::Event;
use keydesk::domain::trail::export::{self, ExportDigest, ExportedKeyChange, Filters, Header, Names, Since};
use keydesk::domain::trail::key_change::KeyChange;
use keydesk::domain::trail::leaf;
use keydesk::domain::trail::tree::{Block, UpperTree, UpperTreeBuilder};
use serde_json::Value;

use super::mutation::{self, leaves};
use super::random::Random;
use super::{add_events, check, download_evidence, export, kept};
use crate::support::{AUDIT_TRAIL, TestServer, figures};

/// Writes an export as the product does, of all events or a part of them.
pub struct Writer<'a> {
    pub header: Header,
    pub events: &'a [Event],
    pub signer: &'a CheckpointSigner,
    /// The signers before it, each with the number of events after which it was replaced.
    pub former: &'a [(&'a CheckpointSigner, usize)],
}

impl Writer<'_> {
    pub fn write(&self, since: Option<usize>, wanted: impl Fn(&Event) -> bool) -> String {
        let leaves = leaves(self.events);
        let mut outliner = UpperTreeBuilder::default();
        for leaf in &leaves {
            outliner.push(*leaf);
        }
        let outline = outliner.finish();
        let block = |leaf: usize| {
            let number = UpperTree::block_of(leaf);
            Block::new(number, leaves[outline.leaves_of(number)].to_vec())
        };
        let chosen: Vec<&Event> = self.events.iter().rev().filter(|event| wanted(event)).collect();
        let since = since.map(|size| {
            let proof = outline.consistency(size, &block(size.saturating_sub(1)));
            Since { size: size as u64, proof }
        });
        let (origin, full) = (self.header.origin.clone(), chosen.len() == self.events.len());
        let tree = mutation::tree(&leaves);
        let filters = Filters { user: (!full).then(|| "unknown".to_owned()), ..Filters::default() };
        let (events, checkpoint) = (chosen.len() as u64, self.signer.sign(&origin, tree.size(), &tree.root()));
        let public_key = self.signer.public_key().to_vkey(&origin);
        let next = self.former.iter().skip(1).map(|(signer, _)| *signer).chain([self.signer]);
        let key_changes = self.former.iter().zip(next).map(|(&(former, size), next)| {
            let size = size.min(leaves.len());
            let tree = mutation::tree(&leaves[..size]);
            let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
            let proof = outline.consistency(size, &block(size.saturating_sub(1)));
            ExportedKeyChange { note: KeyChange::sign(&origin, checkpoint, former, next), proof }
        });
        let key_changes = key_changes.collect();
        let header = self.header.clone();
        let header = Header { events, full, filters, checkpoint, public_key, since, key_changes, origin, ..header };
        let (mut text, mut digest) = (header.line(), ExportDigest::default());
        for event in chosen {
            let place = usize::try_from(event.sequence - 1).unwrap();
            let names = Names { actor: Some("Maria"), ..Names::default() };
            text.push_str(&export::line(event, names, outline.inclusion(place, &block(place))));
        }
        digest.update(text.as_bytes());
        text + &digest.end_line(&header.origin, events, self.signer)
    }
}

/// The header and the events of an export, oldest first.
pub fn read(export: &str) -> (Header, Vec<Event>) {
    let lines: Vec<&str> = export.lines().collect();
    let of_line = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        leaf::parse(line["leaf"].as_str().unwrap()).unwrap()
    };
    let events = lines[1..lines.len() - 1].iter().rev().map(of_line).collect();
    (serde_json::from_str(lines[0]).unwrap(), events)
}

#[test]
fn an_export_carries_a_checkpoint_and_proofs() {
    let server = TestServer::start();
    add_events(&server);
    let admin = server.admin();
    let (vkey, checkpoint) = download_evidence(&admin);
    server.admin();
    let answer = admin.get(&format!("{AUDIT_TRAIL}/export.jsonl")).expect(200);
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
    assert!(checked.trusted_size < Some(checked.size), "{checked:?}");
}

#[test]
fn a_filtered_export_can_be_tied_to_an_older_checkpoint() {
    let server = TestServer::start();
    let admin = server.admin();
    add_events(&server);
    let (vkey, checkpoint) = download_evidence(&admin);
    let size = checkpoint.lines().nth(1).unwrap();
    add_events(&server);
    let without = export(&admin, "?action=api_key.revoked");
    let refusal = check(without.as_bytes(), &kept(&vkey, &checkpoint)).unwrap_err().to_string();
    assert!(refusal.contains(&format!("since={size}")) && refusal.contains("--consistency"), "{refusal}");
    let with = export(&admin, &format!("?action=api_key.revoked&since={size}"));
    let checked = check(with.as_bytes(), &kept(&vkey, &checkpoint)).unwrap();
    assert_eq!((checked.events, checked.full, checked.trusted_size), (8, false, Some(size.parse().unwrap())));
    let (vkey_elsewhere, checkpoint_elsewhere) = download_evidence(&server.other_company_admin());
    assert!(check(with.as_bytes(), &kept(&vkey_elsewhere, &checkpoint)).is_err());
    assert!(check(with.as_bytes(), &kept(&vkey, &checkpoint_elsewhere)).is_err());
    let now = download_evidence(&admin).1;
    let older = check(with.as_bytes(), &kept(&vkey, &now)).map(|checked| checked.trusted_size);
    assert_eq!(older, Ok(Some(with_size(&now))), "the event of the export was the last one");
    admin.create_key("Later");
    let refusal = check(with.as_bytes(), &kept(&vkey, &download_evidence(&admin).1)).unwrap_err().to_string();
    assert!(refusal.contains("Export it again"), "{refusal}");
}

fn with_size(checkpoint: &str) -> u64 {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_unknown_checkpoint_size_is_refused_and_exports_nothing() {
    let server = TestServer::start();
    let admin = server.admin();
    let before = server.trail("Brightwater").len();
    for wrong in [(before + 1).to_string(), "-1".to_owned(), "many".to_owned()] {
        let page = admin.get(&format!("{AUDIT_TRAIL}/export.jsonl?since={wrong}")).expect(422);
        assert!(page.html().text("main").contains(&format!("The audit trail has {before}")), "{}", page.body);
    }
    assert_eq!(server.trail("Brightwater").len(), before);
    for right in [before.to_string(), "0".to_owned(), String::new()] {
        admin.get(&format!("{AUDIT_TRAIL}/export.jsonl?since={right}")).expect(200);
    }
}

#[test]
fn a_thousand_changed_exports_are_all_found() {
    let server = TestServer::start();
    add_events(&server);
    let admin = server.admin();
    let (vkey, checkpoint) = download_evidence(&admin);
    add_events(&server);
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
    let (ours, other) = (&server.actions.secrets.signer(), CheckpointSigner::from_seed(&[7; 32]));
    for seed in 0..1_000 {
        let mut random = Random::from(seed);
        let mut events = events.clone();
        let since = (seed % 2 == 0).then_some(size);
        let changed = match seed % 5 {
            // An attacker between the server and the reader.
            0..3 => mutation::of_file(&random.of(&bases).clone(), &mut random),
            // An attacker who has everything but the key.
            3 => Writer { header: header.clone(), events: &events, signer: &other, former: &[] }
                .write(since, |_| true)
                .into_bytes(),
            // An operator of the server, who can sign anything.
            _ => {
                mutation::of_history(&mut events, size, &mut random);
                let since = since.map(|size| size.min(events.len()));
                let writer = Writer { header: header.clone(), events: &events, signer: ours, former: &[] };
                let part = random.below(3);
                writer.write(since, |event| part == 0 || event.sequence % 3 != 0).into_bytes()
            }
        };
        let found = check(&changed, &kept);
        assert!(found.is_err(), "seed {seed}: {found:?}\n{}", String::from_utf8_lossy(&changed));
    }
    figures::print("C2", "1,000 of 1,000 changed exports found");
}

#[test]
fn a_thousand_changed_key_changes_are_all_found() {
    let first = TestServer::start();
    add_events(&first);
    let (vkey, checkpoint) = download_evidence(&first.admin());
    let second = first.with_next_key(1, &[]);
    add_events(&second);
    let third = second.with_next_key(2, &[]);
    let (admin, signer) = (third.admin(), CheckpointSigner::from_seed(&[2; 32]));
    let size = with_size(&checkpoint);
    let bases = ["?", "?action=api_key.revoked&"].map(|query| export(&admin, &format!("{query}since={size}")));
    let kept = kept(&vkey, &checkpoint);
    for base in &bases {
        assert_eq!(check(base.as_bytes(), &kept).map(|checked| checked.key_changes.len()), Ok(2));
    }
    let others = [checkpoint, read(&bases[0]).0.checkpoint, String::new()];
    for seed in 0..1_000 {
        let mut random = Random::from(seed);
        let (changed, may_verify) = match seed % 2 {
            0 => mutation::of_key_changes(&random.of(&bases).clone(), &others, &signer, &mut random),
            _ => (mutation::of_file(&random.of(&bases).clone(), &mut random), false),
        };
        let found = check(&changed, &kept);
        assert!(may_verify || found.is_err(), "seed {seed}: {found:?}\n{}", String::from_utf8_lossy(&changed));
    }
}

#[test]
fn a_thousand_unchanged_exports_all_verify() {
    let server = TestServer::start();
    add_events(&server);
    let admin = server.admin();
    let mut checkpoints = vec![download_evidence(&admin)];
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
        assert_eq!(checked.map(|checked| checked.trusted_size), Ok(Some(size)), "seed {seed}, {filter}");
        checkpoints.push(download_evidence(&admin));
    }
    let (header, events) = read(&export(&admin, ""));
    let signer = &server.actions.secrets.signer();
    for seed in 60..1_000 {
        let mut random = Random::from(seed);
        let events = &events[..=random.below(events.len())];
        let size = random.below(events.len() + 1);
        let leaves = leaves(&events[..size]);
        let tree = mutation::tree(&leaves);
        let checkpoint = signer.sign(&header.origin, tree.size(), &tree.root());
        let step = i64::try_from(1 + random.below(4)).unwrap();
        let writer = Writer { header: header.clone(), events, signer, former: &[] };
        let export = writer.write(Some(size), |event| event.sequence % step == 0);
        let checked = check(export.as_bytes(), &kept(&header.public_key, &checkpoint));
        assert_eq!(checked.map(|checked| checked.trusted_size), Ok(Some(size as u64)), "seed {seed}");
    }
}
