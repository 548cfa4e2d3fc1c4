//! `keydesk audit verify`: verifies the trails of an installation, or an export without an installation.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;

use super::files::{read_public_key, read_text};
use super::state_report;
use crate::cli::error::CliError;
use crate::cli::open::find_company;
use crate::cli::output::print_line;
use crate::cli::progress::Progress;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ids::TrailId;
use crate::domain::text::escape::Quoted;
use crate::domain::trail::checkpoint::{self, Checkpoint, CheckpointKey};
use crate::domain::trail::consistency_file::ConsistencyFile;
use crate::domain::trail::export_check::{ExportCheck, ExportSummary, TrustAnchor};
use crate::domain::trail::export_error::ExportError;
use crate::domain::trail::key_change::KeyChange;
use crate::evidence::{self, CheckRequest, Pace};
use crate::server::{self, ReadOnlyInstallation};
use crate::store::Store;

/// No line of an export is longer.
const MAX_LINE_BYTES: u64 = 1 << 20;
const LINES_PER_PROGRESS_UPDATE: u64 = 1_000;

#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct Verify {
    /// Verify the trail of one company only, by name or id
    #[arg(long)]
    company: Option<String>,
    /// Verify an export in JSON Lines; uses no database and no setting
    #[arg(long, conflicts_with = "company")]
    file: Option<PathBuf>,
    /// A checkpoint that you kept: the trail must start with the events that it signs
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The public key that you kept; without it, the key of the installation or the export is trusted
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// A proof that connects an export with the checkpoint, made by keydesk audit consistency
    #[arg(long, requires = "file", requires = "checkpoint")]
    consistency: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        let key = self.public_key.as_deref().map(read_public_key).transpose()?;
        let checkpoint = self.checkpoint.as_deref().map(read_text).transpose()?;
        if let Some(path) = &self.file {
            let consistency = self.consistency.as_deref().map(read_consistency_file).transpose()?;
            return verify_export(path, &TrustAnchor { key, checkpoint, consistency });
        }
        let installation = server::open_read_only(&settings.check()?, &Clock::system())?;
        self.verify_trails(&installation, key, checkpoint.as_deref())
    }

    pub(super) fn verify_trails(
        &self,
        installation: &ReadOnlyInstallation,
        key: Option<(CheckpointKey, Option<String>)>,
        note: Option<&str>,
    ) -> Result<(), CliError> {
        let is_own_key = key.is_none();
        let (key, key_origin) = key.unwrap_or((installation.key, None));
        let mut requests = Vec::new();
        for (name, trail) in self.selected_trails(installation)? {
            let origin = checkpoint::origin(installation.id, trail);
            if key_origin.as_ref().is_none_or(|key_origin| *key_origin == origin) {
                let kept_checkpoint = note.filter(|note| note.lines().next() == Some(&origin));
                let kept_checkpoint = kept_checkpoint
                    .map(|note| verify_kept(&installation.store, &name, trail, &origin, key, note))
                    .transpose()?;
                requests.push((name, CheckRequest { trail, origin, key, kept_checkpoint }));
            }
        }
        if requests.is_empty() {
            return Err("The public key belongs to another trail.".into());
        }
        if note.is_some() && requests.iter().all(|(_, request)| request.kept_checkpoint.is_none()) {
            return Err("The checkpoint that you kept belongs to another trail or installation.".into());
        }
        if is_own_key && (note.is_some() || installation.secrets.is_none()) {
            print_line(
                "The public key is the installation's own, so this proves as much as you trust it. Give the one that you kept by --public-key.",
            )?;
        }
        check_all(installation, &requests, self.company.is_none())
    }

    fn selected_trails(&self, installation: &ReadOnlyInstallation) -> Result<Vec<(String, TrailId)>, CliError> {
        if let Some(company) = &self.company {
            let company = find_company(&installation.store, company)?;
            return Ok(vec![(company.name, company.id.into())]);
        }
        let trails = installation.store.query(|db| db.stored_rows().trails())?;
        let own_trail = TrailId::from(installation.id);
        let name = |(trail, company): (TrailId, Option<String>)| match company {
            _ if trail == own_trail => ("Installation".to_owned(), trail),
            Some(name) => (name, trail),
            None => (format!("The trail {trail} of a company that is missing"), trail),
        };
        Ok(trails.into_iter().map(name).collect())
    }
}

/// Verifies a checkpoint of a trail that was kept: its key, or one that its key was changed to, has signed it.
fn verify_kept(
    store: &Store,
    name: &str,
    trail: TrailId,
    origin: &str,
    key: CheckpointKey,
    note: &str,
) -> Result<Checkpoint, CliError> {
    let keys = store.query(|db| evidence::key_chain(db, trail, origin, key))?;
    let keys = keys.map_err(|error| format!("The audit trail of {name} does not verify: {error}."))?;
    let kept = keys.verify(note, origin);
    Ok(kept.map_err(|error| format!("The checkpoint that you kept is not valid under this public key: {error}."))?)
}

/// Checks the files of the database, each trail with its rows, and, with `is_complete`, that no row is without a trail.
fn check_all(
    installation: &ReadOnlyInstallation,
    requests: &[(String, CheckRequest)],
    is_complete: bool,
) -> Result<(), CliError> {
    let store = &installation.store;
    // The files are checked by a thread of their own: the database reads all of them, which takes a while.
    thread::scope(|scope| {
        let integrity = scope.spawn(|| store.read(|db| db.stored_rows().integrity()));
        let differences = lost_events(installation, requests, is_complete).and_then(|mut sentences| {
            sentences.extend(check_rows(store, requests, is_complete)?);
            Ok(sentences)
        });
        let integrity = integrity.join().map_err(|_| CliError::from("The check of the database's files failed."))?;
        // Damaged files explain every other failed read.
        let damage = integrity.map_err(CliError::from).and_then(|found| state_report::print_integrity(&found));
        let sentences = match damage {
            Ok(Some(damage)) => vec![damage],
            Ok(None) => differences?,
            Err(error) => differences.and(Err(error))?,
        };
        sentences.into_iter().next().map_or(Ok(()), |sentence| Err(CliError(sentence)))
    })
}

/// Returns what the trails lack of the events that the server remembers, as sentences.
fn lost_events(
    installation: &ReadOnlyInstallation,
    requests: &[(String, CheckRequest)],
    is_complete: bool,
) -> Result<Vec<String>, CliError> {
    let mut sentences = Vec::new();
    for (trail, shortfall) in &installation.shortfalls {
        let request = requests.iter().find(|(_, request)| request.trail == *trail);
        let name = request.map_or_else(|| format!("The trail {trail}"), |(name, _)| name.clone());
        // No request is about a missing trail.
        if request.is_some() || is_complete {
            print_line(&format!("{name}: {shortfall}, as the server remembers"))?;
            sentences.push(format!("The audit trail of {name} went back: {shortfall}."));
        }
    }
    Ok(sentences)
}

/// Checks each trail with its rows. Returns what does not fit, as sentences.
fn check_rows(store: &Store, requests: &[(String, CheckRequest)], is_complete: bool) -> Result<Vec<String>, CliError> {
    let mut sentences = Vec::new();
    for (name, request) in requests {
        sentences.extend(check_one(store, name, request)?);
    }
    if is_complete {
        sentences.extend(state_report::print_strays(&evidence::stray_rows(store)?)?);
    }
    Ok(sentences)
}

/// Checks a trail and its rows. Returns the first error, as a sentence.
fn check_one(store: &Store, name: &str, request: &CheckRequest) -> Result<Option<String>, CliError> {
    let mut progress = Progress::start();
    let checked = evidence::check_state(store, request, Pace::Full, &mut |step| match step {
        evidence::Progress::Events(done, total) => progress.show("events", done, total),
        evidence::Progress::Rows(done, total) => progress.show("rows", done, total),
    });
    drop(progress);
    let Some(checked) = checked? else { return Err("The check was interrupted.".into()) };
    match checked {
        Ok(state) => {
            let difference = state_report::print(name, &kept_part(request.kept_checkpoint), &state)?;
            print_key_changes(name, state.keys.changes_after(request.key), |key| key.to_vkey(&request.origin))?;
            Ok(difference)
        }
        Err(error) => {
            print_line(&format!("{name}: {error}"))?;
            Ok(Some(format!("The audit trail of {name} does not verify: {error}.")))
        }
    }
}

/// Prints the changes of a trail's key since the one that the reader has.
fn print_key_changes(
    name: &str,
    changes: &[KeyChange],
    shown: impl Fn(CheckpointKey) -> String,
) -> Result<(), CliError> {
    changes.iter().try_for_each(|change| {
        let (size, key) = (change.checkpoint.size, shown(change.next));
        print_line(&format!(
            "{name}: its signing key was changed after event {size}; the public key since then is {key}"
        ))
    })
}

fn kept_part(kept: Option<Checkpoint>) -> String {
    kept.map_or_else(String::new, |kept| format!(", the first {} as your checkpoint signs them", kept.size))
}

fn read_consistency_file(path: &Path) -> Result<ConsistencyFile, CliError> {
    ConsistencyFile::parse(&read_text(path)?)
        .ok_or_else(|| CliError(format!("{} holds no proof by keydesk audit consistency.", path.display())))
}

fn verify_export(path: &Path, anchor: &TrustAnchor) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| CliError(format!("{} cannot be read: {error}.", path.display()));
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let ExportSummary { events, size, full, company, trusted_size, origin, key_changes } = check_export(file, anchor)
        .map_err(unreadable)?
        .map_err(|error| CliError(format!("The export does not verify: {error}.")))?;
    let which = if full { format!("all {events} events") } else { format!("{events} of {size} events") };
    let trusted_part = trusted_size.map_or_else(String::new, |trusted| {
        if trusted > size {
            format!("; your checkpoint of {trusted} events continues this trail")
        } else {
            format!("; the trail begins with the {trusted} events that your checkpoint signs")
        }
    });
    let company = Quoted(company).to_string();
    print_line(&format!("{company}: {which}, each as its checkpoint signs it{trusted_part}"))?;
    print_key_changes(&company, &key_changes, |key| Quoted(key.to_vkey(&origin)).to_string())?;
    if anchor.key.is_none() {
        print_line(
            "The public key is the one in the file, so this proves only that the file fits together. Give the one that you kept by --public-key.",
        )?;
    }
    Ok(())
}

/// Checks an export line by line, with one line in memory.
fn check_export(mut file: impl BufRead, anchor: &TrustAnchor) -> std::io::Result<Result<ExportSummary, ExportError>> {
    let (mut progress, mut line, mut lines) = (Progress::start(), Vec::new(), 0);
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)
    };
    next(&mut line)?;
    let mut check = match ExportCheck::start(&line, anchor) {
        Ok(check) => check,
        Err(error) => return Ok(Err(error)),
    };
    while next(&mut line)? > 0 {
        if let Err(error) = check.check_line(&line) {
            return Ok(Err(error));
        }
        lines += 1;
        if lines % LINES_PER_PROGRESS_UPDATE == 0 {
            progress.show("events", lines, check.expected_events());
        }
    }
    Ok(check.finish())
}
