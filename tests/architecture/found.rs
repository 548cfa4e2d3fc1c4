//! Wrong sources, each of which a rule must find, and right ones, which it must accept.

use super::*;

#[test]
fn a_wrong_import_is_found_in_every_form() {
    for (file, text) in [
        ("src/domain/key.rs", "use crate::store::keys;"),
        ("src/domain/key.rs", "use crate::store;"),
        ("src/domain/key.rs", "pub use crate::{domain::ids, store::{keys, users as people}};"),
        ("src/domain/key.rs", "use {std::fmt, crate::{self as root, store::*}};"),
        ("src/domain/key.rs", "fn f() { use super::super::store::keys; }"),
        ("src/domain/mod.rs", "use super::store::keys;"),
        ("src/domain.rs", "use self::super::store::keys;"),
        ("src/domain/key.rs", "mod tests { use super::super::super::store::keys; }"),
        ("src/domain/key.rs", "#[cfg(test)] mod tests { use crate::store::keys; }"),
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
        ("src/domain/key.rs", "use crate::no_such_layer::X;"),
        ("src/web/keys/list.rs", "use crate::api::bearer;"),
        ("src/api/whoami.rs", "use crate::{store, web::page};"),
        ("src/verify/batch.rs", "use crate::actions::keys;"),
        ("src/actions/keys.rs", "use crate::verify::Verifier;"),
        ("src/store/keys.rs", "use crate::actions::keys;"),
        ("src/http/headers.rs", "use crate::store::Store;"),
        ("src/clock.rs", "use crate::config::Config;"),
        ("src/main.rs", "fn main() { keydesk::no_such_layer::run(); }"),
    ] {
        assert!(!wrong_imports(&Source::read(file, text)).is_empty(), "not found in {file}: {text}");
    }
}

#[test]
fn a_right_import_is_accepted() {
    for (file, text) in [
        ("src/domain/key.rs", "use super::ids::KeyId; use self::inner::X; use crate::domain::{self, names};"),
        ("src/domain/key.rs", "mod tests { use super::*; fn f() { super::parse(); } }"),
        ("src/domain/key.rs", "pub(crate) fn f(&self) -> impl Trait + use<'_> { self.store.web() }"),
        ("src/domain/key.rs", "/// See crate::store::keys.\nfn f() -> &'static str { \"crate::store\" }"),
        ("src/web/keys/list.rs", "use crate::{actions::keys, http, store::{self, Store}, domain::*};"),
        ("src/web/keys/list.rs", "fn f(x: ::std::string::String) -> store::Row { super::super::page::draw(x) }"),
        ("src/actions/keys.rs", "use crate::{clock::Clock, random::Random, store::Store};"),
        ("src/main.rs", "use keydesk::cli; fn main() { keydesk::server::run(); }"),
    ] {
        let found = wrong_imports(&Source::read(file, text));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn a_crate_outside_its_layer_is_found() {
    for (file, text) in [
        ("src/web/keys/list.rs", "use diesel::prelude::*;"),
        ("src/web/keys/list.rs", "use ::diesel::prelude::*;"),
        ("src/web/keys/list.rs", "use {std::fmt, diesel as d};"),
        ("src/actions/keys.rs", "fn f(e: ::diesel::result::Error) {}"),
        ("src/verify/batch.rs", "#[derive(diesel::Queryable)] struct S;"),
        ("src/store/sessions.rs", "use actix_session::storage::SessionStore;"),
        ("src/domain/key.rs", "fn f() -> actix_web::HttpResponse { todo() }"),
        ("src/api/whoami.rs", "#[derive(askama::Template)] struct Page;"),
    ] {
        assert!(!escaped_crates(&Source::read(file, text)).is_empty(), "not found in {file}: {text}");
    }
    let right = Source::read("src/store/keys.rs", "use diesel::prelude::*; use r2d2::Pool; fn diesel() {}");
    assert!(escaped_crates(&right).is_empty());
}

#[test]
fn an_impure_domain_is_found() {
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
        assert!(!impure_names(&Source::read("src/domain/key.rs", text)).is_empty(), "not found: {text}");
        assert!(impure_names(&Source::read("src/store/keys.rs", text)).is_empty(), "only the domain is pure: {text}");
    }
    let right =
        "use std::{fmt, net::IpAddr, time::Duration}; use rand::CryptoRng; fn f() { std::str::from_utf8(b\"\"); }";
    assert!(impure_names(&Source::read("src/domain/key.rs", right)).is_empty());
}

/// Two files `a` and `b` below `m`, where `b` names `a`. What `a` names decides whether there is a cycle.
const M: &str = "mod a; mod b; pub use b::{B, b as renamed}; mod deeper { pub use super::b::B; }";
const B: &str = "use super::a::A; pub struct B; pub trait T {} pub fn b() -> A { A }";

#[test]
fn a_cycle_is_found_in_every_form() {
    for a in [
        "use super::b::B; pub struct A;",
        "use super::B; pub struct A;",
        "use crate::m::B as Other; pub struct A;",
        "use crate::m::{self, deeper}; pub struct A; type X = deeper::B;",
        "use crate::m; pub struct A; fn f() { m::renamed(); }",
        "use crate::m::b; pub struct A;",
        "use super::b::*; pub struct A; fn f() -> B { B }",
        "use super::*; pub struct A; fn f() { print(renamed()) }",
        "use super::b::*; pub struct A; fn f() { A.method_of_t(); }",
        "pub struct A; fn f() { super::b::b(); }",
        "pub struct A; fn f() { vec![crate::m::renamed()]; }",
        "pub struct A; fn f() { use crate::{m::b as other}; other::b(); }",
        "pub struct A; mod inner { use super::super::B; }",
        "pub struct A; mod inner { pub use super::super::b::B; } fn f() -> inner::B { inner::B }",
        "pub use super::b::B; pub struct A(B);",
        "pub struct A; #[x(with = super::b::b)] struct X;",
        "pub struct A; macro_rules! m { () => { $crate::m::b::b() }; }",
        "pub struct A; #[cfg(not(test))] use super::B;",
    ] {
        let cycles = cycles_of(&[("src/m/mod.rs", M), ("src/m/a.rs", a), ("src/m/b.rs", B)]);
        assert_eq!(cycles.len(), 1, "not found: {a}");
        assert!(cycles[0].starts_with("A cycle of 2 files:\n    src/m/a.rs -> src/m/b.rs: "), "{}", cycles[0]);
        assert!(cycles[0].ends_with("\n    src/m/b.rs -> src/m/a.rs: super::a::A"), "{}", cycles[0]);
    }
}

#[test]
fn sources_without_a_cycle_are_accepted() {
    for a in [
        "pub struct A; impl A { fn b(&self) { self.b.renamed(); } }",
        "pub use super::b::B; pub struct A;",
        "use super::*; pub struct A; fn f(x: X) { x.renamed(); }",
        "use b::B; use ::m::b; pub struct A;",
        "pub struct A; fn f() { ::m::b::b(); }",
        "pub struct A; #[cfg(test)] mod tests { use super::super::b::B; }",
        "pub struct A; #[cfg(all(test, unix))] use super::B; #[cfg(test)] fn f<X, Y>(x: X) { super::b::b(); }",
        "/// See [`super::b::B`].\npub struct A { #[cfg(test)] b: super::B, c: u8 }",
    ] {
        let cycles = cycles_of(&[("src/m/mod.rs", M), ("src/m/a.rs", a), ("src/m/b.rs", B)]);
        assert!(cycles.is_empty(), "{a}:\n{}", cycles.join("\n"));
    }
}

#[test]
fn a_module_that_uses_its_reexports_is_in_the_cycle() {
    let uses = "mod a; pub use a::A; pub struct Own(A);";
    assert_eq!(cycles_of(&[("src/m/mod.rs", uses), ("src/m/a.rs", "use super::Own; pub struct A;")]).len(), 1);
    let reexports = "mod a; pub use a::A; pub struct Own;";
    assert!(cycles_of(&[("src/m/mod.rs", reexports), ("src/m/a.rs", "use super::Own; pub struct A;")]).is_empty());
}

#[test]
fn a_long_cycle_is_one_and_two_cycles_are_two() {
    let long = [
        ("src/lib.rs", "pub mod a; pub mod b; pub mod c; pub mod d;"),
        ("src/a.rs", "use crate::b::X; use crate::d::X as Y;"),
        ("src/b.rs", "use crate::c::X; pub struct X;"),
        ("src/c.rs", "use crate::a::f; pub struct X;"),
        ("src/d.rs", "pub struct X;"),
    ];
    let cycles = cycles_of(&long);
    assert_eq!(cycles.len(), 1, "{cycles:?}");
    assert!(cycles[0].starts_with("A cycle of 3 files:") && !cycles[0].contains("src/d.rs"), "{}", cycles[0]);
    let two = [
        ("src/a.rs", "use crate::b::X; use crate::c::X as Y;"),
        ("src/b.rs", "use crate::a::f; pub struct X;"),
        ("src/c.rs", "use crate::d::X as Y; pub struct X;"),
        ("src/d.rs", "use crate::c::f; pub struct X;"),
    ];
    assert_eq!(cycles_of(&two).len(), 2);
}

#[test]
fn files_for_tests_only_are_in_no_cycle() {
    let sources = [
        ("src/m/mod.rs", "mod a; #[cfg(test)] mod samples; pub struct Own;"),
        ("src/m/a.rs", "use super::samples::X; pub fn a() {}"),
        ("src/m/samples/mod.rs", "use super::a::a; mod inner; pub struct X;"),
        ("src/m/samples/inner.rs", "use super::super::a::a;"),
    ];
    assert!(cycles_of(&sources).is_empty());
}

#[test]
fn a_wrong_edge_inside_web_is_found() {
    for (from, to, is_right) in [
        ("pages/home.rs", "routes.rs", false),
        ("components/layout.rs", "pages/home.rs", false),
        ("app/state.rs", "components/layout.rs", false),
        ("app.rs", "pages/users/view.rs", false),
        ("paths.rs", "app/state.rs", false),
        ("paths.rs", "url.rs", false),
        ("url.rs", "paths.rs", false),
        ("pages/home.rs", "mod.rs", false),
        ("app/state.rs", "mod.rs", false),
        ("mod.rs", "paths.rs", true),
        ("routes.rs", "pages/home.rs", true),
        ("pages/home.rs", "components/layout.rs", true),
        ("components/layout.rs", "app/state.rs", true),
        ("app/state.rs", "paths.rs", true),
        ("app/state.rs", "app/session.rs", true),
    ] {
        let found = web::wrong_edges(&web_edges(&[(from, &naming(to)), (to, "pub struct X;")]));
        assert_eq!(found.is_empty(), is_right, "{from} -> {to}: {found:?}");
    }
    let files = ["src/web/page.rs", "src/web/mod.rs", "src/web/app.rs", "src/web/pages/x/view/list.rs", "src/api/x.rs"];
    assert_eq!(web::files_without_layer(files.into_iter()), ["src/web/page.rs"]);
}

#[test]
fn a_part_of_a_page_that_names_a_higher_one_is_found() {
    let target = "pub struct X;";
    for (from, to, is_right) in [
        ("pages/users/view.rs", "pages/users/load.rs", false),
        ("pages/users/load.rs", "pages/users/handlers.rs", false),
        ("pages/users/view/list.rs", "pages/users/handlers/list.rs", false),
        ("pages/users/list/view.rs", "pages/users/load.rs", false),
        ("pages/users/view.rs", "pages/account/load.rs", false),
        ("pages/users/handlers.rs", "pages/account/handlers.rs", false),
        ("pages/home.rs", "pages/account/handlers.rs", false),
        ("pages/users/handlers.rs", "pages/users/load.rs", true),
        ("pages/users/handlers.rs", "pages/users/view.rs", true),
        ("pages/users/load.rs", "pages/users/view.rs", true),
        ("pages/users/view/list.rs", "pages/users/view/row.rs", true),
        ("pages/users/handlers/list.rs", "pages/users/handlers/form.rs", true),
        ("pages/users/handlers.rs", "pages/account/load.rs", true),
        ("pages/users/view.rs", "pages/account/view.rs", true),
        ("routes.rs", "pages/account/handlers.rs", true),
    ] {
        let found = web::wrong_parts(&web_edges(&[(from, &naming(to)), (to, target)]));
        assert_eq!(found.is_empty(), is_right, "{from} -> {to}: {found:?}");
    }
    let through_a_third = [
        ("pages/users/view.rs", "use super::address::X;"),
        ("pages/users/address.rs", "use super::load::X; pub struct X;"),
        ("pages/users/load.rs", target),
    ];
    assert_eq!(web::wrong_parts(&web_edges(&through_a_third)).len(), 1);
}

#[test]
fn two_pages_that_name_each_other_are_found() {
    let sources = [
        ("pages/users/view.rs", "use crate::web::pages::account::view::X;"),
        ("pages/account/view.rs", "pub struct X;"),
        ("pages/account/load.rs", "use crate::web::pages::users::cursor::X;"),
        ("pages/users/cursor.rs", "pub struct X;"),
    ];
    assert_eq!(modules::cycles(&web::edges_between_pages(&web_edges(&sources))).len(), 1);
    assert!(modules::cycles(&web::edges_between_pages(&web_edges(&sources[..2]))).is_empty());
}

fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
    modules::cycles(&edges_of(files))
}

fn edges_of(files: &[(&str, &str)]) -> Edges {
    let sources: Vec<_> = files.iter().map(|(file, text)| Source::read(file, text)).collect();
    Modules::new(&sources).edges()
}

/// The edges between files below `src/web`.
fn web_edges(files: &[(&str, &str)]) -> Edges {
    let files: Vec<_> = files.iter().map(|(file, text)| (format!("src/web/{file}"), *text)).collect();
    edges_of(&files.iter().map(|(file, text)| (&file[..], *text)).collect::<Vec<_>>())
}

/// A source that names `X` in a file below `src/web`.
fn naming(file: &str) -> String {
    let module = file.trim_end_matches(".rs").trim_end_matches("mod").replace('/', "::");
    format!("use crate::web::{}X;", if module.is_empty() { module } else { module + "::" })
}
