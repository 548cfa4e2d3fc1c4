//! `keydesk database copy`.

mod refusals;
mod survival;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::cli::{run, text};
use crate::store::parity;
use crate::support::database;

/// Copies the database of an installation.
fn copy(data_dir: &Path, from: &str, to: &str) -> Output {
    run(data_dir, from, &["database", "copy", "--to", to], "")
}

/// Copies the database of an installation, without a fault. Returns what the command printed.
fn copied(data_dir: &Path, from: &str, to: &str) -> String {
    let output = copy(data_dir, from, to);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "the progress is for terminals");
    text(&output.stdout)
}

/// All rows of each table of the schema, as text that does not depend on the kind of the database.
fn rows(url: &str) -> BTreeMap<String, Vec<String>> {
    let is_sqlite = url.starts_with("sqlite:");
    let mut tables = parity::schema();
    tables.remove(parity::ONLY_ON_SQLITE);
    // These follow from the others, and are made again.
    for derived in ["assessment_queue", "key_assessments", "practice_summaries"] {
        assert!(tables.remove(derived).is_some(), "{derived}");
    }
    let of_table = |(table, columns): (String, std::collections::BTreeSet<(String, bool, String)>)| {
        let cells = columns.iter().map(|(name, _, kind)| {
            let cell = match kind.as_str() {
                "bytea" if is_sqlite => format!("CASE WHEN {name} IS NOT NULL THEN lower(hex({name})) END"),
                "bytea" => format!("encode({name}, 'hex')"),
                "boolean" => format!("CAST(CAST({name} AS INTEGER) AS TEXT)"),
                _ => format!("CAST({name} AS TEXT)"),
            };
            format!("'{name}=' || coalesce({cell}, 'NULL')")
        });
        let row = cells.collect::<Vec<_>>().join(" || ' ' || ");
        let mut rows: Vec<String> =
            database::column(url, &format!("({row})"), &format!("FROM {table}")).into_iter().flatten().collect();
        rows.sort_unstable();
        (table, rows)
    };
    tables.into_iter().map(of_table).collect()
}

/// The URL of a SQLite file in a folder.
fn file(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(name).display())
}
