//! A change of the key that signs a trail: its checkpoint at that moment, which names both keys and is signed by both.

use crate::domain::trail::checkpoint::{Checkpoint, CheckpointError, CheckpointKey, CheckpointSigner, text_of};

/// Begins the line that names the former key and the next one. Without this line, a signature says nothing of a key: the
/// first key has signed many checkpoints, and a client could add a signature of its own to one of them.
const LABEL: &str = "key-change";

/// A change of the key, with valid signatures of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The trail at that moment.
    pub checkpoint: Checkpoint,
    pub former: CheckpointKey,
    pub next: CheckpointKey,
}

impl KeyChange {
    /// Returns the note with which the key of the trail `origin` changes.
    #[must_use]
    pub fn sign(origin: &str, checkpoint: Checkpoint, former: &CheckpointSigner, next: &CheckpointSigner) -> String {
        let keys = [former, next].map(|signer| signer.public_key().to_typed());
        let text = format!("{}{LABEL} {} {}\n", checkpoint.text(origin), keys[0], keys[1]);
        format!("{text}\n{}{}", former.signature_line(origin, &text), next.signature_line(origin, &text))
    }

    /// Reads a note of the trail `origin`.
    ///
    /// # Errors
    /// [`CheckpointError`]: it is no such note, belongs to another trail, or lacks a valid signature of one of its keys.
    pub fn read(note: &str, origin: &str) -> Result<Self, CheckpointError> {
        let (former, next) = keys(text_of(note)).ok_or(CheckpointError::Malformed)?;
        let checkpoint = former.verify(note, origin)?;
        next.verify(note, origin)?;
        Ok(Self { checkpoint, former, next })
    }
}

/// Returns the keys that the text of a note names.
fn keys(text: &str) -> Option<(CheckpointKey, CheckpointKey)> {
    let mut lines = text.split('\n').skip(3);
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let (former, next) = line.strip_prefix(LABEL)?.strip_prefix(' ')?.split_once(' ')?;
    Some((CheckpointKey::parse_typed(former)?, CheckpointKey::parse_typed(next)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "keydesk/installation/trail";
    const TREE: Checkpoint = Checkpoint { size: 27, root: [3; 32] };

    fn signer(seed: u8) -> CheckpointSigner {
        CheckpointSigner::from_seed(&[seed; 32])
    }

    fn note() -> String {
        KeyChange::sign(ORIGIN, TREE, &signer(1), &signer(2))
    }

    #[test]
    fn a_key_change_is_a_checkpoint_with_two_signatures() {
        let (former, next) = (signer(1).public_key(), signer(2).public_key());
        assert_eq!(KeyChange::read(&note(), ORIGIN), Ok(KeyChange { checkpoint: TREE, former, next }));
        for key in [former, next] {
            assert_eq!(key.verify(&note(), ORIGIN), Ok(TREE), "readers of checkpoints accept it");
        }
        let lines: Vec<String> = note().lines().map(str::to_owned).collect();
        assert_eq!(lines[3], format!("key-change {} {}", former.to_typed(), next.to_typed()));
        assert!(lines[4].is_empty() && lines.len() == 7);
    }

    #[test]
    fn a_key_change_needs_both_signatures() {
        let note = note();
        let lines: Vec<&str> = note.lines().collect();
        let forged = KeyChange::sign(ORIGIN, Checkpoint { size: 28, ..TREE }, &signer(1), &signer(2));
        let forged: Vec<&str> = forged.lines().collect();
        for signatures in [&lines[5..6], &lines[6..], &[lines[5], forged[6]], &[forged[5], lines[6]]] {
            let text = format!("{}\n\n{}\n", text_of(&note), signatures.join("\n"));
            assert_eq!(KeyChange::read(&text, ORIGIN), Err(CheckpointError::BadSignature), "{text}");
        }
        let with_unknown = format!("{note}— elsewhere AAAAAAAA\n");
        assert!(KeyChange::read(&with_unknown, ORIGIN).is_ok());
    }

    #[test]
    fn a_checkpoint_with_a_second_signature_changes_no_key() {
        let checkpoint = signer(1).sign(ORIGIN, TREE.size, &TREE.root);
        let text = format!("{}\n", text_of(&checkpoint));
        let with_second = format!("{checkpoint}{}", signer(2).signature_line(ORIGIN, &text));
        assert!(signer(2).public_key().verify(&with_second, ORIGIN).is_ok());
        assert_eq!(KeyChange::read(&with_second, ORIGIN), Err(CheckpointError::Malformed));
    }

    #[test]
    fn a_key_change_of_another_trail_or_form_is_refused() {
        assert_eq!(KeyChange::read(&note(), "keydesk/installation/other"), Err(CheckpointError::WrongOrigin));
        let third = signer(3).public_key().to_typed();
        for changed in [
            note().replace(&signer(2).public_key().to_typed(), &third),
            note().replace(&signer(1).public_key().to_typed(), &third),
            note().replace("\n27\n", "\n26\n"),
        ] {
            assert_eq!(KeyChange::read(&changed, ORIGIN), Err(CheckpointError::BadSignature), "{changed}");
        }
        for changed in [
            String::new(),
            note().replace("key-change", "key-chance"),
            note().replace("key-change ", "key-change  "),
            note().replacen("\n\n", "\nanother line\n\n", 1),
            note().replacen("\n\n", " \n\n", 1),
        ] {
            assert_eq!(KeyChange::read(&changed, ORIGIN), Err(CheckpointError::Malformed), "{changed}");
        }
    }
}
