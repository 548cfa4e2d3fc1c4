//! `keydesk backup`.

use std::path::PathBuf;

use super::error::CliError;
use super::open::open_read_only;
use super::output::{print_line, report_lines};
use super::progress::Progress;
use crate::backup;
use crate::config::{Database, Settings};

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The backup, a new file that only its owner may read; it has this name once it is whole and checked
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Back up the database as it is, although rows or audit trails are not as recorded
    #[arg(long)]
    despite_differences: bool,
}

impl Backup {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        let config = settings.clone().check()?;
        if let Database::Postgres(_) = config.database {
            return Err("keydesk backup copies SQLite databases. Back up PostgreSQL with pg_dump, or continuously with pgBackRest, and the secrets file with it: docs/operating.md has the commands.".into());
        }
        let source = open_read_only(settings)?;
        let mut progress = Progress::start();
        let made = backup::create(&source, &config.data_dir, &self.file, self.despite_differences, &mut |step| {
            progress.show_backup(step);
        });
        drop(progress);
        let made = made?;
        report_lines(made.findings);
        let (events, trails) = (made.manifest.events(), made.manifest.trails.len());
        let events = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        let trails = if trails == 1 { "1 audit trail".to_owned() } else { format!("{trails} audit trails") };
        print_line(&format!("Backup: {}, {} bytes, {events} in {trails}", self.file.display(), made.bytes))
    }
}
