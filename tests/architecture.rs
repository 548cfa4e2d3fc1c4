//! Checks the sources against ARCHITECTURE.md: which layer may name which, which crate belongs to which layer, and that
//! no two files depend on each other. Checks that the links between documents lead somewhere.

#[cfg(test)]
#[path = "architecture/documents.rs"]
mod documents;
#[cfg(test)]
#[path = "architecture/found.rs"]
mod found;
#[cfg(test)]
#[path = "architecture/modules.rs"]
mod modules;
#[cfg(test)]
#[path = "architecture/sources.rs"]
mod sources;
#[cfg(test)]
#[path = "architecture/web.rs"]
mod web;

use std::path::Path;
use std::sync::LazyLock;

use modules::{Edges, Modules};
use sources::{Name, Source, Target};

/// What each layer may name of ours besides itself.
#[rustfmt::skip]
const LAYERS: &[(&str, &[&str])] = &[
    ("lib",     &[]),
    ("main",    &["cli", "backup", "server", "web", "api", "http", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory", "durable_file", "last_backup"]),
    ("cli",     &[       "backup", "server", "web", "api", "http", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory", "build_info"]),
    ("backup",  &[                 "server",                        "actions",           "evidence",            "store", "domain", "config", "clock",           "secrets", "checkpoint_memory", "build_info", "durable_file", "last_backup"]),
    ("server",  &[                           "web", "api", "http", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory", "build_info", "last_backup"]),
    ("web",     &[                                         "http", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory"]),
    ("api",     &[                                         "http", "actions", "verify",                        "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory"]),
    ("http",    &[                                                                                                      "domain", "config", "clock", "random"]),
    ("actions", &[                                                                                             "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory"]),
    ("verify",  &[                                                                                             "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory"]),
    ("evidence",&[                                                                                             "store", "domain", "checkpoint_memory"]),
    ("witness", &[                                                                                             "store", "domain", "config", "clock", "random", "secrets", "checkpoint_memory", "durable_file"]),
    ("store",   &[                                                                                                      "domain", "config", "clock", "random"]),
    ("domain",  &[]),
    ("config",  &["domain"]),
    ("clock",   &["domain"]),
    ("random",  &["domain"]),
    ("build_info", &[]),
    ("secrets", &["domain", "durable_file", "random"]),
    ("checkpoint_memory", &["domain", "durable_file", "secrets"]),
    ("last_backup", &["domain", "durable_file"]),
    ("durable_file", &["random"]),
];

/// Layers that stay apart in both directions.
const SEPARATE_LAYERS: &[(&str, &str)] =
    &[("web", "api"), ("actions", "verify"), ("actions", "witness"), ("verify", "witness"), ("http", "store")];

const DATABASE: &[&str] = &["store"];
const HTTP: &[&str] = &["main", "cli", "server", "web", "api", "http"];
const PAGES: &[&str] = &["web"];
const OUTGOING: &[&str] = &["witness"];
const SOCKETS: &[&str] = &["http"];
/// Calls of the operating system that std does not have.
const SYSTEM: &[&str] = &["http", "server", "store"];

/// Crates that only some layers may name.
const CONFINED_CRATES: &[(&str, &[&str])] = &[
    ("diesel", DATABASE),
    ("diesel_migrations", DATABASE),
    ("r2d2", DATABASE),
    ("libsqlite3_sys", DATABASE),
    ("pq_sys", DATABASE),
    ("actix_web", HTTP),
    ("actix_session", HTTP),
    ("askama", PAGES),
    ("ureq", OUTGOING),
    ("rustls", OUTGOING),
    ("rustls_native_certs", OUTGOING),
    ("nix", SYSTEM),
    ("libc", SOCKETS),
];

/// Paths that `domain` may not name: input, output, waiting, clocks and random numbers.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "actix_web",
    "diesel",
    "getrandom",
    "rand::fill",
    "rand::random",
    "rand::rng",
    "rand::rngs::SysRng",
    "rand::rngs::ThreadRng",
    "tokio",
    "tracing",
];

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(Source::all);
static EDGES: LazyLock<Edges> = LazyLock::new(|| Modules::new(&SOURCES).edges());

#[test]
fn every_file_has_a_layer_and_every_layer_has_files() {
    let strangers: Vec<_> = SOURCES.iter().filter(|source| row(&source.layer).is_none()).map(|s| &s.file).collect();
    assert!(strangers.is_empty(), "files in no layer: {strangers:?}");
    let empty: Vec<_> =
        LAYERS.iter().map(|row| row.0).filter(|layer| !SOURCES.iter().any(|s| s.layer == *layer)).collect();
    assert!(empty.is_empty(), "layers without a file: {empty:?}");
}

#[test]
fn imports_follow_the_layers() {
    assert_none(&SOURCES.iter().flat_map(wrong_imports).collect::<Vec<_>>());
}

#[test]
fn diesel_actix_and_askama_stay_in_their_layers() {
    assert_none(&SOURCES.iter().flat_map(escaped_crates).collect::<Vec<_>>());
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    assert_none(&SOURCES.iter().flat_map(impure_names).collect::<Vec<_>>());
}

#[test]
fn the_layers_form_no_cycle_and_stay_apart() {
    for (layer, may_name) in LAYERS {
        for below in *may_name {
            assert!(!row(below).unwrap().contains(layer), "{layer} and {below} may name each other");
        }
    }
    for (one, other) in SEPARATE_LAYERS {
        assert!(!row(one).unwrap().contains(other) && !row(other).unwrap().contains(one), "{one} and {other}");
    }
}

#[test]
fn no_files_depend_on_each_other() {
    assert_none(&modules::cycles(&EDGES));
}

#[test]
fn every_file_of_web_has_a_layer() {
    let files = web::files_without_layer(Modules::new(&SOURCES).files());
    assert!(files.is_empty(), "files of web in no layer: {files:#?}");
}

#[test]
fn imports_follow_the_layers_of_web() {
    assert_none(&web::wrong_edges(&EDGES));
}

#[test]
fn a_view_names_no_load_and_a_load_no_handlers() {
    assert_none(&web::wrong_parts(&EDGES));
}

#[test]
fn no_pages_depend_on_each_other() {
    assert_none(&modules::cycles(&web::edges_between_pages(&EDGES)));
}

// The checks themselves, on sources that break the rules.

fn wrong_imports(source: &Source) -> Vec<String> {
    let may_name = row(&source.layer).unwrap_or_default();
    let is_wrong = |name: &&Name| match &name.target {
        Target::Ours(path) => {
            !path.first().is_some_and(|layer| *layer == source.layer || may_name.contains(&layer.as_str()))
        }
        Target::Other(_) => false,
    };
    complaints(source, is_wrong)
}

fn escaped_crates(source: &Source) -> Vec<String> {
    complaints(source, |name| match &name.target {
        Target::Ours(_) => false,
        Target::Other(path) => CONFINED_CRATES.iter().any(|(name, layers)| {
            path.first().is_some_and(|head| head == name) && !layers.contains(&source.layer.as_str())
        }),
    })
}

fn impure_names(source: &Source) -> Vec<String> {
    complaints(source, |name| match &name.target {
        Target::Other(path) if source.layer == "domain" => IMPURE.iter().any(|impure| names_part_of(path, impure)),
        _ => false,
    })
}

/// Whether `path` is inside `forbidden`, or is a parent that brings all of `forbidden` into scope.
fn names_part_of(path: &[String], forbidden: &str) -> bool {
    path.iter().zip(forbidden.split("::")).all(|(word, wanted)| word == wanted || word == "*")
}

fn complaints(source: &Source, is_wrong: impl Fn(&&Name) -> bool) -> Vec<String> {
    let complaint = |name: &Name| format!("{}: {} may not name {}", source.file, source.layer, name.written);
    source.names.iter().filter(is_wrong).map(complaint).collect()
}

fn row(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(name, _)| *name == layer).map(|(_, may_name)| *may_name)
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut faults = Vec::new();
    for document in documents::documents(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let text = std::fs::read_to_string(&document).unwrap();
        faults.extend(documents::links(&text).filter_map(|link| documents::fault(&document, link)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
