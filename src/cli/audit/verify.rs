//! `keydesk audit verify`: of the installation's trails, or of an export, for which no installation is needed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::{kept_file, public_key};
use crate::cli::{Refusal, find_company_in, say};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::checkpoint::{self, Checkpoint, CheckpointKey};
use crate::domain::consistency_file::ConsistencyFile;
use crate::domain::export_check::{Checked, ExportCheck, Kept};
use crate::domain::export_misfit::ExportMisfit;
use crate::domain::ids::TrailId;
use crate::evidence::{self, Question};
use crate::server;
use crate::server::Readable;

/// No line of an export is as long: what is longer is none.
const LONGEST_LINE: u64 = 1 << 20;
/// Whoever looks on is told so often.
const LINES_BETWEEN_NEWS: u64 = 1_000;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Verify {
    /// Check one company's trail only, by name or id
    #[arg(long)]
    company: Option<String>,
    /// Check an export in JSON Lines; no database is asked and no setting is used
    #[arg(long, conflicts_with = "company")]
    file: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: the trail must begin with the events that it signs
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The public key that was kept elsewhere; without it, the installation's own or the export's is believed
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// A proof that connects an export with the checkpoint, made by keydesk audit consistency
    #[arg(long, requires = "file", requires = "checkpoint")]
    consistency: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, settings: Settings) -> Result<(), Refusal> {
        let key = self.public_key.as_deref().map(public_key).transpose()?;
        let checkpoint = self.checkpoint.as_deref().map(kept_file).transpose()?;
        if let Some(path) = &self.file {
            let consistency = self.consistency.as_deref().map(consistency_file).transpose()?;
            return export(path, &Kept { key, checkpoint, consistency });
        }
        let installation = server::open_to_read(&settings.check()?, &Clock::machine())?;
        self.trails(&installation, key, checkpoint.as_deref())
    }

    /// Checks the installation's trails, or the one that was asked for.
    fn trails(
        &self,
        installation: &Readable,
        key: Option<(CheckpointKey, Option<String>)>,
        note: Option<&str>,
    ) -> Result<(), Refusal> {
        let own_key = key.is_none();
        let (key, named) = key.unwrap_or((installation.key, None));
        let mut questions = Vec::new();
        for (name, trail) in self.asked_for(installation)? {
            let origin = checkpoint::origin(installation.id, trail);
            if named.as_ref().is_none_or(|named| *named == origin) {
                let kept = note.filter(|note| note.lines().next() == Some(&origin));
                let kept = kept.map(|note| key.verify(note, &origin)).transpose().map_err(|error| {
                    format!("The checkpoint that you kept is not to be believed under this public key: {error}.")
                })?;
                questions.push((name, Question { trail, origin, key, kept }));
            }
        }
        if questions.is_empty() {
            return Err("The public key that you gave is that of another trail.".into());
        }
        if note.is_some() && questions.iter().all(|(_, question)| question.kept.is_none()) {
            return Err("The checkpoint that you kept belongs to another trail or installation.".into());
        }
        if own_key && (note.is_some() || !installation.has_secrets) {
            say(
                "The public key is the installation's own, so this proves as much as you trust it. Give the one that you kept by --public-key.",
            )?;
        }
        check_all(installation, &questions)
    }

    fn asked_for(&self, installation: &Readable) -> Result<Vec<(String, TrailId)>, Refusal> {
        if let Some(company) = &self.company {
            let company = find_company_in(&installation.store, company)?;
            return Ok(vec![(company.name, company.id.into())]);
        }
        let companies = installation.store.ask(|questions| questions.companies())?;
        let own = ("Installation".to_owned(), TrailId::from(installation.id));
        Ok(companies.into_iter().map(|company| (company.name, company.id.into())).chain([own]).collect())
    }
}

fn check_all(installation: &Readable, questions: &[(String, Question)]) -> Result<(), Refusal> {
    let mut refused = None;
    for (name, question) in questions {
        let mut progress = Progress::begin();
        let checked = evidence::check_trail(&installation.store, question, &mut |done, of| progress.reached(done, of));
        drop(progress);
        match checked? {
            Ok(events) => say(&format!("{name}: {events} events, all as they were recorded{}", since(question.kept)))?,
            Err(misfit) => {
                say(&format!("{name}: {misfit}"))?;
                refused.get_or_insert(format!("The audit trail of {name} does not verify: {misfit}."));
            }
        }
    }
    refused.map_or(Ok(()), |sentence| Err(Refusal(sentence)))
}

fn since(kept: Option<Checkpoint>) -> String {
    kept.map_or_else(String::new, |kept| format!(", the first {} as your checkpoint signs them", kept.size))
}

fn consistency_file(path: &Path) -> Result<ConsistencyFile, Refusal> {
    ConsistencyFile::parse(&kept_file(path)?)
        .ok_or_else(|| Refusal(format!("{} holds no proof that keydesk audit consistency has made.", path.display())))
}

/// Checks an export with nothing but it and what was kept.
fn export(path: &Path, kept: &Kept) -> Result<(), Refusal> {
    let cannot = |error: std::io::Error| Refusal(format!("{} cannot be read: {error}.", path.display()));
    let file = BufReader::new(File::open(path).map_err(cannot)?);
    let Checked { events, size, full, company, kept: begins } = check(file, kept)
        .map_err(cannot)?
        .map_err(|misfit| Refusal(format!("The export does not verify: {misfit}.")))?;
    let which = if full { format!("all {events} events") } else { format!("{events} of {size} events") };
    let begins = begins.map_or_else(String::new, |kept| {
        if kept > size {
            format!("; your checkpoint of {kept} events continues this trail")
        } else {
            format!("; the trail begins with the {kept} events that your checkpoint signs")
        }
    });
    say(&format!("{company}: {which}, each as its checkpoint signs it{begins}"))?;
    if kept.key.is_none() {
        say(
            "The public key is the one in the file, so this proves only that the file fits together. Give the one that you kept by --public-key.",
        )?;
    }
    Ok(())
}

/// Checks line by line; no more than one line is in memory.
fn check(mut file: impl BufRead, kept: &Kept) -> std::io::Result<Result<Checked, ExportMisfit>> {
    let (mut progress, mut line, mut lines) = (Progress::begin(), Vec::new(), 0);
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        file.by_ref().take(LONGEST_LINE).read_until(b'\n', line)
    };
    next(&mut line)?;
    let mut check = match ExportCheck::begin(&line, kept) {
        Ok(check) => check,
        Err(misfit) => return Ok(Err(misfit)),
    };
    while next(&mut line)? > 0 {
        if let Err(misfit) = check.take(&line) {
            return Ok(Err(misfit));
        }
        lines += 1;
        if lines % LINES_BETWEEN_NEWS == 0 {
            progress.reached(lines, check.announced());
        }
    }
    Ok(check.finish())
}
