//! The tables of docs/endurance.md name tests that exist, and have every row.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Cells of a row, without the marks of code and emphasis.
fn rows() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/endurance.md")).unwrap();
    let lines =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row") && !line.starts_with("| -"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the path is that of a test, a module, or a folder of tests/it.
fn exists(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_end_matches("::").split("::").collect();
    let file = |parts: &[&str]| root().join("tests/it").join(parts.join("/"));
    let is_module = |parts: &[&str]| file(parts).is_dir() || file(parts).with_extension("rs").is_file();
    let Some((name, module)) = parts.split_last() else { return false };
    let source = || {
        let candidates = [file(module).with_extension("rs"), file(module).join("mod.rs")];
        candidates.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default()
    };
    is_module(&parts) || source().contains(&format!("fn {name}()"))
}

#[test]
fn every_test_of_the_tables_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    for row in rows() {
        assert_eq!(row.len(), 6, "{row:?}");
        let test =
            row[2].strip_prefix('`').and_then(|test| test.strip_suffix('`')).unwrap_or_else(|| panic!("{row:?}"));
        let is_there = match test.strip_prefix("make ") {
            Some(words) => makefile.contains(&format!("\n{}:", words.split(' ').next().unwrap())),
            None => exists(test),
        };
        assert!(is_there, "there is no {test}");
        assert!(["SQLite", "PostgreSQL", "both"].contains(&row[3].as_str()), "{row:?}");
    }
    assert!(!exists("endurance::nothing") && !exists("web::guessing::nothing"));
}

#[test]
fn every_figure_has_a_row() {
    let found: BTreeSet<String> = rows().into_iter().map(|row| row[0].clone()).collect();
    let expected = [("L", 6), ("R", 15), ("S", 11), ("C", 4)];
    let expected =
        expected.iter().flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")));
    assert_eq!(found, expected.collect());
}

/// A test of a table prints the line of its row.
#[test]
fn every_test_of_the_tables_prints_its_row() {
    let sources = sources(&root().join("tests/it"));
    for row in rows().iter().filter(|row| !row[2].contains("make ")) {
        let mark = format!("\"{}\"", row[0]);
        assert!(sources.iter().any(|source| source.contains(&mark)), "no test prints {}", row[0]);
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(
            |path| if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap_or_default()] },
        )
        .collect()
}
