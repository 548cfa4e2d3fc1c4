//! `keydesk restore`.

use std::path::{Path, PathBuf};

use super::accept_loss::accept_loss;
use super::audit::files::read_public_key;
use super::error::CliError;
use super::output::{print_line, report_lines};
use super::progress::Progress;
use crate::backup::{self, KeptCheckpoints, RestoreRequest, Restored};
use crate::config::{Config, Database, Settings};

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// A backup by keydesk backup, to restore into a new folder that --data-dir names
    #[arg(value_name = "FILE", required_unless_present = "accept_loss", conflicts_with = "accept_loss")]
    file: Option<PathBuf>,
    /// A file with checkpoints that you kept: the events that they sign and the backup lacks are named; may be repeated
    #[arg(long, value_name = "CHECKPOINT", requires = "file")]
    checkpoint: Vec<PathBuf>,
    /// The public key that you kept; without it, the key in the secrets file is trusted
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    public_key: Option<PathBuf>,
    /// Restore the database as it is, although rows or audit trails are not as recorded
    #[arg(long, requires = "file")]
    despite_differences: bool,
    /// Accept that the events which the audit trails lack are lost: records it in each trail and serves its company again
    ///
    /// Works while the server runs. Keys that were revoked in the lost events are valid again: review and revoke them.
    #[arg(long)]
    accept_loss: bool,
}

impl Restore {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        let Some(backup) = self.file else { return accept_loss(settings) };
        let key = self.public_key.as_deref().map(read_public_key).transpose()?.map(|(key, _)| key);
        let kept = KeptCheckpoints { files: self.checkpoint, key };
        let request = RestoreRequest { backup, kept, accepts_differences: self.despite_differences };
        let config = settings.check()?;
        let mut progress = Progress::start();
        let restored = backup::restore(&config, &request, &mut |step| progress.show_backup(step));
        drop(progress);
        print(&config, restored?, request.kept.files.is_empty())
    }
}

fn print(config: &Config, restored: Restored, has_no_checkpoint: bool) -> Result<(), CliError> {
    let Restored { manifest, path, shortfalls, findings } = restored;
    report_lines(findings);
    print_line(&format!(
        "Restored: {}, as of {}, {} events in {} audit trails",
        path.display(),
        manifest.began_at,
        manifest.events(),
        manifest.trails.len()
    ))?;
    for (name, shortfall) in &shortfalls {
        print_line(&format!("{name}: {shortfall}"))?;
    }
    if !shortfalls.is_empty() {
        print_line(
            "Keys of these are answered with 503 until a later backup is restored, or the loss is accepted with keydesk restore --accept-loss.",
        )?;
    } else if has_no_checkpoint {
        print_line(
            "Changes after that time are lost. A checkpoint that you kept tells which: restore into another new folder with --checkpoint.",
        )?;
    }
    print_line(&format!("Start it with: keydesk serve{}", flags(config)))
}

/// The flags that name the restored installation.
fn flags(config: &Config) -> String {
    let mut flags = vec![format!(" --data-dir {}", shell_word(&config.data_dir))];
    if config.secrets_file != config.data_dir.join("secrets") {
        flags.push(format!(" --secrets-file {}", shell_word(&config.secrets_file)));
    }
    if let Database::Sqlite(path) = &config.database
        && *path != config.data_dir.join("keydesk.db")
    {
        flags.push(format!(" --database-url sqlite://{}", shell_word(path)));
    }
    flags.concat()
}

/// Returns a path as a word of a shell's command line.
fn shell_word(path: &Path) -> String {
    let path = path.to_string_lossy();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+,:@".contains(character);
    if path.chars().all(is_plain) { path.into_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_as_one_shell_word() {
        for (path, word) in [
            ("/var/lib/keydesk-2", "/var/lib/keydesk-2"),
            ("/my data", "'/my data'"),
            ("/it's; $HOME", r"'/it'\''s; $HOME'"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
