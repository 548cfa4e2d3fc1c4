//! The age of the last backup.

use std::time::Duration;

use super::finding::Finding;
use crate::config::{Config, Database};
use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::last_backup;

/// A daily backup may fail once.
const MAX_AGE: Duration = Duration::from_hours(48);
const HOUR: u64 = 60 * 60;

/// Says how old the last backup is. Other programs back up PostgreSQL.
pub(super) fn examine(config: &Config, installation: InstallationId, now: Timestamp) -> Finding {
    if matches!(config.database, Database::Postgres(_)) {
        return Finding::Unknown("other programs back up PostgreSQL".to_owned());
    }
    match last_backup::read(&config.data_dir, installation) {
        Ok(began_at) => of_age(began_at.map(|at| now.since(at))),
        Err(error) => Finding::Trouble(format!("The time of the last backup cannot be read: {error}.")),
    }
}

fn of_age(age: Option<Duration>) -> Finding {
    match age {
        None => Finding::Note("No backup by keydesk backup is known.".to_owned()),
        Some(age) if age > MAX_AGE => Finding::Trouble(format!(
            "The last backup began {} hours ago. Run keydesk backup, and look why it was not run.",
            age.as_secs() / HOUR
        )),
        Some(_) => Finding::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_of_more_than_two_days_is_trouble() {
        assert_eq!(of_age(Some(MAX_AGE)), Finding::Good);
        let old = of_age(Some(MAX_AGE + Duration::from_hours(2)));
        assert!(matches!(&old, Finding::Trouble(sentence) if sentence.contains("50 hours ago")), "{old}");
        assert!(matches!(of_age(None), Finding::Note(_)));
    }
}
