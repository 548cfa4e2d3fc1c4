//! With many keys in the company and far more in the database, every list query runs on an index that begins with the
//! company: the statements that the store really sends are explained, on both databases.

use std::cell::RefCell;

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use keydesk::config::Database;
use keydesk::domain::ids::CompanyId;
use keydesk::domain::instant::Instant;
use keydesk::store::{AuditPage, KeyListQuery, KeyTab, Paging, SortBy, SortOrder, Store, place_of};

use crate::support::TestServer;

thread_local! {
    static SENT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[expect(clippy::unnecessary_wraps, reason = "the signature is diesel's")]
fn listen() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds:").next().unwrap_or_default().to_owned();
            SENT.with_borrow_mut(|sent| sent.push(statement));
        }
    }))
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

/// 10,000 keys of one company among 100,000, made by the database itself.
fn fill(url: &str) {
    let company = "(SELECT id FROM companies LIMIT 1)";
    let others = "
        INSERT INTO audit_trails (id, size, frontier, checkpoint) SELECT 'c' || n, 0, EMPTY, '' FROM numbers WHERE n <= 90;
        INSERT INTO companies (id, name, name_folded, created_at) SELECT 'c' || n, 'c' || n, 'c' || n, 0 FROM numbers WHERE n <= 90;
        INSERT INTO users (id, company_id, role, name, email, email_folded, created_at) SELECT 'u' || n, 'c' || n, 'admin', 'u', 'u' || n, 'u' || n, 0 FROM numbers WHERE n <= 90;
        INSERT INTO service_accounts (id, company_id, name, name_folded, created_at)
            SELECT 'a' || n, CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, 'service ' || n, 'service ' || n, 0 FROM numbers;
        INSERT INTO api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, owner, revoked_at, revoked_by_type, revocation_reason)
            SELECT 'k' || n, CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, 'a' || n, DIGEST, 'p', 'goa_' || n, 'goa_' || n, n,
                CREATOR, CREATOR,
                CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 2 = 0 THEN 'system' END, CASE WHEN n % 2 = 0 THEN 'unspecified' END FROM numbers;
        INSERT INTO events (trail_id, sequence, id, at, action, actor_type, key_id, target_type, target_id, leaf_hash)
            SELECT CASE WHEN n > 90000 THEN COMPANY ELSE 'c' || (n % 90 + 1) END, n + 1000, 'e' || n, n,
                CASE WHEN n % 3 = 0 THEN 'api_key.created' ELSE 'user.signed_in' END, 'system', CASE WHEN n % 3 = 0 THEN 'k' || n END, 'api_key', 'k', EMPTY FROM numbers;
    "
    .replace(
        "CREATOR",
        "CASE WHEN n > 90000 THEN (SELECT id FROM users WHERE company_id = COMPANY LIMIT 1) ELSE 'u' || (n % 90 + 1) END",
    )
    .replace("COMPANY", company);
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let numbers = "CREATE TEMP TABLE numbers AS WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 100000) SELECT n FROM up;";
            let others = others.replace("EMPTY", "zeroblob(0)").replace("DIGEST", "randomblob(32)");
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection
                .batch_execute(&format!("PRAGMA synchronous = OFF; {numbers} BEGIN; {others} COMMIT; ANALYZE;"))
                .unwrap();
        }
        Database::Postgres(url) => {
            let numbers = "CREATE TEMP TABLE numbers AS SELECT generate_series(1, 100000) AS n;";
            let others = others.replace("EMPTY", "''::bytea").replace("DIGEST", "decode(md5(n::text), 'hex')");
            PgConnection::establish(&url).unwrap().batch_execute(&format!("{numbers} {others} ANALYZE;")).unwrap();
        }
    }
}

/// What the database says it does with a statement, whatever the values in it are.
fn plan(url: &str, statement: &str) -> Vec<String> {
    match Database::parse(url).unwrap() {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            let lines: Vec<Detail> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connection).unwrap();
            lines.into_iter().map(|line| line.detail).collect()
        }
        Database::Postgres(url) => {
            let mut connection = PgConnection::establish(&url).unwrap();
            let values = (1..=20).rev().find(|number| statement.contains(&format!("${number}"))).unwrap_or(0);
            let arguments = if values == 0 { String::new() } else { format!("({})", vec!["NULL"; values].join(", ")) };
            connection
                .batch_execute(&format!("SET plan_cache_mode = force_generic_plan; PREPARE asked AS {statement}"))
                .unwrap();
            let lines: Vec<Plan> =
                diesel::sql_query(format!("EXPLAIN EXECUTE asked{arguments}")).load(&mut connection).unwrap();
            lines.into_iter().map(|line| line.line).collect()
        }
    }
}

/// Each step that reads a table of many companies must look it up by company (or by the id of a row found that way).
fn assert_led_by_the_company(statement: &str, plan: &[String]) {
    let whole = plan.join("\n");
    for step in plan {
        let lower = step.to_lowercase();
        let scans_all = (lower.contains("scan ") && !lower.contains("index") && !lower.contains("bitmap heap"))
            && ["api_keys", "service_accounts", "events"].iter().any(|table| lower.contains(table));
        assert!(!scans_all, "{statement}\n{whole}");
    }
    let led = ["company_id=?", "company_id =", "company_id)::text", "trail_id=?", "trail_id =", "trail_id)::text"];
    assert!(led.iter().any(|condition| whole.contains(condition)), "{statement}\n{whole}");
}

fn ask_everything(store: &Store, company_id: CompanyId) {
    let now = Instant::from_micros(1_795_424_400_000_000);
    for tab in [KeyTab::Active, KeyTab::Ended] {
        for search in [None, Some("service 9".to_owned())] {
            for sort_by in [SortBy::Created, SortBy::Ended, SortBy::Name] {
                for order in [SortOrder::Ascending, SortOrder::Descending] {
                    let query = KeyListQuery {
                        company_id,
                        tab,
                        search: search.clone(),
                        sort_by,
                        order,
                        paging: Paging::First,
                        page_size: 50,
                        now,
                    };
                    let Ok(first) = store.read(|questions| questions.list_keys(&query)) else { continue };
                    let Some(last) = first.keys.last() else { continue };
                    for paging in [Paging::After(place_of(last, sort_by)), Paging::Before(place_of(last, sort_by))] {
                        let query = KeyListQuery { paging, ..query.clone() };
                        store.read(|questions| questions.list_keys(&query)).unwrap();
                    }
                }
            }
        }
    }
    for before in [None, Some(95_000)] {
        let page = AuditPage { company_id, key: None, before, limit: 51 };
        store.ask(|questions| questions.events_about_keys(&page)).unwrap();
    }
}

#[test]
fn every_list_query_runs_on_an_index_that_begins_with_the_company() {
    let server = TestServer::start();
    fill(&server.database_url);
    set_default_instrumentation(listen).unwrap();
    let store = Store::connect(&Database::parse(&server.database_url).unwrap()).unwrap();
    SENT.with_borrow_mut(Vec::clear);
    // The rows have ids that are none, so only the statements matter here; pages are asked for one by one below.
    ask_everything(&store, server.company("Brightwater"));
    set_default_instrumentation(|| None).unwrap();
    let mut sent = SENT.with_borrow(Clone::clone);
    sent.retain(|statement| {
        statement.starts_with("SELECT") && (statement.contains("api_keys") || statement.contains("events"))
    });
    sent.sort();
    sent.dedup();
    assert!(sent.len() >= 20, "{sent:#?}");
    for statement in &sent {
        assert_led_by_the_company(statement, &plan(&server.database_url, statement));
    }
}
