//! Readers that belong to one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use keydesk::config::Database;
use keydesk::domain::key::usage::RequestSource;
use keydesk::domain::token::TokenDigest;
use keydesk::store::{IntrospectionRequest, Store, StoreError};
use keydesk::verify::{Metrics, RenewalQueue, UsageCounter, Verifier, VerifierContext, VerifyError};
use prometheus_client::registry::Registry;

use super::captured_sql::{CapturedStore, statements_of};
use crate::api::UNKNOWN;
use crate::cli::{run, text};
use crate::support::{TestServer, database};

#[test]
fn a_batch_looks_up_each_gateway_once() {
    let server = TestServer::start();
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let (edge, unknown) = (TokenDigest::of(text(&output.stdout).trim()), TokenDigest::of("unknown"));
    let captured = CapturedStore::connect(&server.database_url);
    let mut reader = captured.store.thread_reader();
    let requests = [edge, unknown, edge, edge].map(|credential| IntrospectionRequest { credential, key: None });
    let (found, sent) = statements_of(|| reader.introspections(&requests).unwrap());
    let names: Vec<_> = found.iter().map(|found| found.gateway.as_ref().map(|gateway| gateway.name.as_str())).collect();
    assert_eq!(names, [Some("Edge"), None, Some("Edge"), Some("Edge")]);
    let look_ups = sent.iter().filter(|statement| statement.contains("gateways")).count();
    assert_eq!(look_ups, 2, "{sent:#?}");
}

#[test]
fn each_introspection_gets_its_own_key() {
    let server = TestServer::start();
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let credential = TokenDigest::of(text(&output.stdout).trim());
    let (_, erp) = server.admin().create_key("ERP Sync");
    let (_, reporting) = server.admin().create_key("Reporting");
    let digest = |key: &str| server.actions.key_format.digest(key, server.actions.secrets.keyring().peppers()).ok();
    let keys = [digest(&reporting), None, digest(UNKNOWN), digest(&erp)];
    let requests = keys.map(|key| IntrospectionRequest { credential, key });
    let mut reader = server.actions.store.thread_reader();
    // The second time, SQLite answers from the cache.
    for _ in 0..2 {
        let found = reader.introspections(&requests).unwrap();
        assert!(found.iter().all(|found| found.gateway.is_some()));
        let names: Vec<_> =
            found.iter().map(|found| found.key.as_ref().map(|key| key.service_account.as_str())).collect();
        assert_eq!(names, [Some("Reporting"), None, None, Some("ERP Sync")]);
    }
}

#[test]
fn a_read_after_a_panic_sees_new_changes() {
    let server = TestServer::start();
    let (company, now) = (server.company("Brightwater"), server.clock.now());
    let mut reader = server.actions.store.thread_reader();
    let read = AssertUnwindSafe(|| {
        reader.read(|db| -> Result<(), StoreError> {
            db.keys().count(company, now)?;
            panic!("a defect")
        })
    });
    assert!(catch_unwind(read).is_err());
    server.admin().create_key("ERP Sync");
    let counts = reader.query(|db| db.keys().count(company, now)).unwrap();
    assert_eq!(counts.active, 1);
}

#[test]
fn a_slow_failure_keeps_the_connection() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let mut reader = server.actions.store.thread_reader();
    let mut process_of_reader = || {
        reader.query(|db| db.is_standby()).unwrap();
        let slow = reader.query(|_| -> Result<(), StoreError> {
            std::thread::sleep(std::time::Duration::from_millis(300));
            Err(StoreError::timed_out())
        });
        assert!(slow.is_err());
        reader.query(|db| db.is_standby()).unwrap();
        let last =
            "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_is_in_recovery() AS %'";
        database::column(&server.database_url, "pid", last)
    };
    let first = process_of_reader();
    assert_eq!((first.len(), process_of_reader()), (1, first.clone()));
}

#[test]
fn look_ups_keep_the_connections_of_the_start() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let database = Database::parse(&url).unwrap();
    Store::migrate(&database).unwrap();
    let store = Store::connect(&database).unwrap();
    store.prepare_to_serve(2).unwrap();
    let context = VerifierContext {
        store,
        clock: server.clock.clone(),
        secrets: Arc::clone(&server.actions.secrets),
        renewals: RenewalQueue::default(),
        key_format: server.actions.key_format.clone(),
        usage_counter: UsageCounter::default(),
        metrics: Metrics::registered(&mut Registry::default()),
        memory: server.actions.memory.clone(),
        installation: server.actions.installation,
    };
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1";
    let processes = || database::column(&url, "pid", others);
    let at_start = processes();
    actix_web::rt::System::new().block_on(async {
        let verifiers = [(); 2].map(|()| Verifier::for_this_thread(&context));
        for verifier in &verifiers {
            let found = verifier.verify(UNKNOWN, RequestSource { address: None, client: None }, || "1").await;
            assert!(matches!(found, Err(VerifyError::Unknown)), "{found:?}");
        }
        assert_eq!(processes(), at_start);
    });
}

#[test]
fn a_replaced_row_is_read_again() {
    let server = TestServer::start();
    if database::postgres().is_some() {
        // PostgreSQL has no REPLACE, and reads every key anew.
        return;
    }
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let digest = server.actions.key_format.parse(&key).unwrap().presented(server.actions.secrets.keyring().peppers());
    let mut reader = server.actions.store.thread_reader();
    let mut is_revoked =
        || reader.keys(std::slice::from_ref(&digest)).unwrap().remove(0).unwrap().ends.revoked_at.is_some();
    assert!(!is_revoked());
    let kept = "id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, \
                owner, expires_at, overlap_extended, end_recorded";
    let sql = format!(
        "REPLACE INTO api_keys ({kept}, revoked_at, revoked_by_type, revocation_reason)
         SELECT {kept}, created_at, 'command_line', 'compromised' FROM api_keys WHERE id = '{id}'"
    );
    database::tamper(&server.database_url, &sql);
    assert!(is_revoked());
    assert_eq!(admin.get(crate::support::API_KEYS).html().counters(), ["Active Keys 0 keys", "Revoked Keys 1 key"]);
}
