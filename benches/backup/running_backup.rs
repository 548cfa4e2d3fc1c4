//! A `keydesk backup` in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The process. Dropping it ends it and removes the backup.
pub struct RunningBackup {
    file: PathBuf,
    child: Child,
    started: Instant,
    taken: Option<Duration>,
}

impl RunningBackup {
    /// Starts a backup of the installation in `folder`.
    pub fn start(program: &str, folder: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(folder).arg("backup");
        Self::spawn(command, folder)
    }

    /// Starts another program that copies the database.
    pub fn start_other(program: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(folder.join("keydesk.db"));
        Self::spawn(command, folder)
    }

    fn spawn(mut command: Command, folder: &Path) -> Result<Self> {
        let file = folder.join("measured-backup");
        let child = command.arg(&file).stdout(Stdio::null()).spawn()?;
        Ok(Self { file, child, started: Instant::now(), taken: None })
    }

    /// Returns whether the backup has completed.
    pub fn is_done(&mut self) -> Result<bool> {
        let Some(status) = self.child.try_wait()? else { return Ok(false) };
        ensure!(status.success(), "the backup failed");
        self.taken.get_or_insert(self.started.elapsed());
        Ok(true)
    }

    /// Returns how long the backup took, to the end of a slice.
    pub fn seconds(&self) -> f64 {
        self.taken.unwrap_or_else(|| self.started.elapsed()).as_secs_f64()
    }
}

impl Drop for RunningBackup {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.file);
    }
}
