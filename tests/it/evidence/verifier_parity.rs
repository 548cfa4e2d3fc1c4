//! An independent verifier, written in Python from the documents, comes to the same results.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keydesk::domain::trail::checkpoint::CheckpointSigner;
use tempfile::TempDir;

use super::exports::{Writer, read};
use super::random::Random;
use super::{add_events, check, download_evidence, export, kept, mutation, require_python};
use crate::support::TestServer;

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
    let forged = Writer { header: header.clone(), events: &events, signer: &other };
    cases.push(("another key".to_owned(), forged.write(None, |_| true).into_bytes()));
    for seed in 0..60 {
        let mut random = Random::from(seed);
        cases.push((format!("file {seed}"), mutation::of_file(&random.of(&bases).clone(), &mut random)));
        let mut events = events.clone();
        // Some changes are after the checkpoint, which does not cover them.
        let up_to = if seed % 3 == 0 { events.len() } else { size };
        mutation::of_history(&mut events, up_to, &mut random);
        let writer = Writer { header: header.clone(), events: &events, signer: &server.actions.secrets.signer() };
        let since = (seed % 2 == 0).then_some(size.min(events.len()));
        let part = i64::try_from(random.below(3)).unwrap() + 1;
        cases.push((format!("history {seed}"), writer.write(since, |event| event.sequence % part == 0).into_bytes()));
    }
    let (mut good, mut bad) = (0, 0);
    for (case, bytes) in &cases {
        let ours = check(bytes, &kept(&vkey, &checkpoint));
        let output = python(&[("", bytes), ("--public-key", vkey.as_bytes()), ("--checkpoint", checkpoint.as_bytes())]);
        let theirs = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(i32::from(ours.is_err())), "{case}: {ours:?}, but {theirs}");
        assert!(!theirs.contains("Traceback"), "{case}: {theirs}");
        if ours.is_ok() { good += 1 } else { bad += 1 }
    }
    assert!(good >= 5 && bad >= 60, "{good} good, {bad} bad");
}
