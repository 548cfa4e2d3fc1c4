//! Finds the links of the project's Markdown documents, and the headings that they may point at.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders with files of others.
const FOREIGN: &[&str] = &["target", "node_modules", ".git"];

/// The Markdown files below a folder.
pub fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !FOREIGN.iter().any(|name| path.ends_with(name)) {
                found.extend(documents(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found
}

/// The targets of the links in a text: what stands between `](` and `)`.
pub fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

/// Says what is wrong with a link of a document, or nothing. Addresses on the web are not checked.
pub fn fault(document: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { document.to_owned() } else { document.with_file_name("").join(path) };
    if !target.exists() {
        return Some(format!("{}: {link} does not exist", document.display()));
    }
    let anchor = anchor?;
    let known = anchors(&fs::read_to_string(&target).unwrap());
    (!known.iter().any(|known| known == anchor)).then(|| format!("{}: {link} has no heading", document.display()))
}

#[test]
fn a_missing_file_and_a_missing_heading_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("page.md");
    fs::write(&document, "# A page: `first`, second\n[x](page.md#a-page-first-second) [y](#b) [z](gone.md)").unwrap();
    let text = fs::read_to_string(&document).unwrap();
    let found: Vec<_> = links(&text).filter_map(|link| fault(&document, link)).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].ends_with("#b has no heading") && found[1].ends_with("gone.md does not exist"), "{found:?}");
}
