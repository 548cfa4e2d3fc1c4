//! Random manipulations of exports, single events and whole histories.

use keydesk::domain::trail::checkpoint::{CheckpointSigner, text_of};
use keydesk::domain::trail::event::Event;
use keydesk::domain::trail::export::{ExportDigest, Header};
use keydesk::domain::trail::merkle::{Frontier, Hash, leaf_hash};
use serde_json::Value;

use super::random::Random;

/// The leaf hash of each event.
pub fn leaves(events: &[Event]) -> Vec<Hash> {
    events.iter().map(|event| leaf_hash(&event.canonical_bytes())).collect()
}

pub fn tree(leaves: &[Hash]) -> Frontier {
    let mut tree = Frontier::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree
}

/// Changes an export. The result always differs.
pub fn of_file(export: &str, random: &mut Random) -> Vec<u8> {
    loop {
        let changed = match random.below(12) {
            0..=2 => of_bytes(export.as_bytes().to_vec(), random),
            3 => export.as_bytes()[..random.below(export.len())].to_vec(),
            4 => [export.as_bytes(), random.of(&lines(export)).as_bytes()].concat(),
            5 | 6 => of_member(lines(export), random).concat().into_bytes(),
            _ => of_lines(lines(export), random).concat().into_bytes(),
        };
        if changed != export.as_bytes() {
            return changed;
        }
    }
}

fn lines(export: &str) -> Vec<String> {
    export.split_inclusive('\n').map(str::to_owned).collect()
}

fn of_bytes(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let place = random.below(bytes.len());
    match random.below(4) {
        0 => bytes[place] ^= 1 << random.below(8),
        1 => bytes.insert(place, *random.of(b" 0a\"\n,{\\")),
        2 => drop(bytes.remove(place)),
        _ => drop(bytes.drain(place..(place + random.below(40)).min(bytes.len()))),
    }
    bytes
}

fn of_lines(mut lines: Vec<String>, random: &mut Random) -> Vec<String> {
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(5) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one].clone()),
        2 => lines.swap(one, other),
        3 => lines.reverse(),
        _ => {
            // Removes an event and adjusts the counts.
            let count = lines.len() - 2;
            lines.remove(1 + random.below(count));
            let last = lines.len() - 1;
            for line in [0, last] {
                let fewer = format!("\"events\":{}", count - 1);
                lines[line] = lines[line].replace(&format!("\"events\":{count}"), &fewer);
            }
        }
    }
    lines
}

/// Changes a member of a line, possibly to the value of another line.
fn of_member(mut lines: Vec<String>, random: &mut Random) -> Vec<String> {
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    let mut read: Value = serde_json::from_str(&lines[one]).unwrap();
    let members: Vec<String> = read.as_object().unwrap().keys().cloned().collect();
    let member = random.of(&members).clone();
    let others: Value = serde_json::from_str(&lines[other]).unwrap();
    let value = match (random.below(3), others.get(&member)) {
        (0, Some(value)) => value.clone(),
        (1, _) => Value::Null,
        _ => Value::from("another"),
    };
    // Replaces the text in place, because the order of members matters.
    let written = |value: &Value| format!("\"{member}\":{value}");
    let before = written(&read[&member]);
    read[&member] = value;
    lines[one] = lines[one].replacen(&before, &written(&read[&member]), 1);
    lines
}

/// Changes the notes of changes of the key in an export, as an operator who signs the file again. Returns it, and whether it
/// may still verify. `others` are notes of other trails and keys.
pub fn of_key_changes(
    export: &str,
    others: &[String],
    signer: &CheckpointSigner,
    random: &mut Random,
) -> (Vec<u8>, bool) {
    let lines = lines(export);
    let mut header: Header = serde_json::from_str(&lines[0]).unwrap();
    let changes = &mut header.key_changes;
    let (one, other) = (random.below(changes.len()), random.below(changes.len()));
    let mut may_verify = false;
    match random.below(12) {
        0 => drop(changes.remove(one)),
        1 => changes.insert(other, changes[one].clone()),
        2 => {
            changes.swap(one, other);
            may_verify = one == other;
        }
        3 => changes.clear(),
        4 => changes[one].note.clone_from(random.of(others)),
        5 => {
            let signatures: Vec<_> = changes.iter().map(|change| signatures(&change.note)).collect();
            let note = format!("{}\n\n{}", text_of(&changes[one].note), signatures[other].concat());
            may_verify = one == other;
            changes[one].note = note;
        }
        6 => {
            // The order of signatures says nothing, and readers skip those of other keys.
            let mut signatures = signatures(&changes[one].note);
            signatures.reverse();
            signatures.insert(random.below(3), "— elsewhere AAAAAAAA\n".to_owned());
            changes[one].note = format!("{}\n\n{}", text_of(&changes[one].note), signatures.concat());
            may_verify = true;
        }
        7 => {
            let mut signatures = signatures(&changes[one].note);
            signatures.remove(random.below(2));
            changes[one].note = format!("{}\n\n{}", text_of(&changes[one].note), signatures.concat());
        }
        8 => match random.below(changes[one].proof.len() + 1) {
            0 => changes[one].proof.push([7; 32]),
            place => changes[one].proof[place - 1][random.below(32)] ^= 1 << random.below(8),
        },
        9 if !changes[one].proof.is_empty() => drop(changes[one].proof.pop()),
        10 => header.public_key.clone_from(&signer.public_key().to_vkey("keydesk/elsewhere")),
        _ => {
            let note = String::from_utf8_lossy(&of_bytes(changes[one].note.clone().into_bytes(), random)).into_owned();
            // A changed line of another name, or a line feed at the end, is skipped.
            may_verify = note.trim_end() == changes[one].note.trim_end();
            changes[one].note = note;
        }
    }
    let mut text = header.line() + &lines[1..lines.len() - 1].concat();
    let mut digest = ExportDigest::default();
    digest.update(text.as_bytes());
    text.push_str(&digest.end_line(&header.origin, header.events, signer));
    (text.into_bytes(), may_verify)
}

/// The signature lines of a note.
fn signatures(note: &str) -> Vec<String> {
    note.split_inclusive('\n').filter(|line| line.starts_with("— ")).map(str::to_owned).collect()
}

/// Changes one field of an event.
pub fn of_event(event: &mut Event, random: &mut Random) {
    let text = |text: &mut String, random: &mut Random| text.push(*random.of(&['0', '1', '2']));
    let optional = |field: &mut Option<String>, random: &mut Random| match field {
        Some(_) if random.below(2) == 0 => *field = None,
        Some(text) if text.is_empty() => text.push('x'),
        Some(text) => drop(text.pop()),
        None => *field = Some("x".repeat(random.below(2))),
    };
    match random.below(14) {
        0 => text(&mut event.id, random),
        1 => event.at += 1 + i64::try_from(random.below(1_000_000)).unwrap(),
        2 => text(&mut event.action, random),
        3 => text(&mut event.actor_type, random),
        4 => text(&mut event.target_type, random),
        5 => text(&mut event.target_id, random),
        6 => optional(&mut event.actor_id, random),
        7 => optional(&mut event.key_id, random),
        8 => optional(&mut event.before, random),
        9 => optional(&mut event.after, random),
        10 => optional(&mut event.reason, random),
        11 => optional(&mut event.comment, random),
        12 => optional(&mut event.client_address, random),
        _ => optional(if random.below(2) == 0 { &mut event.user_agent } else { &mut event.request_id }, random),
    }
}

/// Rewrites the first `kept` events and renumbers all events, as an attacker with the secrets can.
pub fn of_history(events: &mut Vec<Event>, kept: usize, random: &mut Random) {
    let (one, other) = (random.below(kept), random.below(kept));
    match random.below(5) {
        0 => of_event(&mut events[one], random),
        1 => drop(events.remove(one)),
        2 if one != other => events.swap(one, other),
        3 => events.truncate(one),
        _ => {
            let id = format!("never-{}", random.number());
            events.insert(one, Event { id, ..events[other].clone() });
        }
    }
    for (number, event) in (1..).zip(events) {
        event.sequence = number;
    }
}
