use super::*;

const ORIGIN: &str = "keydesk/installation/trail";

fn signer() -> CheckpointSigner {
    CheckpointSigner::from_seed(&[9; 32])
}

#[test]
fn a_checkpoint_contains_what_was_signed() {
    let note = signer().sign(ORIGIN, 27, &[3; 32]);
    assert_eq!(signer().public_key().verify(&note, ORIGIN), Ok(Checkpoint { size: 27, root: [3; 32] }));
    let lines: Vec<&str> = note.lines().collect();
    assert_eq!(lines[..4], [ORIGIN, "27", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=", ""]);
    assert!(lines[4].starts_with(&format!("— {ORIGIN} ")) && note.ends_with('\n') && lines.len() == 5);
}

#[test]
fn a_changed_checkpoint_is_refused() {
    let note = signer().sign(ORIGIN, 27, &[3; 32]);
    let key = signer().public_key();
    assert_eq!(key.verify(&note.replace("\n27\n", "\n26\n"), ORIGIN), Err(CheckpointError::BadSignature));
    assert_eq!(key.verify(&note.replace("\n27\n", "\n027\n"), ORIGIN), Err(CheckpointError::Malformed));
    assert_eq!(key.verify(&note, "keydesk/installation/other"), Err(CheckpointError::WrongOrigin));
    assert_eq!(key.verify("", ORIGIN), Err(CheckpointError::Malformed));
    assert_eq!(key.verify(&note.repeat(2), ORIGIN), Err(CheckpointError::Malformed), "two checkpoints are ambiguous");
    assert!(key.verify(&format!("{note}\n"), ORIGIN).is_ok(), "an editor adds an empty line");
    let other = CheckpointSigner::from_seed(&[8; 32]).public_key();
    assert_eq!(other.verify(&note, ORIGIN), Err(CheckpointError::BadSignature));
    assert!(key.is_named_in(&note, ORIGIN) && !other.is_named_in(&note, ORIGIN));
}

#[test]
fn one_valid_signature_among_others_suffices() {
    let (note, key) = (signer().sign(ORIGIN, 27, &[3; 32]), signer().public_key());
    let other = CheckpointSigner::from_seed(&[8; 32]).sign(ORIGIN, 27, &[3; 32]);
    let own_line = note.lines().last().unwrap();
    let other_line = other.lines().last().unwrap();
    let forged_line = own_line.replace(&own_line[own_line.len() - 20..], &other_line[other_line.len() - 20..]);
    let with = |lines: &[&str]| format!("{}\n\n{}\n", text_of(&note), lines.join("\n"));
    for lines in [
        &[other_line, own_line][..],
        &[own_line, other_line],
        &["— elsewhere AAAAAAAA", forged_line.as_str(), own_line],
        &vec![own_line; MAX_SIGNATURES],
    ] {
        assert!(key.verify(&with(lines), ORIGIN).is_ok(), "{lines:?}");
    }
    assert_eq!(key.verify(&with(&[other_line, &forged_line]), ORIGIN), Err(CheckpointError::BadSignature));
    let many = vec![own_line; MAX_SIGNATURES + 1];
    assert_eq!(key.verify(&with(&many), ORIGIN), Err(CheckpointError::Malformed));
}

#[test]
fn the_reference_note_verifies_under_its_key() {
    let (_, key) = CheckpointKey::parse_vkey(KNOWN_VKEY).unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let line =
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    assert!(key.verify_line(line, "PeterNeumann", text.as_bytes()));
    assert!(!key.verify_line(line, "PeterNeumann", text.replace("you ", "we ").as_bytes()));
}

/// The example of C2SP signed-note's reference implementation.
const KNOWN_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn the_reference_verifier_key_is_parsed_and_written() {
    let (name, key) = CheckpointKey::parse_vkey(KNOWN_VKEY).unwrap();
    assert_eq!((name.as_str(), key.to_vkey(&name).as_str()), ("PeterNeumann", KNOWN_VKEY));
    assert_eq!(CheckpointKey::parse_vkey(&format!("{KNOWN_VKEY}\n")), Some((name, key)));
    let own = signer().public_key();
    assert_eq!(CheckpointKey::parse_vkey(&own.to_vkey(ORIGIN)), Some((ORIGIN.to_owned(), own)));
}

#[test]
fn a_raw_key_is_parsed_in_base64_and_hexadecimal() {
    let key = signer().public_key();
    for text in [BASE64_STANDARD.encode(key.to_bytes()), crate::domain::text::normalize::hex(&key.to_bytes())] {
        assert_eq!(CheckpointKey::parse_raw(&format!("{text}\n")), Some(key));
        assert_eq!(CheckpointKey::parse_raw(&text[1..]), None);
        assert_eq!(CheckpointKey::parse_raw(&text.replace(&text[..1], "é")), None);
    }
    assert_eq!(CheckpointKey::parse_raw(""), None);
}

#[test]
fn a_malformed_verifier_key_is_refused() {
    for broken in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &KNOWN_VKEY.replace("Peter", "Pieter"),
        &KNOWN_VKEY.replace("c74f20a3", "c74f20a4"),
        &KNOWN_VKEY.replace("c74f20a3", "C74F20A3"),
        &KNOWN_VKEY.replace("+ARpc", "+Ahpc"),
        &KNOWN_VKEY[..KNOWN_VKEY.len() - 4],
        &format!("{KNOWN_VKEY}AAAA"),
        &format!("{KNOWN_VKEY}\n{KNOWN_VKEY}"),
        // An empty name and one with a space, each with a matching key id.
        &signer().public_key().to_vkey(""),
        &signer().public_key().to_vkey("two words"),
    ] {
        assert_eq!(CheckpointKey::parse_vkey(broken), None, "{broken}");
    }
}
