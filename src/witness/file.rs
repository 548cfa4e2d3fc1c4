//! Appends checkpoints to a file: each note, then an empty line. `docs/checkpoints.md` specifies the format.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::{Failure, WitnessError};
use crate::domain::trail::note_scanner::NoteScanner;
use crate::durable_file::sync_folder_of;

/// The group may read the file, for a program that collects it.
const MODE: u32 = 0o640;

/// A file of checkpoints, and the last one of each trail in it.
#[derive(Debug)]
pub(super) struct WitnessFile {
    path: PathBuf,
    /// By the origin lines of the trails.
    last: Mutex<HashMap<String, String>>,
}

impl WitnessFile {
    /// Checks that the file can be appended to, creates it if it is missing, and reads the last note of each trail.
    pub(super) fn open(path: &Path) -> Result<Self, WitnessError> {
        let opened = open(path).and_then(|file| {
            sync_folder_of(path)?;
            last_notes(BufReader::new(file))
        });
        opened.map(|last| Self { path: path.to_owned(), last: Mutex::new(last) }).map_err(|error| {
            WitnessError(format!(
                "--checkpoint-file {} cannot be appended to: {error}. Name a file in a folder that Keydesk may write to.",
                path.display()
            ))
        })
    }

    /// Appends a note durably. The file is opened each time, so that it may be moved away.
    pub(super) fn append(&self, note: &str) -> Result<(), Failure> {
        append(&self.path, note)
            .map_err(|error| Failure::outage(format!("the file cannot be appended to: {error}")))?;
        if let Some(origin) = note.lines().next() {
            self.last().insert(origin.to_owned(), note.to_owned());
        }
        Ok(())
    }

    /// Returns the last note of a trail, by its origin line. A file that was moved away has none any more.
    pub(super) fn last_note(&self, origin: &str) -> Option<String> {
        let mut last = self.last();
        if fs::metadata(&self.path).map_or(true, |metadata| metadata.len() == 0) {
            last.clear();
        }
        last.get(origin).cloned()
    }

    fn last(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the last note of each trail, by its origin line.
fn last_notes(file: impl BufRead) -> io::Result<HashMap<String, String>> {
    let (mut last, mut scanner) = (HashMap::new(), NoteScanner::default());
    for line in file.split(b'\n') {
        last.extend(scanner.push(String::from_utf8_lossy(&line?).into_owned()));
    }
    Ok(last)
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

fn append(path: &Path, note: &str) -> io::Result<()> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let entry = format!("{}{note}\n", missing_separator(&mut file, length)?);
    file.write_all(entry.as_bytes())?;
    file.sync_all()?;
    if length == 0 { sync_folder_of(path) } else { Ok(()) }
}

/// Returns what separates the next note from an entry that a crash or a full disk truncated. The truncated entry stays,
/// because the file may be append-only.
fn missing_separator(file: &mut File, length: u64) -> io::Result<&'static str> {
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(2)))?;
    file.read_to_end(&mut end)?;
    Ok(match end.as_slice() {
        [] | [b'\n', b'\n'] => "",
        [.., b'\n'] => "\n",
        _ => "\n\n",
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOTE: &str = "keydesk/i/t\n3\nroot=\n\n— keydesk/i/t signature=\n";

    #[test]
    fn an_empty_line_follows_each_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let file = WitnessFile::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
        file.append(NOTE).unwrap();
        file.append(NOTE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{NOTE}\n{NOTE}\n"));
        fs::rename(&path, folder.path().join("moved")).unwrap();
        file.append(NOTE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{NOTE}\n"));
    }

    #[test]
    fn a_truncated_entry_does_not_damage_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let file = WitnessFile::open(&path).unwrap();
        let entry = format!("{NOTE}\n");
        for cut in 0..=entry.len() {
            fs::write(&path, [entry.as_bytes(), &entry.as_bytes()[..cut]].concat()).unwrap();
            file.append(NOTE).unwrap();
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            // The format of a note: five lines; these are the first and the last.
            let notes = lines.windows(5).filter(|five| {
                five[0].starts_with("keydesk/") && five[3].is_empty() && five[4] == "— keydesk/i/t signature="
            });
            let whole = if cut + 2 >= entry.len() { 3 } else { 2 };
            assert_eq!(notes.count(), whole, "cut after {cut} bytes: {text}");
            assert!(text.ends_with(&format!("\n\n{entry}")), "cut after {cut} bytes: {text}");
        }
    }

    #[test]
    fn the_last_note_of_each_trail_is_read_when_the_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let note = |trail: &str, size| format!("keydesk/i/{trail}\n{size}\nroot=\n\n— keydesk/i/{trail} signature=\n");
        let text = format!("{}\n{}\nkeydesk/i/t\n9\nro\n\n{}\n", note("t", 3), note("t", 4), note("u", 7));
        fs::write(&path, text).unwrap();
        let file = WitnessFile::open(&path).unwrap();
        assert_eq!(file.last_note("keydesk/i/t"), Some(note("t", 4)));
        assert_eq!(file.last_note("keydesk/i/u"), Some(note("u", 7)));
        file.append(&note("u", 8)).unwrap();
        assert_eq!(file.last_note("keydesk/i/u"), Some(note("u", 8)));
        fs::rename(&path, folder.path().join("moved")).unwrap();
        assert_eq!(file.last_note("keydesk/i/u"), None);
    }

    #[test]
    fn a_file_that_cannot_be_appended_to_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing/file"), PathBuf::from("/dev/null")] {
            let sentence = WitnessFile::open(&path).unwrap_err().to_string();
            assert!(sentence.starts_with("--checkpoint-file ") && sentence.ends_with("may write to."), "{sentence}");
        }
    }
}
