//! Why an export is not believed, in sentences that name the line and the event.

use super::checkpoint::CheckpointError;

/// The first thing in an export that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportMisfit {
    /// It does not begin as an export does.
    #[error("it does not begin with the header of an audit export, version 1")]
    NoHeader,
    /// A line is not of the form that is specified.
    #[error("line {0} is not in the form of an audit export")]
    Malformed(u64),
    /// It ends before its end, or what stands behind its end is more.
    #[error("it breaks off after line {0}: export it again")]
    BreaksOff(u64),
    /// Something follows the end.
    #[error("line {0} stands behind the end")]
    BehindTheEnd(u64),
    /// There are more or fewer events in it than it says.
    #[error("it says that it holds {said} events, and holds {found}")]
    Count {
        /// What the header or the end says.
        said: u64,
        /// How many lines of events there are.
        found: u64,
    },
    /// What it says of itself contradicts itself.
    #[error("its header contradicts itself: {0}")]
    Header(&'static str),
    /// The key that was given is another one than the file's.
    #[error("it was not made under the public key that you gave")]
    OtherKey,
    /// The key that was given is a line that names another trail.
    #[error("the public key that you gave is that of another trail, {0}")]
    KeyOfAnotherTrail(String),
    /// The checkpoint in the header is not to be believed.
    #[error("the checkpoint in its header is not to be believed: {0}")]
    Checkpoint(CheckpointError),
    /// An event is not in the tree that the checkpoint signs.
    #[error("event {sequence} ({id}), in line {line}, is not what the checkpoint signs")]
    NotInTheTree {
        /// The line.
        line: u64,
        /// Which event it says that it is.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// What a line says for readers is not what the proven bytes of its event say.
    #[error("event {sequence}, in line {line}: “{field}” is not what the event's leaf says")]
    Field {
        /// The line.
        line: u64,
        /// Which event it is.
        sequence: i64,
        /// The member of the line.
        field: &'static str,
    },
    /// The events are not in order, or one is there twice.
    #[error("event {sequence}, in line {line}, is out of order")]
    OutOfOrder {
        /// The line.
        line: u64,
        /// Which event it is.
        sequence: i64,
    },
    /// An event is missing from an export that says it holds all.
    #[error("event {0} is missing")]
    Missing(u64),
    /// The end's signature is not one of these lines.
    #[error("it is not as it was exported: the signature at its end does not fit its lines")]
    Signature,
    /// The checkpoint that was kept is not to be believed.
    #[error("the checkpoint that you kept is not to be believed under this public key: {0}")]
    Kept(CheckpointError),
    /// The checkpoint that was kept and the file's are of one size and of different trees.
    #[error("the checkpoint that you kept signs other {0} events than these")]
    OtherTree(u64),
    /// The trail does not begin as the checkpoint that was kept says.
    #[error("the trail does not begin with the {0} events that the checkpoint you kept signs: its history was changed")]
    OtherBeginning(u64),
    /// The checkpoint that was kept speaks of more events than the file's.
    #[error(
        "the checkpoint that you kept signs {kept} events, and this trail ends with event {size}: its tail was cut, or the file is older than the checkpoint. Export it again; if it still ends there, events are gone"
    )]
    Shorter {
        /// How many events the kept checkpoint signs.
        kept: u64,
        /// How many events the file's checkpoint signs.
        size: u64,
    },
    /// Nothing connects the file with the checkpoint that was kept.
    #[error(
        "nothing in it connects it with the checkpoint of {kept} events that you kept. Export it again with since={kept}, or give the proof by --consistency, made by: keydesk audit consistency --company {company} --from CHECKPOINT --to {size}"
    )]
    NotConnected {
        /// How many events the kept checkpoint signs.
        kept: u64,
        /// How many events the file's checkpoint signs.
        size: u64,
        /// The company's id.
        company: String,
    },
    /// The proof of consistency is about other checkpoints, or shows nothing.
    #[error("the proof of consistency that you gave does not connect it with the checkpoint that you kept")]
    Consistency,
}
