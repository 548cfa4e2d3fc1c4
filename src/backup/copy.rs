//! Copies bytes in steps, and computes their SHA-256.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::error::BackupError;
use super::low_priority::pause;
use super::partial_file::PartialFile;
use super::progress::Progress;
use crate::config::Database;
use crate::domain::text::normalize::hex;
use crate::store::{Store, StoreError};

/// A step is written to the disk before the next one begins: a large amount of unwritten data would delay the commits of
/// the server until it is written.
const STEP_BYTES: usize = 1 << 20;

/// Connections to the copy are closed in the background.
const SEAL_TIMEOUT: Duration = Duration::from_secs(10);
const SEAL_INTERVAL: Duration = Duration::from_millis(20);

enum CopyError {
    Store(StoreError),
    File(io::Error),
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Copies the pages of a database as it is when this is called.
pub(super) fn copy_database(
    store: &Store,
    target: &PartialFile,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    let (mut step, mut done, mut started) = (Vec::with_capacity(STEP_BYTES), 0, Instant::now());
    let mut end_step = |step: &mut Vec<u8>| -> io::Result<()> {
        target.file().write_all(step)?;
        target.file().sync_data()?;
        step.clear();
        pause(started.elapsed());
        started = Instant::now();
        Ok(())
    };
    let copied = store.read_pages(|page, size| {
        step.extend_from_slice(page);
        done += page.len() as u64;
        if step.len() >= STEP_BYTES {
            end_step(&mut step).map_err(CopyError::File)?;
            progress(Progress::bytes(done, size.bytes()));
        }
        Ok(())
    });
    copied.and_then(|()| end_step(&mut step).map_err(CopyError::File)).map_err(|error| match error {
        CopyError::Store(error) => error.into(),
        CopyError::File(error) => BackupError::unwritable(target.path(), &error),
    })
}

/// Returns the size of a file and its SHA-256 in hexadecimal.
pub(super) fn digest(file: &PartialFile) -> Result<(u64, String), BackupError> {
    let read = file.file().seek(SeekFrom::Start(0)).and_then(|_| {
        let (mut digest, mut step, mut bytes) = (Sha256::new(), vec![0; STEP_BYTES], 0);
        loop {
            let started = Instant::now();
            let count = file.file().read(&mut step)?;
            if count == 0 {
                return Ok((bytes, hex(&digest.finalize())));
            }
            digest.update(&step[..count]);
            bytes += count as u64;
            pause(started.elapsed());
        }
    });
    read.map_err(|error| BackupError::unreadable(file.path(), &error))
}

/// Copies the first `bytes` bytes of a backup. Returns their SHA-256 in hexadecimal.
pub(super) fn extract(
    backup: &mut (impl Read + Seek),
    bytes: u64,
    target: &PartialFile,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, BackupError> {
    let (mut digest, mut step, mut done) = (Sha256::new(), vec![0; STEP_BYTES], 0);
    let unreadable = |error| BackupError(format!("The backup cannot be read: {error}."));
    backup.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    while done < bytes {
        let wanted = usize::try_from(bytes - done).unwrap_or(STEP_BYTES).min(STEP_BYTES);
        let count = backup.read(&mut step[..wanted]).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        digest.update(&step[..count]);
        target.file().write_all(&step[..count]).map_err(|error| BackupError::unwritable(target.path(), &error))?;
        done += count as u64;
        progress(Progress::bytes(done, bytes));
    }
    Ok(hex(&digest.finalize()))
}

/// Makes the file alone the database, once all connections to it are closed.
pub(super) fn seal(database: &Database) -> Result<(), BackupError> {
    let started = Instant::now();
    loop {
        match Store::seal(database) {
            Err(_) if started.elapsed() < SEAL_TIMEOUT => thread::sleep(SEAL_INTERVAL),
            sealed => return Ok(sealed?),
        }
    }
}
