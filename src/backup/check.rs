//! Checks a copy of a database: its files, its audit trails, and the rows against them.

use std::time::Duration;

use super::error::BackupError;
use super::low_priority::pause;
use super::progress::Progress;
use crate::domain::backup_manifest::BackupTrail;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::text::escape::Quoted;
use crate::domain::trail::checkpoint::{self, CheckpointKey};
use crate::evidence::{CheckRequest, Pace, check_state, stray_rows};
use crate::store::{Integrity, Store};

/// How much of the machine a check may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckPriority {
    /// Works without pauses.
    Normal,
    /// At most half of one thread.
    Low,
}

/// The result of a check.
#[derive(Debug, Default)]
pub(super) struct CheckReport {
    pub trails: Vec<BackupTrail>,
    /// What is wrong, as sentences.
    pub findings: Vec<String>,
    pub differences: u64,
}

/// Checks the files, each trail with its rows, and that no row is without a trail.
///
/// # Errors
/// [`BackupError`]: the files are damaged, or cannot be read.
pub(super) fn check(
    store: &Store,
    installation: InstallationId,
    key: CheckpointKey,
    priority: CheckPriority,
    progress: &mut dyn FnMut(Progress),
) -> Result<CheckReport, BackupError> {
    if let Integrity::Damaged(problems) = store.read(|db| db.stored_rows().integrity())? {
        let problem = problems.first().cloned().unwrap_or_default();
        return Err(BackupError(format!(
            "The database is damaged: {problem}. Keep its files, and restore an earlier backup."
        )));
    }
    let mut report = CheckReport::default();
    for (trail, company) in store.query(|db| db.stored_rows().trails())? {
        let name = trail_name(trail, company.as_deref(), installation);
        let origin = checkpoint::origin(installation, trail);
        let request = CheckRequest { trail, origin, key, kept_checkpoint: None };
        let rest = |took: Duration| {
            pause(took);
            true
        };
        let pace = if priority == CheckPriority::Low { Pace::Slow(&rest) } else { Pace::Full };
        let state = check_state(store, &request, pace, &mut |step| progress(step.into()))?;
        match state.ok_or_else(|| BackupError::new("The check was interrupted."))? {
            Ok(state) if state.difference_count == 0 => {}
            Ok(state) => {
                report.differences += state.difference_count as u64;
                let count = count_text(state.difference_count);
                report.findings.push(format!("The database is not what the audit trail of {name} says: {count}."));
            }
            Err(error) => {
                report.differences += 1;
                report.findings.push(format!("The audit trail of {name} does not verify: {error}."));
            }
        }
    }
    let strays = stray_rows(store)?.len();
    if strays > 0 {
        report.differences += strays as u64;
        report.findings.push(format!("The database holds rows of no audit trail: {}.", count_text(strays)));
    }
    for (trail, size, checkpoint) in store.query(|db| db.trails().checkpoints())? {
        let size = u64::try_from(size).unwrap_or(0);
        report.trails.push(BackupTrail { trail: trail.to_string(), size, checkpoint });
    }
    Ok(report)
}

/// Returns the name of what a trail is about.
pub(super) fn trail_name(trail: TrailId, company: Option<&str>, installation: InstallationId) -> String {
    match company {
        _ if trail == TrailId::from(installation) => "the installation".to_owned(),
        Some(name) => Quoted(name).to_string(),
        None => format!("the missing company {trail}"),
    }
}

fn count_text(differences: usize) -> String {
    if differences == 1 { "1 difference".to_owned() } else { format!("{differences} differences") }
}

/// Fails if there is a finding, unless differences are accepted.
pub(super) fn ensure_no_findings(findings: &[String], accepts_differences: bool) -> Result<(), BackupError> {
    match findings.first() {
        Some(first) if !accepts_differences => Err(BackupError(format!(
            "{first} Find the cause with keydesk audit verify. To go on with the database as it is, add --despite-differences."
        ))),
        _ => Ok(()),
    }
}
