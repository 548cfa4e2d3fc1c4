//! Names the commit in release builds, and warns if the bundled SQLite is compiled without the flags in
//! `.cargo/config.toml`: cargo reads that file only if it is started inside the source tree.

#[path = "build/commit.rs"]
mod commit;

use std::env;
use std::path::Path;

use commit::Sources;

const CONFIG: &str = ".cargo/config.toml";
const VARIABLE: &str = "LIBSQLITE3_FLAGS";

fn main() {
    println!("cargo::rerun-if-changed={CONFIG}");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    name_commit();
    let config = std::fs::read_to_string(CONFIG).unwrap_or_default();
    let flags = env::var(VARIABLE).unwrap_or_default();
    let is_set = |wanted: &str| flags.split_whitespace().any(|flag| flag == wanted);
    let mut wanted = config.lines().filter(|line| line.starts_with("-D") || line.starts_with("-U")).peekable();
    if wanted.peek().is_none() || !wanted.all(is_set) {
        println!(
            "cargo::warning=SQLite is compiled without the flags in {CONFIG}. Start cargo in the source tree, or set {VARIABLE}."
        );
    }
}

/// Only a release names its commit: a development build would be compiled again with each commit.
fn name_commit() {
    let commit = if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let Sources { commit, files } = Sources::of(Path::new(&root));
        for file in files {
            println!("cargo::rerun-if-changed={}", file.display());
        }
        println!("cargo::rerun-if-changed=build");
        commit.unwrap_or_else(|| "unknown".to_owned())
    } else {
        "development".to_owned()
    };
    println!("cargo::rustc-env=BUILD_COMMIT={commit}");
}
