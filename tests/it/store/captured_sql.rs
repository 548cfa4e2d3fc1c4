//! A store whose statements are captured, a database with many keys, and query plans.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use keydesk::config::Database;
use keydesk::store::Store;

thread_local! {
    static STATEMENTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A statement that some thread sent.
struct Sent {
    connection: u64,
    url: String,
    statement: String,
}

/// What all threads sent.
static SENT: Mutex<Vec<Sent>> = Mutex::new(Vec::new());
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

#[expect(clippy::unnecessary_wraps, reason = "the signature is diesel's")]
fn capture() -> Option<Box<dyn Instrumentation>> {
    let (mut connected_to, connection) = (String::new(), CONNECTIONS.fetch_add(1, Ordering::Relaxed));
    Some(Box::new(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut connected_to),
        InstrumentationEvent::StartQuery { query, .. } => {
            let text = query.to_string();
            let statement = text.split(" -- binds:").next().unwrap_or_default().to_owned();
            sent().push(Sent { connection, url: connected_to.clone(), statement: statement.clone() });
            STATEMENTS.with_borrow_mut(|statements| statements.push(statement));
        }
        _ => {}
    }))
}

fn sent() -> MutexGuard<'static, Vec<Sent>> {
    SENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it exists, new connections are captured. Instrumentation is set for the whole process, so there is one at a time,
/// and connections that other tests open meanwhile are captured, too.
pub struct Capture {
    _lock: MutexGuard<'static, ()>,
}

impl Capture {
    pub fn start() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        set_default_instrumentation(capture).unwrap();
        Self { _lock: lock }
    }
}

/// Returns what all threads send to a PostgreSQL database meanwhile, on captured connections that also send a statement
/// with one of these words. Tasks of a server have connections of their own.
pub fn statements_to(_capture: &Capture, url: &str, words: &[&str], action: impl FnOnce()) -> Vec<String> {
    let name = |url: &str| url.split('?').next().and_then(|url| url.rsplit('/').next()).map(str::to_owned);
    sent().clear();
    action();
    let sent = sent();
    let of_database: Vec<_> = sent.iter().filter(|sent| name(&sent.url) == name(url)).collect();
    let has_word = |sent: &&&Sent| words.iter().any(|word| sent.statement.contains(word));
    let connections: Vec<u64> = of_database.iter().filter(has_word).map(|sent| sent.connection).collect();
    let of_connections = of_database.iter().filter(|sent| connections.contains(&sent.connection));
    of_connections.map(|sent| sent.statement.clone()).collect()
}

/// A store whose statements are captured.
pub struct CapturedStore {
    pub store: Store,
    _capture: Capture,
}

impl CapturedStore {
    pub fn connect(url: &str) -> Self {
        let capture = Capture::start();
        Self { store: Store::connect(&Database::parse(url).unwrap()).unwrap(), _capture: capture }
    }
}

/// Runs an action and returns its result with the statements that captured connections sent from this thread.
pub fn statements_of<T>(action: impl FnOnce() -> T) -> (T, Vec<String>) {
    STATEMENTS.take();
    let result = action();
    (result, STATEMENTS.take())
}

impl Drop for Capture {
    fn drop(&mut self) {
        set_default_instrumentation(|| None).unwrap();
        sent().clear();
    }
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// Inserts 100,000 keys by SQL, 10,000 of them for the first company.
pub fn fill(url: &str) {
    let company = "(SELECT id FROM companies LIMIT 1)";
    let rows = "
        INSERT INTO audit_trails (id, size, frontier, checkpoint) SELECT 'c' || n, 0, EMPTY, '' FROM numbers WHERE n <= 90;
        INSERT INTO companies (id, name, name_folded, created_at) SELECT 'c' || n, 'c' || n, 'c' || n, 0 FROM numbers WHERE n <= 90;
        INSERT INTO users (id, company_id, role, name, email, email_folded, created_at) SELECT 'u' || n, 'c' || n, 'admin', 'u', 'u' || n, 'u' || n, 0 FROM numbers WHERE n <= 90;
        INSERT INTO service_accounts (id, company_id, name, name_folded, created_at, name_search, name_sort_key)
            SELECT ACCOUNT_ID, CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, 'service ' || n, 'service ' || n, 0, 'service ' || n, SORT_KEY FROM numbers;
        INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, owner, revoked_at, revoked_by_type, revocation_reason)
            SELECT KEY_ID, CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, ACCOUNT_ID, DIGEST, 'p', 'goa_' || n, 'goa_' || n, n,
                CREATOR, CREATOR,
                CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 2 = 0 THEN 'system' END, CASE WHEN n % 2 = 0 THEN 'unspecified' END FROM numbers;
        INSERT INTO key_usage (key_id, company_id, last_used_at) SELECT id, company_id, created_at FROM api_keys;
        INSERT INTO events (trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, target_id, leaf_hash)
            SELECT CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, n + 1000, 'e' || n, n,
                CASE WHEN n % 3 = 0 THEN 'api_key.created' ELSE 'user.signed_in' END, 'user', CREATOR, CASE WHEN n % 3 = 0 THEN KEY_ID END, 'api_key', 'k', EMPTY FROM numbers;
        INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence)
            SELECT trail_id, 0, min(sequence), max(sequence) FROM events GROUP BY 1;
    "
    .replace(
        "CREATOR",
        "CASE WHEN n > 90000 THEN (SELECT id FROM users WHERE company_id = COMPANY LIMIT 1) ELSE 'u' || (n % 90 + 1) END",
    )
    .replace("COMPANY", company);
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let numbers = "CREATE TEMP TABLE numbers AS WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 100000) SELECT n FROM up;";
            let rows = rows.replace("EMPTY", "zeroblob(0)").replace("DIGEST", "randomblob(32)");
            let rows = rows.replace("SORT_KEY", "CAST('service ' || n AS BLOB)");
            let id = |block| format!("printf('00000000-0000-7000-{block}-%012d', n)");
            let rows = rows.replace("KEY_ID", &id("8000")).replace("ACCOUNT_ID", &id("9000"));
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection
                .batch_execute(&format!("PRAGMA synchronous = OFF; {numbers} BEGIN; {rows} COMMIT; ANALYZE;"))
                .unwrap();
        }
        Database::Postgres(url) => {
            let numbers = "CREATE TEMP TABLE numbers AS SELECT generate_series(1, 100000) AS n;";
            let rows = rows.replace("EMPTY", "''::bytea").replace("DIGEST", "decode(md5(n::text), 'hex')");
            let rows = rows.replace("SORT_KEY", "convert_to('service ' || n, 'UTF8')");
            let id = |block| format!("'00000000-0000-7000-{block}-' || lpad(n::text, 12, '0')");
            let rows = rows.replace("KEY_ID", &id("8000")).replace("ACCOUNT_ID", &id("9000"));
            PgConnection::establish(&url).unwrap().batch_execute(&format!("{numbers} {rows} ANALYZE;")).unwrap();
        }
    }
}

/// The plan of a statement, for any values of its parameters.
pub fn plan(url: &str, statement: &str, settings: &str) -> Vec<String> {
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            let lines: Vec<Detail> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connection).unwrap();
            lines.into_iter().map(|line| line.detail).collect()
        }
        Database::Postgres(url) => {
            let mut connection = PgConnection::establish(&url).unwrap();
            let values = (1..=80).rev().find(|number| statement.contains(&format!("${number}"))).unwrap_or(0);
            let arguments = if values == 0 { String::new() } else { format!("({})", vec!["NULL"; values].join(", ")) };
            connection
                .batch_execute(&format!(
                    "{settings} SET plan_cache_mode = force_generic_plan; PREPARE explained AS {statement}"
                ))
                .unwrap();
            let lines: Vec<Plan> =
                diesel::sql_query(format!("EXPLAIN EXECUTE explained{arguments}")).load(&mut connection).unwrap();
            lines.into_iter().map(|line| line.line).collect()
        }
    }
}
