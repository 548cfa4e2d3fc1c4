//! Why an export is refused, in sentences that name the line and the event. Text from the file stands in quotation
//! marks.

use crate::domain::text::escape::Quoted;
use crate::domain::trail::checkpoint::CheckpointError;
use crate::domain::trail::key_chain::KeyChainError;

/// The first error in an export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error("it does not start with the header of an audit export, version 1")]
    MissingHeader,
    #[error("line {0} is not in the format of an audit export")]
    Malformed(u64),
    /// The last line is missing.
    #[error("it is cut off after line {0}: export it again")]
    Truncated(u64),
    #[error("line {0} comes after the end of the export")]
    LineAfterEnd(u64),
    /// The number of events differs from the header or the last line.
    #[error("it states {stated} events and contains {found}")]
    EventCount { stated: u64, found: u64 },
    #[error("its header contradicts itself: {0}")]
    InconsistentHeader(&'static str),
    #[error("{0}")]
    Keys(KeyChainError),
    /// The export's checkpoint is not proven to extend the tree of a change of the key.
    #[error("nothing proves that it starts with the {0} events that a change of its signing key signs")]
    KeyChangeMismatch(u64),
    /// The trusted key is not among the export's keys.
    #[error("it was not signed under the public key that you gave")]
    KeyMismatch,
    /// The trusted key names another trail.
    #[error("the public key that you gave belongs to another trail, {}", Quoted(.0))]
    KeyForOtherTrail(String),
    #[error("the checkpoint in its header is not valid: {0}")]
    Checkpoint(CheckpointError),
    /// The inclusion proof of an event does not lead to the signed root.
    #[error("event {sequence} ({}) in line {line} is not in the tree that the checkpoint signs", Quoted(.id))]
    NotInTree { line: u64, sequence: i64, id: String },
    /// A readable field differs from the proven leaf.
    #[error("event {sequence} in line {line}: “{field}” differs from the event's leaf")]
    FieldMismatch { line: u64, sequence: i64, field: &'static str },
    /// The events are not in descending order.
    #[error("event {sequence} in line {line} is out of order")]
    OutOfOrder { line: u64, sequence: i64 },
    /// An event is missing from a full export.
    #[error("event {0} is missing")]
    Missing(u64),
    /// The signature in the last line does not match.
    #[error("it was changed after the export: the signature in its last line is not valid")]
    BadSignature,
    #[error("your checkpoint is not valid under this public key: {0}")]
    TrustedCheckpoint(CheckpointError),
    /// The trusted checkpoint has the same size and another root.
    #[error("your checkpoint signs {0} events that differ from these")]
    TreeMismatch(u64),
    /// The trail is not an extension of the trusted checkpoint.
    #[error("the trail does not start with the {0} events that your checkpoint signs: its history was changed")]
    HistoryChanged(u64),
    /// The trusted checkpoint has more events than the export's checkpoint.
    #[error(
        "your checkpoint signs {trusted} events, and this trail ends with event {size}: its end was cut off, or the file is older than the checkpoint. Export it again; if it still ends there, events are gone"
    )]
    TooShort { trusted: u64, size: u64 },
    /// The export contains no proof for the trusted checkpoint.
    #[error(
        "it contains nothing that connects it with your checkpoint of {trusted} events. Export it again with since={trusted}, or pass a proof with --consistency, created by: keydesk audit consistency --from CHECKPOINT --to {size}"
    )]
    NotConnected { trusted: u64, size: u64 },
    /// The consistency proof is about other checkpoints, or not valid.
    #[error("the consistency proof that you gave does not connect it with your checkpoint")]
    BadConsistencyProof,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_file_is_quoted() {
        let text = "x”\n\u{1b}[2J";
        for error in [
            ExportError::KeyForOtherTrail(text.to_owned()),
            ExportError::NotInTree { line: 2, sequence: 1, id: text.to_owned() },
        ] {
            let sentence = error.to_string();
            assert!(sentence.contains(r"“x\u{201d}\u{a}\u{1b}[2J”"), "{sentence}");
        }
    }
}
