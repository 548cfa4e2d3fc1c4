//! Warns if the bundled SQLite is compiled without the flags in `.cargo/config.toml`: cargo reads that file only if it is
//! started inside the source tree.

const CONFIG: &str = ".cargo/config.toml";
const VARIABLE: &str = "LIBSQLITE3_FLAGS";

fn main() {
    println!("cargo::rerun-if-changed={CONFIG}");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let config = std::fs::read_to_string(CONFIG).unwrap_or_default();
    let flags = std::env::var(VARIABLE).unwrap_or_default();
    let is_set = |wanted: &str| flags.split_whitespace().any(|flag| flag == wanted);
    let mut wanted = config.lines().filter(|line| line.starts_with("-D") || line.starts_with("-U")).peekable();
    if wanted.peek().is_none() || !wanted.all(is_set) {
        println!(
            "cargo::warning=SQLite is compiled without the flags in {CONFIG}. Start cargo in the source tree, or set {VARIABLE}."
        );
    }
}
