//! Holds the sources to the drawing in ARCHITECTURE.md: who may name whom, and which crate stays in which storey.

#[cfg(test)]
#[path = "architecture/sources.rs"]
mod sources;

use sources::{Name, Source, Target};

/// What each storey may name of ours, besides itself. What is not listed is a wrong arrow.
#[rustfmt::skip]
const DRAWING: &[(&str, &[&str])] = &[
    ("lib",     &[]),
    ("main",    &["cli", "server", "web", "api", "edge", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets"]),
    ("cli",     &[       "server", "web", "api", "edge", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets"]),
    ("server",  &[                 "web", "api", "edge", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets"]),
    ("web",     &[                               "edge", "actions", "verify", "evidence", "witness", "store", "domain", "config", "clock", "random", "secrets"]),
    ("api",     &[                               "edge", "actions", "verify",                        "store", "domain", "config", "clock", "random", "secrets"]),
    ("edge",    &[                                                                                            "domain", "config", "clock", "random"]),
    ("actions", &[                                                                                   "store", "domain", "config", "clock", "random", "secrets"]),
    ("verify",  &[                                                                                   "store", "domain", "config", "clock", "random", "secrets"]),
    ("evidence",&[                                                                                   "store", "domain"]),
    ("witness", &[                                                                                   "store", "domain", "config", "clock", "random", "secrets"]),
    ("store",   &[                                                                                            "domain", "config", "clock", "random"]),
    ("domain",  &[]),
    ("config",  &["domain"]),
    ("clock",   &["domain"]),
    ("random",  &["domain"]),
    ("secrets", &["domain", "random"]),
];

const DATABASE: &[&str] = &["store"];
const HTTP: &[&str] = &["main", "cli", "server", "web", "api", "edge"];
const PAGES: &[&str] = &["web"];
const OUTWARDS: &[&str] = &["witness"];

/// Crates that only some storeys may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("diesel", DATABASE),
    ("diesel_migrations", DATABASE),
    ("r2d2", DATABASE),
    ("libsqlite3_sys", DATABASE),
    ("pq_sys", DATABASE),
    ("actix_web", HTTP),
    ("actix_session", HTTP),
    ("askama", PAGES),
    ("ureq", OUTWARDS),
    ("rustls", OUTWARDS),
    ("rustls_native_certs", OUTWARDS),
];

/// What `domain` may not name: whatever reads, writes, waits, or answers differently the second time.
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

#[test]
fn every_source_stands_in_a_storey_and_every_storey_has_sources() {
    let sources = Source::all();
    let strangers: Vec<_> = sources.iter().filter(|source| row(&source.storey).is_none()).map(|s| &s.file).collect();
    assert!(strangers.is_empty(), "in no storey of the drawing: {strangers:?}");
    let empty: Vec<_> =
        DRAWING.iter().map(|row| row.0).filter(|storey| !sources.iter().any(|s| s.storey == *storey)).collect();
    assert!(empty.is_empty(), "storeys without a source file: {empty:?}");
}

#[test]
fn imports_follow_the_arrows() {
    assert_none(&Source::all().iter().flat_map(wrong_arrows).collect::<Vec<_>>());
}

#[test]
fn diesel_stays_in_the_store_actix_with_http_and_templates_with_the_pages() {
    assert_none(&Source::all().iter().flat_map(escaped_crates).collect::<Vec<_>>());
}

#[test]
fn the_domain_does_no_input_or_output_and_reads_no_clock() {
    assert_none(&Source::all().iter().flat_map(impure_names).collect::<Vec<_>>());
}

#[test]
fn the_drawing_has_no_circle_and_keeps_pages_machines_and_the_hot_path_apart() {
    for (storey, may_name) in DRAWING {
        for below in *may_name {
            assert!(!row(below).unwrap().contains(storey), "{storey} and {below} may name each other");
        }
    }
    for (one, other) in
        [("web", "api"), ("actions", "verify"), ("actions", "witness"), ("verify", "witness"), ("edge", "store")]
    {
        assert!(!row(one).unwrap().contains(&other) && !row(other).unwrap().contains(&one), "{one} and {other}");
    }
}

// The checker itself, on sources that break the rules: a blind one would pass everything.

#[test]
fn a_wrong_arrow_is_seen_however_it_is_written() {
    for (file, text) in [
        ("src/domain/key.rs", "use crate::store::keys;"),
        ("src/domain/key.rs", "use crate::store;"),
        ("src/domain/key.rs", "pub use crate::{domain::ids, store::{keys, users as people}};"),
        ("src/domain/key.rs", "use {std::fmt, crate::{self as root, store::*}};"),
        ("src/domain/key.rs", "fn f() { use super::super::store::keys; }"),
        ("src/domain/mod.rs", "use super::store::keys;"),
        ("src/domain.rs", "use self::super::store::keys;"),
        ("src/domain/key.rs", "mod tests { use super::super::super::store::keys; }"),
        ("src/domain/key.rs", "fn f() -> Option<Vec<crate::store::Row>> { None }"),
        ("src/domain/key.rs", "fn f() { let x = crate::store::keys::find::<u8>(1); }"),
        ("src/domain/key.rs", "impl From<u8> for T where u8: crate::store::Trait {}"),
        ("src/domain/key.rs", "fn f() { println!(\"{}\", crate::store::name()); }"),
        ("src/domain/key.rs", "macro_rules! m { () => { $crate::store::name() }; }"),
        ("src/domain/key.rs", "macro_rules! m { () => { use $crate::{store, domain}; }; }"),
        ("src/domain/key.rs", "#[derive(X)] #[x(table = crate::store::schema::keys)] struct S;"),
        ("src/domain/key.rs", "use keydesk::store::keys;"),
        ("src/domain/key.rs", "use crate::*;"),
        ("src/domain/key.rs", "use crate as root;"),
        ("src/domain/key.rs", "use crate::no_such_storey::X;"),
        ("src/web/keys/list.rs", "use crate::api::bearer;"),
        ("src/api/whoami.rs", "use crate::{store, web::page};"),
        ("src/verify/lane.rs", "use crate::actions::keys;"),
        ("src/actions/keys.rs", "use crate::verify::Verifier;"),
        ("src/store/keys.rs", "use crate::actions::keys;"),
        ("src/edge/headers.rs", "use crate::store::Store;"),
        ("src/clock.rs", "use crate::config::Config;"),
        ("src/main.rs", "fn main() { keydesk::no_such_storey::run(); }"),
    ] {
        assert!(!wrong_arrows(&Source::read(file, text)).is_empty(), "not seen in {file}: {text}");
    }
}

#[test]
fn a_right_arrow_is_left_alone() {
    for (file, text) in [
        ("src/domain/key.rs", "use super::ids::KeyId; use self::inner::X; use crate::domain::{self, names};"),
        ("src/domain/key.rs", "mod tests { use super::*; fn f() { super::parse(); } }"),
        ("src/domain/key.rs", "pub(crate) fn f(&self) -> impl Trait + use<'_> { self.store.web() }"),
        ("src/domain/key.rs", "/// See crate::store::keys.\nfn f() -> &'static str { \"crate::store\" }"),
        ("src/web/keys/list.rs", "use crate::{actions::keys, edge, store::{self, Store}, domain::*};"),
        ("src/web/keys/list.rs", "fn f(x: ::std::string::String) -> store::Row { super::super::page::draw(x) }"),
        ("src/actions/keys.rs", "use crate::{clock::Clock, random::Random, store::Store};"),
        ("src/main.rs", "use keydesk::cli; fn main() { keydesk::server::run(); }"),
    ] {
        let found = wrong_arrows(&Source::read(file, text));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn a_crate_outside_of_its_storey_is_seen() {
    for (file, text) in [
        ("src/web/keys/list.rs", "use diesel::prelude::*;"),
        ("src/web/keys/list.rs", "use {std::fmt, diesel as d};"),
        ("src/actions/keys.rs", "fn f(e: ::diesel::result::Error) {}"),
        ("src/verify/lane.rs", "#[derive(diesel::Queryable)] struct S;"),
        ("src/store/sessions.rs", "use actix_session::storage::SessionStore;"),
        ("src/domain/key.rs", "fn f() -> actix_web::HttpResponse { todo() }"),
        ("src/api/whoami.rs", "#[derive(askama::Template)] struct Page;"),
    ] {
        assert!(!escaped_crates(&Source::read(file, text)).is_empty(), "not seen in {file}: {text}");
    }
    let right = Source::read("src/store/keys.rs", "use diesel::prelude::*; use r2d2::Pool; fn diesel() {}");
    assert!(escaped_crates(&right).is_empty());
}

#[test]
fn an_impure_domain_is_seen() {
    for text in [
        "use std::fs;",
        "use std::{fmt, fs::File};",
        "use std::*;",
        "use std::time::{Duration, SystemTime};",
        "use std::time;",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { vec![std::env::var(\"X\")]; }",
        "use std::net::TcpStream;",
        "use tokio::sync::Mutex;",
        "use rand::rngs::{StdRng, SysRng};",
    ] {
        assert!(!impure_names(&Source::read("src/domain/key.rs", text)).is_empty(), "not seen: {text}");
        assert!(impure_names(&Source::read("src/store/keys.rs", text)).is_empty(), "not the domain's: {text}");
    }
    let right =
        "use std::{fmt, net::IpAddr, time::Duration}; use rand::CryptoRng; fn f() { std::str::from_utf8(b\"\"); }";
    assert!(impure_names(&Source::read("src/domain/key.rs", right)).is_empty());
}

fn wrong_arrows(source: &Source) -> Vec<String> {
    let may_name = row(&source.storey).unwrap_or_default();
    let is_wrong = |name: &&Name| match &name.leads_to {
        Target::Ours(path) => {
            !path.first().is_some_and(|storey| *storey == source.storey || may_name.contains(&storey.as_str()))
        }
        Target::Other(_) => false,
    };
    complaints(source, is_wrong)
}

fn escaped_crates(source: &Source) -> Vec<String> {
    complaints(source, |name| match &name.leads_to {
        Target::Ours(_) => false,
        Target::Other(path) => CONFINED.iter().any(|(name, storeys)| {
            path.first().is_some_and(|head| head == name) && !storeys.contains(&source.storey.as_str())
        }),
    })
}

fn impure_names(source: &Source) -> Vec<String> {
    complaints(source, |name| match &name.leads_to {
        Target::Other(path) if source.storey == "domain" => IMPURE.iter().any(|impure| leads_into(path, impure)),
        _ => false,
    })
}

/// Whether `path` is within `forbidden`, or so far above it that everything below comes along.
fn leads_into(path: &[String], forbidden: &str) -> bool {
    path.iter().zip(forbidden.split("::")).all(|(word, wanted)| word == wanted || word == "*")
}

fn complaints(source: &Source, is_wrong: impl Fn(&&Name) -> bool) -> Vec<String> {
    let complaint = |name: &Name| format!("{}: {} may not name {}", source.file, source.storey, name.written);
    source.names.iter().filter(is_wrong).map(complaint).collect()
}

fn row(storey: &str) -> Option<&'static [&'static str]> {
    DRAWING.iter().find(|(name, _)| *name == storey).map(|(_, may_name)| *may_name)
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
