//! Manipulated databases: every change to a trail is found, and a trail that only grew verifies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keydesk::domain::ids::TrailId;
use keydesk::domain::text::normalize::hex;
use keydesk::domain::trail::check::{TrailError, TrailHead};
use keydesk::domain::trail::checkpoint::{Checkpoint, CheckpointSigner, origin};
use keydesk::domain::trail::event::Event;
use keydesk::domain::trail::merkle::leaf_hash;
use keydesk::evidence::{CheckRequest, check_trail};

use super::add_events;
use super::mutation::{leaves, of_event, of_history, tree};
use super::random::Random;
use crate::support::{TestServer, database, figures};

/// The rows of a trail.
#[derive(Clone)]
struct Trail {
    rows: Vec<(Event, Vec<u8>)>,
    head: TrailHead,
}

impl Trail {
    fn read(server: &TestServer, trail: TrailId) -> Self {
        let read = server.actions.store.read(|db| {
            Ok::<_, keydesk::store::StoreError>((
                db.trails().head(trail)?,
                db.trails().events_between(trail, 1..=10_000, 10_000)?,
            ))
        });
        let (head, rows) = read.unwrap();
        Self { rows, head }
    }

    /// The rows of a consistent trail with these events, signed with this key.
    fn of(events: &[Event], origin: &str, signer: &CheckpointSigner) -> Self {
        let leaves = leaves(events);
        let tree = tree(&leaves);
        let size = i64::try_from(tree.size()).unwrap();
        let checkpoint = signer.sign(origin, tree.size(), &tree.root());
        let rows = events.iter().cloned().zip(leaves.iter().map(|leaf| leaf.to_vec())).collect();
        Self { rows, head: TrailHead { size, frontier: tree.to_bytes(), checkpoint } }
    }

    fn events(&self) -> Vec<Event> {
        self.rows.iter().map(|(event, _)| event.clone()).collect()
    }

    /// The statements that replace the trail in the database.
    fn statements(&self, trail: TrailId) -> String {
        let blob = |bytes: &[u8]| match database::postgres() {
            Some(_) => format!("decode('{}', 'hex')", hex(bytes)),
            None => format!("X'{}'", hex(bytes)),
        };
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let optional = |text: &Option<String>| text.as_deref().map_or("NULL".to_owned(), quoted);
        let rows = self.rows.iter().map(|(event, leaf)| {
            let needed = [&event.action, &event.actor_type, &event.target_type, &event.target_id].map(|it| quoted(it));
            let others = [&event.actor_id, &event.key_id, &event.before, &event.after, &event.reason, &event.comment];
            let of_request = [&event.client_address, &event.user_agent, &event.request_id];
            let cells: Vec<String> = others.into_iter().chain(of_request).map(optional).collect();
            let (sequence, id, at) = (event.sequence, quoted(&event.id), event.at);
            format!("('{trail}', {sequence}, {id}, {at}, {}, {}, {})", needed.join(", "), cells.join(", "), blob(leaf))
        });
        let rows: Vec<String> = rows.collect();
        let insert = format!(
            "INSERT INTO events (trail_id, sequence, id, at, action, actor_type, target_type, target_id, actor_id, key_id, \
             before_json, after_json, reason, comment, client_address, user_agent, request_id, leaf_hash) VALUES {};",
            rows.join(", ")
        );
        let TrailHead { size, frontier, checkpoint } = &self.head;
        format!(
            "DELETE FROM events WHERE trail_id = '{trail}'; {} UPDATE audit_trails SET size = {size}, frontier = {}, \
             checkpoint = {} WHERE id = '{trail}';",
            if rows.is_empty() { "" } else { &insert },
            blob(frontier),
            quoted(checkpoint)
        )
    }
}

fn replace_trail(server: &TestServer, trail: TrailId, state: &Trail) {
    let fast = if database::postgres().is_some() { "" } else { "PRAGMA synchronous = OFF;" };
    database::tamper(&server.database_url, &format!("{fast} BEGIN; {} COMMIT;", state.statements(trail)));
}

fn unlocked() -> TestServer {
    let server = TestServer::start();
    add_events(&server);
    database::tamper(&server.database_url, database::unlock_events());
    server
}

fn question(server: &TestServer, trail: TrailId, kept: Option<Checkpoint>) -> CheckRequest {
    let origin = origin(server.actions.installation, trail);
    CheckRequest { trail, origin, key: server.actions.secrets.signer().public_key(), kept_checkpoint: kept }
}

fn kept(events: &[Event]) -> Checkpoint {
    let tree = tree(&leaves(events));
    Checkpoint { size: tree.size(), root: tree.root() }
}

fn check(server: &TestServer, question: &CheckRequest) -> Result<u64, TrailError> {
    check_trail(&server.actions.store, question, &mut |_, _| {}).unwrap()
}

/// A manipulation by an attacker who has the database, but not the secrets.
fn change_without_secrets(before: &Trail, origin: &str, random: &mut Random) -> Trail {
    let mut after = before.clone();
    let (one, other) = (random.below(after.rows.len()), random.below(after.rows.len()));
    match random.below(10) {
        kind @ 0..=2 => {
            of_event(&mut after.rows[one].0, random);
            if kind > 0 {
                after.rows[one].1 = leaf_hash(&after.rows[one].0.canonical_bytes()).to_vec();
            }
            if kind > 1 {
                after.head.frontier = tree(&leaves(&after.events())).to_bytes();
            }
        }
        3 => drop(after.rows.remove(one)),
        4 => {
            let place = if random.below(2) == 0 { after.head.size + 1 } else { -after.rows[one].0.sequence };
            let (event, leaf) = &before.rows[one];
            let event = Event { id: format!("never-{}", random.number()), sequence: place, ..event.clone() };
            after.rows.push((event, leaf.clone()));
        }
        5 => {
            after.rows[one].0.sequence = before.rows[other].0.sequence;
            after.rows[other].0.sequence = before.rows[one].0.sequence;
        }
        6 => after.head.size += if random.below(2) == 0 { 1 } else { -1 },
        7 => {
            let (place, bit) = (random.below(32), 1 << random.below(8));
            if random.below(2) == 0 { after.rows[one].1[place] ^= bit } else { after.head.frontier[place] ^= bit }
        }
        8 => {
            let place = random.below(after.head.checkpoint.chars().count());
            let changed = |(at, letter)| if at == place { 'ß' } else { letter };
            after.head.checkpoint = after.head.checkpoint.chars().enumerate().map(changed).collect();
        }
        _ => {
            // Another history, signed with another key.
            let mut events = before.events();
            of_history(&mut events, before.rows.len(), random);
            after = Trail::of(&events, origin, &CheckpointSigner::from_seed(&[7; 32]));
        }
    }
    after
}

/// A manipulation by an attacker who also has the secrets: an older copy or another consistent history.
fn change_with_secrets(
    events: &[Event],
    kept: usize,
    origin: &str,
    signer: &CheckpointSigner,
    random: &mut Random,
) -> Trail {
    let mut events = events.to_vec();
    if random.below(5) == 0 {
        events.truncate(random.below(kept));
    } else {
        of_history(&mut events, kept, random);
    }
    Trail::of(&events, origin, signer)
}

#[test]
fn a_thousand_changes_of_the_database_are_all_found() {
    let server = unlocked();
    let trail = TrailId::from(server.company("Brightwater"));
    let before = Trail::read(&server, trail);
    let (events, signer) = (before.events(), &server.actions.secrets.signer());
    let size = events.len() - 5;
    let (alone, with_kept) = (question(&server, trail, None), question(&server, trail, Some(kept(&events[..size]))));
    assert_eq!(check(&server, &with_kept), Ok(events.len() as u64));
    for seed in 0..1_000 {
        let mut random = Random::from(seed);
        let changed = loop {
            let changed = if seed % 2 == 0 {
                change_without_secrets(&before, &alone.origin, &mut random)
            } else {
                change_with_secrets(&events, size, &alone.origin, signer, &mut random)
            };
            // Some manipulations change nothing, such as swapping an event with itself.
            if changed.statements(trail) != before.statements(trail) {
                break changed;
            }
        };
        replace_trail(&server, trail, &changed);
        let found = check(&server, &with_kept);
        assert!(found.is_err(), "seed {seed}: {found:?}");
        // Without the kept checkpoint, only an attacker without the secrets is found.
        assert_eq!(check(&server, &alone).is_err(), seed % 2 == 0, "seed {seed}");
    }
    figures::print("C2", "1,000 of 1,000 changes of the database found");
}

#[test]
fn a_thousand_unchanged_trails_all_verify() {
    let server = unlocked();
    let trail = TrailId::from(server.company("Brightwater"));
    let (events, signer) = (Trail::read(&server, trail).events(), &server.actions.secrets.signer());
    let mut size = 0;
    for seed in 0..1_000 {
        let mut random = Random::from(seed);
        if seed % 10 == 0 {
            size = random.below(events.len() + 1);
            let origin = origin(server.actions.installation, trail);
            replace_trail(&server, trail, &Trail::of(&events[..size], &origin, signer));
        }
        let kept = kept(&events[..random.below(size + 1)]);
        assert_eq!(check(&server, &question(&server, trail, Some(kept))), Ok(size as u64), "seed {seed}");
    }
}

#[test]
fn a_trail_that_grows_during_the_check_verifies() {
    let server = TestServer::start();
    add_events(&server);
    let trail = TrailId::from(server.company("Brightwater"));
    let events = Trail::read(&server, trail).events();
    let question = question(&server, trail, Some(kept(&events)));
    let admin = server.admin();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                admin.create_key(&format!("Service {number}"));
            }
        });
        let started = Instant::now();
        let mut sizes: Vec<u64> = Vec::new();
        // On a busy machine, many checks may pass between two events.
        while sizes.len() < 40 || (sizes.first() == sizes.last() && started.elapsed() < Duration::from_mins(1)) {
            sizes.push(check(&server, &question).unwrap());
        }
        over.store(true, Ordering::Relaxed);
        assert!(sizes.is_sorted() && sizes.first() < sizes.last(), "the trail did not grow: {sizes:?}");
    });
}
