//! An independent verifier, written in Python from the documents, comes to the same results.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keydesk::domain::trail::checkpoint::CheckpointSigner;
use keydesk::domain::trail::event::Event;
use tempfile::TempDir;

use super::exports::{Writer, read};
use super::random::Random;
use super::{add_events, check, download_evidence, export, kept, mutation, require_python};
use crate::support::TestServer;

/// Changed key changes in every run. `MUTATIONS=1000 cargo test --test it -- verifier_parity` runs more.
const KEY_CHANGE_MUTATIONS: u64 = 120;

/// Runs the independent verifier on files with these contents.
pub fn python(files: &[(&str, &[u8])]) -> Output {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_export.py"));
    for (option, content) in files {
        let path: PathBuf = folder.path().join(format!("file{option}"));
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        if !option.is_empty() {
            command.arg(option);
        }
        command.arg(path);
    }
    command.output().unwrap()
}

#[test]
fn both_verifiers_agree_on_valid_and_invalid_exports() {
    require_python();
    let server = TestServer::start();
    add_events(&server);
    let admin = server.admin();
    let (vkey, checkpoint) = download_evidence(&admin);
    let size: usize = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    add_events(&server);
    let mut cases: Vec<(String, Vec<u8>)> = [
        "",
        "?since=0",
        "?since=SIZE",
        "?action=api_key.revoked&since=SIZE",
        "?to=2020-01-01&since=SIZE",
        "?action=api_key.revoked",
        "?action=api_key.created&since=1",
    ]
    .iter()
    .map(|query| (query.to_string(), export(&admin, &query.replace("SIZE", &size.to_string())).into_bytes()))
    .collect();
    let bases: Vec<String> = cases[..4].iter().map(|case| String::from_utf8(case.1.clone()).unwrap()).collect();
    let (header, events) = read(&bases[0]);
    let other = CheckpointSigner::from_seed(&[7; 32]);
    let forged = Writer { header: header.clone(), events: &events, signer: &other, former: &[] };
    cases.push(("another key".to_owned(), forged.write(None, |_| true).into_bytes()));
    for seed in 0..60 {
        let mut random = Random::from(seed);
        cases.push((format!("file {seed}"), mutation::of_file(&random.of(&bases).clone(), &mut random)));
        let mut events = events.clone();
        // Some changes are after the checkpoint, which does not cover them.
        let up_to = if seed % 3 == 0 { events.len() } else { size };
        mutation::of_history(&mut events, up_to, &mut random);
        let signer = &server.actions.secrets.signer();
        let writer = Writer { header: header.clone(), events: &events, signer, former: &[] };
        let since = (seed % 2 == 0).then_some(size.min(events.len()));
        let part = i64::try_from(random.below(3)).unwrap() + 1;
        cases.push((format!("history {seed}"), writer.write(since, |event| event.sequence % part == 0).into_bytes()));
    }
    let (mut good, mut bad) = (0, 0);
    for (case, bytes) in &cases {
        if agreed(case, bytes, &vkey, &checkpoint) { good += 1 } else { bad += 1 }
    }
    assert!(good >= 5 && bad >= 60, "{good} good, {bad} bad");
}

/// Returns what both verifiers say.
fn agreed(case: &str, bytes: &[u8], vkey: &str, checkpoint: &str) -> bool {
    let ours = check(bytes, &kept(vkey, checkpoint));
    let output = python(&[("", bytes), ("--public-key", vkey.as_bytes()), ("--checkpoint", checkpoint.as_bytes())]);
    let theirs = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(i32::from(ours.is_err())), "{case}: {ours:?}, but {theirs}");
    assert!(!theirs.contains("Traceback"), "{case}: {theirs}");
    ours.is_ok()
}

#[test]
fn both_verifiers_follow_the_same_changes_of_the_key() {
    require_python();
    let mutations = std::env::var("MUTATIONS").map_or(KEY_CHANGE_MUTATIONS, |count| count.parse().unwrap());
    let first = TestServer::start();
    add_events(&first);
    let (vkey, checkpoint) = download_evidence(&first.admin());
    first.other_company_admin();
    let second = first.with_next_key(1, &[]);
    add_events(&second);
    let third = second.with_next_key(2, &[]);
    add_events(&third);
    let (admin, signer) = (third.admin(), CheckpointSigner::from_seed(&[2; 32]));
    let exports = ["", "?since=2", "?action=api_key.revoked&since=SIZE"];
    let size = checkpoint.lines().nth(1).unwrap();
    let bases = exports.map(|query| export(&admin, &query.replace("SIZE", size)));
    for base in &bases {
        assert!(agreed("as it was exported", base.as_bytes(), &vkey, &checkpoint));
    }
    let (header, events) = read(&bases[0]);
    let size = size.parse().unwrap();
    let signers = [&first, &second].map(|server| server.actions.secrets.signer());
    let former: [&CheckpointSigner; 2] = [&signers[0], &signers[1]];
    let notes = third.actions.store.query(|db| db.trails().key_changes(first.company("Northwind").into())).unwrap();
    let others = [notes, vec![checkpoint.clone(), header.checkpoint.clone(), String::new()]].concat();
    let written = |key_changes: &[(&CheckpointSigner, usize)], events: &[Event]| {
        let writer = Writer { header: header.clone(), events, signer: &signer, former: key_changes };
        writer.write(Some(size), |_| true).into_bytes()
    };
    let (mut good, mut bad) = (0, 0);
    for seed in 0..mutations {
        let mut random = Random::from(seed);
        let (bytes, may_verify) = match seed % 4 {
            0 | 1 => mutation::of_key_changes(&random.of(&bases).clone(), &others, &signer, &mut random),
            2 => (mutation::of_file(&random.of(&bases).clone(), &mut random), false),
            _ => {
                // Other keys, sizes and histories.
                let stranger = CheckpointSigner::from_seed(&[7; 32]);
                let (mut events, (early, late)) = (events.clone(), (random.below(size), random.below(events.len())));
                if random.below(3) == 0 {
                    mutation::of_history(&mut events, size, &mut random);
                }
                let chains = [
                    vec![(former[0], early), (former[1], late)],
                    vec![(former[0], late), (former[1], early)],
                    vec![(&stranger, early), (former[1], late)],
                    vec![(former[0], early), (former[0], late)],
                    vec![(&stranger, 0), (former[0], early)],
                    vec![],
                ];
                let chain = random.of(&chains).clone();
                (written(&chain, &events), true)
            }
        };
        let is_good = agreed(&format!("seed {seed}"), &bytes, &vkey, &checkpoint);
        assert!(may_verify || !is_good, "seed {seed}: {}", String::from_utf8_lossy(&bytes));
        if is_good { good += 1 } else { bad += 1 }
    }
    assert!(good * 20 >= mutations && bad * 2 >= mutations, "{good} good, {bad} bad");
}
