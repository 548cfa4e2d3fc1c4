use super::*;
use crate::domain::ids::{CompanyId, InstallationId};
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointKey, origin};
use crate::domain::trail::event::Event;
use crate::domain::trail::export_check::{ExportCheck, TrustAnchor};
use crate::domain::trail::key_change::KeyChange;
use crate::domain::trail::leaf;
use crate::domain::trail::merkle::{Frontier, leaf_hash};
use crate::domain::trail::tree::tests::{consistency, inclusion};

const FORMAT_TEXT: &str = include_str!("../../../../docs/audit-format.md");
const EXPORT: &str = include_str!("../../../../docs/example/export.jsonl");
const CHECKPOINT: &str = include_str!("../../../../docs/example/checkpoint");
const PUBLIC_KEY: &str = include_str!("../../../../docs/example/public-key");

/// The events of the example trail in the format's document.
fn example() -> Vec<Event> {
    let trail = FORMAT_TEXT.split("## A whole trail").nth(1).unwrap();
    let leaves = trail.split("    keydesk event v1\n").skip(1).map(|rest| {
        let lines = rest.lines().take_while(|line| line.starts_with("    "));
        let fields: Vec<&str> = lines.map(|line| &line[4..]).collect();
        leaf::parse(&format!("keydesk event v1\n{}\n", fields.join("\n"))).unwrap()
    });
    leaves.collect()
}

fn export_of(events: &[Event], signer: &CheckpointSigner) -> (String, String) {
    let installation = InstallationId::parse("01a20000-0000-7000-8000-00000000000a").unwrap();
    let company = CompanyId::parse(&events[0].trail_id).unwrap();
    let origin = origin(installation, company.into());
    let leaves: Vec<Hash> = events.iter().map(|event| leaf_hash(&event.canonical_bytes())).collect();
    let checkpoint = |size: usize| {
        let mut tree = Frontier::default();
        leaves[..size].iter().for_each(|leaf| tree.push(*leaf));
        signer.sign(&origin, tree.size(), &tree.root())
    };
    let (latest, older) = (checkpoint(3), checkpoint(2));
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        public_key: signer.public_key().to_vkey(&origin),
        company_id: company.to_string(),
        company_name: "Brightwater Foods".to_owned(),
        exported_at: "2026-11-23T09:00:03.000000Z".to_owned(),
        filters: Filters::default(),
        events: 3,
        full: true,
        checkpoint: latest,
        since: Some(Since { size: 2, proof: consistency(2, &leaves) }),
        key_changes: Vec::new(),
        origin,
    };
    let mut text = header.line();
    for event in events.iter().rev() {
        let index = usize::try_from(event.sequence - 1).unwrap();
        let names = Names { actor: Some("Command line"), ..Names::default() };
        text.push_str(&line(event, names, inclusion(index, &leaves)));
    }
    let mut digest = ExportDigest::default();
    digest.update(text.as_bytes());
    (text + &digest.end_line(&header.origin, 3, signer), older)
}

#[test]
fn the_documented_example_is_written_and_verified() {
    let events = example();
    assert_eq!(events.len(), 3);
    let signer = CheckpointSigner::from_seed(&std::array::from_fn(|index| u8::try_from(index).unwrap()));
    let (export, checkpoint) = export_of(&events, &signer);
    assert_eq!((export.as_str(), checkpoint.as_str()), (EXPORT, CHECKPOINT));
    let (name, key) = CheckpointKey::parse_vkey(PUBLIC_KEY).unwrap();
    assert!(FORMAT_TEXT.contains(
        serde_json::from_str::<Header>(EXPORT.lines().next().unwrap()).unwrap().checkpoint.lines().last().unwrap()
    ));
    let anchor = TrustAnchor { key: Some((key, Some(name))), checkpoint: Some(checkpoint), consistency: None };
    let mut lines = export.split_inclusive('\n');
    let mut check = ExportCheck::start(lines.next().unwrap().as_bytes(), &anchor).unwrap();
    lines.for_each(|line| check.check_line(line.as_bytes()).unwrap());
    assert_eq!(check.finish().map(|summary| summary.trusted_size), Ok(Some(2)));
}

#[test]
fn the_documented_key_change_is_written_and_read() {
    let events = example();
    let seed = |first: u8| std::array::from_fn(|index| first + u8::try_from(index).unwrap());
    let [former, next] = [0, 32].map(|first| CheckpointSigner::from_seed(&seed(first)));
    let (origin, _) = CheckpointKey::parse_vkey(PUBLIC_KEY).unwrap();
    let mut tree = Frontier::default();
    for event in &events {
        tree.push(leaf_hash(&event.canonical_bytes()));
    }
    let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
    let note = KeyChange::sign(&origin, checkpoint, &former, &next);
    let indented = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") };
    assert!(FORMAT_TEXT.contains(&note.lines().map(indented).collect::<String>()), "{note}");
    assert_eq!(note.len(), 589);
    assert!(FORMAT_TEXT.contains(&crate::domain::text::normalize::hex(&next.public_key().to_bytes())));
    assert!(KeyChange::read(&note, &origin).is_ok());
}

#[test]
fn stored_texts_that_are_not_json_are_left_out() {
    assert_eq!(as_json(r#"{"name":"ERP"}"#).map(RawValue::get), Some(r#"{"name":"ERP"}"#));
    for broken in ["", "{", "{\n}", "{} {}", "{\r}"] {
        assert!(as_json(broken).is_none(), "{broken:?}");
    }
}
