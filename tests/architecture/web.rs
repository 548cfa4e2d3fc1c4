//! The layers inside `src/web`: `routes → pages → components → app → {paths, url}`, and in a page's folder
//! `handlers → load → view`.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Edges;

const ROOT: &str = "src/web/mod.rs";

/// What each layer of `web` may name besides itself. `src/web/mod.rs` may name all of them.
#[rustfmt::skip]
const LAYERS: &[(&str, &[&str])] = &[
    ("routes",     &["pages", "components", "app", "paths", "url"]),
    ("pages",      &[         "components", "app", "paths", "url"]),
    ("components", &[                       "app", "paths", "url"]),
    ("app",        &[                              "paths", "url"]),
    ("paths",      &[]),
    ("url",        &[]),
];

/// The parts of a page, from the highest to the lowest.
const PARTS: &[&str] = &["handlers", "load", "view"];

/// Files of `web` that belong to none of its layers.
pub fn files_without_layer<'a>(files: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    files.filter(|file| *file != ROOT && layer(file).is_some_and(|layer| row(layer).is_none())).collect()
}

/// Edges between layers of `web` that lead up, and edges to `src/web/mod.rs`.
pub fn wrong_edges(edges: &Edges) -> Vec<String> {
    let is_wrong = |from: &str, to: &str| match (layer(from), layer(to)) {
        (Some(one), Some(other)) if from != ROOT => one != other && !row(one).unwrap_or_default().contains(&other),
        _ => false,
    };
    let wrong = edges.iter().filter(|((from, to), _)| is_wrong(from, to));
    wrong.map(|((from, to), names)| complaint(from, to, names)).collect()
}

/// Paths inside `pages` that lead from a part to a higher one, and edges to another page's handlers.
pub fn wrong_parts(edges: &Edges) -> Vec<String> {
    let mut complaints = Vec::new();
    for ((from, to), names) in edges {
        let (Some(one), Some(other)) = (page(from), page(to)) else { continue };
        if one != other && part(to) == Some("handlers") {
            complaints.push(complaint(from, to, names));
        }
    }
    let parts: BTreeSet<_> = edges.keys().map(|(from, _)| &from[..]).filter(|file| part(file).is_some()).collect();
    for start in parts {
        for (end, way) in reachable_parts(edges, start) {
            if rank(end) < rank(start) {
                complaints.push(format!("{} names a higher part: {}", start, way.join(" -> ")));
            }
        }
    }
    complaints
}

/// Edges between pages, each page with its folder taken as one file.
pub fn edges_between_pages(edges: &Edges) -> Edges {
    let mut between = Edges::new();
    for ((from, to), names) in edges {
        if let (Some(one), Some(other)) = (page(from), page(to))
            && one != other
        {
            let names = names.iter().map(|name| format!("{name} (in {from})"));
            between.entry((one.to_owned(), other.to_owned())).or_default().extend(names);
        }
    }
    between
}

/// The handlers, loads and views that a file names, directly or through files of `pages` that are none of these, and
/// the files on the way.
fn reachable_parts<'a>(edges: &'a Edges, start: &'a str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut found = BTreeMap::new();
    let mut open = vec![vec![start]];
    let mut seen = BTreeSet::from([start]);
    while let Some(way) = open.pop() {
        let last = way[way.len() - 1];
        for (_, to) in edges.keys().filter(|(from, to)| from == last && page(to).is_some()) {
            if seen.insert(to) {
                let way = [&way[..], &[to]].concat();
                if part(to).is_some() {
                    found.insert(&to[..], way);
                } else {
                    open.push(way);
                }
            }
        }
    }
    found
}

fn complaint(from: &str, to: &str, names: &BTreeSet<String>) -> String {
    format!("{from} may not name {to}: {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// The first folder or file below `src/web`.
fn layer(file: &str) -> Option<&str> {
    file.strip_prefix("src/web/").map(stem)
}

/// The first folder or file below `src/web/pages`.
fn page(file: &str) -> Option<&str> {
    file.strip_prefix("src/web/pages/").map(stem).filter(|page| *page != "mod")
}

fn stem(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

/// Whether a file belongs to a page's handlers, its load or its view.
fn part(file: &str) -> Option<&'static str> {
    let (_, below) = file.strip_prefix("src/web/pages/")?.split_once('/')?;
    below.split(['/', '.']).find_map(|folder| PARTS.iter().copied().find(|part| *part == folder))
}

fn rank(file: &str) -> Option<usize> {
    part(file).and_then(|part| PARTS.iter().position(|other| *other == part))
}

fn row(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(name, _)| *name == layer).map(|(_, may_name)| *may_name)
}
