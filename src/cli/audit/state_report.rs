//! Prints how the stored rows compare with the audit trail.

use crate::cli::error::CliError;
use crate::cli::output::print_line;
use crate::domain::trail::replay::{DifferenceKind, ReplayCounts};
use crate::evidence::{CheckedState, EventReference, StateDifference};
use crate::store::Integrity;

/// More differences of one trail are only counted.
const MAX_LINES: usize = 20;

/// Prints the result for a trail whose events verify. `kept` is what is said about a kept checkpoint. Returns the first
/// difference, as a sentence.
pub(super) fn print(name: &str, kept: &str, state: &CheckedState) -> Result<Option<String>, CliError> {
    let CheckedState { events, counts, differences, difference_count, .. } = state;
    let verdict = if *difference_count == 0 { rows_part(counts) } else { String::new() };
    print_line(&format!("{name}: {events} events, all as they were recorded{kept}{verdict}"))?;
    let unconfirmed = counts.keys_without_fingerprint;
    if unconfirmed > 0 {
        print_line(&format!(
            "{name}: {} created by an older version and without a fingerprint, so an exchanged digest is not found",
            if unconfirmed == 1 { "1 key was".to_owned() } else { format!("{unconfirmed} keys were") }
        ))?;
    }
    for difference in differences.iter().take(MAX_LINES) {
        print_line(&format!("{name}: {}", sentence(difference)))?;
    }
    if *difference_count > MAX_LINES {
        print_line(&format!("{name}: and {} more differences", difference_count - MAX_LINES))?;
    }
    let first = differences.first();
    Ok(first.map(|first| format!("The database is not what the audit trail of {name} says: {}.", sentence(first))))
}

/// Prints the rows that belong to no trail. Returns the first one, as a sentence.
pub(super) fn print_strays(strays: &[StateDifference]) -> Result<Option<String>, CliError> {
    for stray in strays {
        print_line(&sentence(stray))?;
    }
    Ok(strays.first().map(|first| format!("The database holds a row of no audit trail: {}.", sentence(first))))
}

/// Prints what a check of the files found. Returns the first problem, as a sentence.
pub(super) fn print_integrity(integrity: &Integrity) -> Result<Option<String>, CliError> {
    match integrity {
        Integrity::Intact => Ok(None),
        Integrity::WithoutChecksums => {
            print_line(
                "PostgreSQL keeps no checksums of data pages (data_checksums), so that damage to its files may go unnoticed.",
            )?;
            Ok(None)
        }
        Integrity::Damaged(problems) => {
            for problem in problems {
                print_line(&format!("Database: {problem}"))?;
            }
            Ok(problems.first().map(|problem| format!("The files of the database are damaged: {problem}.")))
        }
    }
}

/// “; 2 keys, 2 service accounts and 1 user as they say”.
fn rows_part(counts: &ReplayCounts) -> String {
    let ReplayCounts { companies, users, accounts, keys, gateways, .. } = *counts;
    let counted = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    if companies > 0 {
        let (keys, users) = (counted(keys, "key", "keys"), counted(users, "user", "users"));
        let accounts = counted(accounts, "service account", "service accounts");
        format!("; {keys}, {accounts} and {users} as they say")
    } else if gateways > 0 {
        format!("; {} as they say", counted(gateways, "gateway", "gateways"))
    } else {
        String::new()
    }
}

/// Names the row by its id, what differs, and the last event that says otherwise. The id of a row that was changed may
/// be any text: it is quoted and escaped.
fn sentence(StateDifference { difference, event }: &StateDifference) -> String {
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let id = Some(difference.subject.id.clone()).filter(|id| is_id(id));
    let id = id.unwrap_or_else(|| format!("{:?}", difference.subject.id));
    let subject = format!("{} {id}", difference.subject.kind.label());
    let event = event.as_ref().map_or_else(
        || "the events".to_owned(),
        |EventReference { sequence, id, action }| format!("event {sequence} ({id}, {action})"),
    );
    match &difference.kind {
        DifferenceKind::Changed(columns) => format!("{subject}: {} not as {event} says", joined(columns)),
        DifferenceKind::Missing => format!("{subject} is missing, and the last event about it is {event}"),
        DifferenceKind::Unrecorded => format!("{subject} was never recorded: no event of this trail creates it"),
    }
}

/// “owner is” or “owner and expires_at are”.
fn joined(columns: &[&str]) -> String {
    match columns.split_last() {
        None => String::new(),
        Some((last, [])) => format!("{last} is"),
        Some((last, rest)) => format!("{} and {last} are", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::replay::{Difference, Subject, SubjectKind};

    const ID: &str = "01a2a747-5680-7cdd-b6c0-1ce0e5498baa";

    fn difference(id: &str, kind: DifferenceKind) -> StateDifference {
        let subject = Subject { kind: SubjectKind::ApiKey, id: id.to_owned() };
        let event = EventReference { sequence: 14, id: "E".to_owned(), action: "api_key.revoked".to_owned() };
        StateDifference { difference: Difference { subject, kind, sequence: Some(14) }, event: Some(event) }
    }

    #[test]
    fn a_difference_names_the_row_the_columns_and_the_event() {
        for (kind, expected) in [
            (DifferenceKind::Changed(vec!["owner"]), "API key ID: owner is not as event 14 (E, api_key.revoked) says"),
            (
                DifferenceKind::Changed(vec!["revoked_at", "revoked_by", "owner"]),
                "API key ID: revoked_at, revoked_by and owner are not as event 14 (E, api_key.revoked) says",
            ),
            (
                DifferenceKind::Missing,
                "API key ID is missing, and the last event about it is event 14 (E, api_key.revoked)",
            ),
            (DifferenceKind::Unrecorded, "API key ID was never recorded: no event of this trail creates it"),
        ] {
            assert_eq!(sentence(&difference(ID, kind)), expected.replace("ID", ID));
        }
    }

    #[test]
    fn an_id_from_a_row_cannot_forge_the_sentence() {
        let hostile = difference("K\"\n\u{202e}Brightwater: all well", DifferenceKind::Unrecorded);
        let expected = r#"API key "K\"\n\u{202e}Brightwater: all well" was never recorded"#;
        assert!(sentence(&hostile).starts_with(expected), "{}", sentence(&hostile));
    }

    #[test]
    fn matching_rows_are_counted() {
        let counts = ReplayCounts { companies: 1, users: 1, accounts: 2, keys: 3, ..ReplayCounts::default() };
        assert_eq!(rows_part(&counts), "; 3 keys, 2 service accounts and 1 user as they say");
        let counts = ReplayCounts { gateways: 1, ..ReplayCounts::default() };
        assert_eq!(rows_part(&counts), "; 1 gateway as they say");
        assert_eq!(rows_part(&ReplayCounts::default()), "");
    }
}
