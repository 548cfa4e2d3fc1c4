//! Checks that the bundled SQLite is compiled with the flags in `.cargo/config.toml`.

use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

#[derive(QueryableByName)]
struct CompileOption {
    #[diesel(sql_type = Text)]
    compile_options: String,
}

#[test]
fn sqlite_is_compiled_with_the_configured_flags() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let options: Vec<CompileOption> = sql_query("PRAGMA compile_options").load(&mut connection).unwrap();
    let is_set = |flag: &str| options.iter().any(|option| option.compile_options == flag);
    let has_name = |name: &str| options.iter().any(|option| option.compile_options.split('=').next() == Some(name));
    let config = include_str!("../../../.cargo/config.toml");
    let defined: Vec<_> = config.lines().filter_map(|line| line.strip_prefix("-DSQLITE_")).collect();
    let undefined = config.lines().filter_map(|line| line.strip_prefix("-USQLITE_"));
    assert!(defined.contains(&"THREADSAFE=2") && defined.contains(&"DQS=0") && defined.contains(&"ENABLE_QPSG"));
    for flag in &defined {
        assert!(is_set(flag), "{flag} is not set");
    }
    for name in undefined.filter(|name| !defined.iter().any(|flag| flag.split('=').next() == Some(name))) {
        assert!(!has_name(name), "{name} is set");
    }
}
