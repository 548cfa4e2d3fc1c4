//! What a server wrote to its database and when it flushed it, and the disks that a power failure may leave.

use std::fs;
use std::path::Path;

use rand::RngExt;
use rand::rngs::StdRng;

/// The files of a recording, by number.
const FILES: [&str; 2] = ["keydesk.db", "keydesk.db-wal"];
/// A disk writes a sector whole or not.
const SECTOR: usize = 512;
/// The kinds of records, as in `recorder.c`. The last is of the test: what a client was told.
const WRITE: usize = 0;
const TRUNCATE: usize = 1;
const FLUSH: usize = 2;
const TOLD: usize = 3;

pub enum Record {
    Write { file: usize, at: usize, bytes: Vec<u8> },
    Truncate { file: usize, length: usize },
    Flush { file: usize },
    Told(String),
}

impl Record {
    fn file(&self) -> Option<usize> {
        match self {
            Self::Write { file, .. } | Self::Truncate { file, .. } | Self::Flush { file } => Some(*file),
            Self::Told(_) => None,
        }
    }
}

/// The bytes of a record of the test.
pub fn told(text: &str) -> Vec<u8> {
    let head = [TOLD, 0, 0, text.len()].map(|number| (number as u64).to_ne_bytes());
    [&head.concat(), text.as_bytes()].concat()
}

/// Reads a recording. The last record may be incomplete while the server runs.
pub fn read(path: &Path) -> Vec<Record> {
    let all = fs::read(path).unwrap();
    let (mut rest, mut records) = (all.as_slice(), Vec::new());
    while let Some((head, after)) = rest.split_at_checked(32) {
        let number = |at: usize| {
            let number = u64::from_ne_bytes(head[at * 8..at * 8 + 8].try_into().unwrap());
            usize::try_from(number).unwrap()
        };
        let [kind, file, at, length] = [0, 1, 2, 3].map(number);
        let taken = if kind == WRITE || kind == TOLD { length } else { 0 };
        let Some((bytes, after)) = after.split_at_checked(taken) else { break };
        rest = after;
        records.push(match kind {
            WRITE => Record::Write { file, at, bytes: bytes.to_vec() },
            TRUNCATE => Record::Truncate { file, length },
            FLUSH => Record::Flush { file },
            _ => Record::Told(String::from_utf8(bytes.to_vec()).unwrap()),
        });
    }
    records
}

fn apply(content: &mut Vec<u8>, record: &Record) {
    match record {
        Record::Write { at, bytes, .. } => {
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Record::Truncate { length, .. } => content.resize(*length, 0),
        Record::Flush { .. } | Record::Told(_) => {}
    }
}

/// Writes some of the sectors of a write, or all.
fn apply_torn(content: &mut Vec<u8>, record: &Record, random: &mut StdRng) {
    let Record::Write { file, at, bytes } = record else {
        if random.random_bool(0.5) {
            apply(content, record);
        }
        return;
    };
    let mut from = 0;
    while from < bytes.len() {
        let to = ((at + from) / SECTOR * SECTOR + SECTOR - at).min(bytes.len());
        if random.random_bool(0.5) {
            apply(content, &Record::Write { file: *file, at: at + from, bytes: bytes[from..to].to_vec() });
        }
        from = to;
    }
}

/// Writes the disk that a power failure after these records may leave. All that was flushed is there. Of the rest there is
/// a beginning, or, if it is torn, any sectors.
pub fn write_disk(folder: &Path, records: &[Record], is_torn: bool, random: &mut StdRng) {
    for (file, name) in FILES.iter().enumerate() {
        let own = || records.iter().filter(move |record| record.file() == Some(file));
        let flushed = own().enumerate().filter(|(_, record)| matches!(record, Record::Flush { .. })).last();
        let durable = flushed.map_or(0, |(at, _)| at);
        let mut content = Vec::new();
        own().take(durable).for_each(|record| apply(&mut content, record));
        let pending = own().count() - durable;
        if is_torn {
            own().skip(durable).for_each(|record| apply_torn(&mut content, record, random));
        } else {
            let kept = random.random_range(0..=pending);
            own().skip(durable).take(kept).for_each(|record| apply(&mut content, record));
        }
        if own().next().is_some() {
            fs::write(folder.join(name), content).unwrap();
        }
    }
}
