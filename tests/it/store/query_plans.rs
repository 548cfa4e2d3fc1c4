//! Query plans: with many keys in the company and more in the database, each query of a list uses an index that leads
//! with the company. The statements are those that the store sends, on both databases.

use keydesk::domain::actor::Actor;
use keydesk::domain::ids::{CompanyId, KeyId};
use keydesk::domain::key::digest::{DigestPair, KeyDigest, PresentedDigests};
use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::trail::action::Action;
use keydesk::domain::trail::filter::TrailFilter;
use keydesk::store::{
    Db, KeyActivityQuery, KeyCounts, KeyFilter, KeyListQuery, KeyScan, KeyTab, PageRequest, SortBy, SortOrder, Store,
    TrailPageRequest,
};

use super::captured_sql::{CapturedStore, fill, plan, statements_of};
use crate::support::{TestServer, database};

/// Each step that reads a table of many companies looks rows up by company, or by the id of a row that was found so.
fn assert_led_by_the_company(statement: &str, plan: &[String]) {
    let whole = plan.join("\n");
    for step in plan {
        let lower = step.to_lowercase();
        let scans_all = (lower.contains("scan ") && !lower.contains("index") && !lower.contains("bitmap heap"))
            && ["api_keys", "service_accounts", "events", "key_usage"].iter().any(|table| lower.contains(table));
        assert!(!scans_all, "{statement}\n{whole}");
    }
    let led = ["company_id=?", "company_id =", "company_id)::text", "trail_id=?", "trail_id =", "trail_id)::text"];
    assert!(led.iter().any(|condition| whole.contains(condition)), "{statement}\n{whole}");
}

fn run_all_queries(store: &Store, company_id: CompanyId) {
    let now = Timestamp::from_micros(1_795_424_400_000_000);
    for tab in [KeyTab::Active, KeyTab::Ended] {
        for search in [None, Some("service 9".to_owned())] {
            for sort_by in [SortBy::Created, SortBy::Ended, SortBy::Name, SortBy::LastUsed] {
                for order in [SortOrder::Ascending, SortOrder::Descending] {
                    let query = KeyListQuery {
                        company_id,
                        tab,
                        filter: KeyFilter { search: search.clone(), ..KeyFilter::default() },
                        sort_by,
                        order,
                        paging: PageRequest::First,
                        page_size: 50,
                        now,
                    };
                    store.query(|db| db.keys().list_page(&query)).unwrap();
                    let first = store.read(|db| db.keys().list(&query)).unwrap();
                    let last = first.keys.last().unwrap();
                    for paging in
                        [PageRequest::After(last.position(sort_by)), PageRequest::Before(last.position(sort_by))]
                    {
                        let query = KeyListQuery { paging, ..query.clone() };
                        store.read(|db| db.keys().list(&query)).unwrap();
                    }
                }
            }
        }
    }
    let filter = KeyFilter { search: Some("service 9".to_owned()), ..KeyFilter::default() };
    store.read(|db| db.keys().count_matching(company_id, &filter, now)).unwrap();
    for before in [None, Some(95_000)] {
        let page = KeyActivityQuery { company_id, key: None, before, limit: 51 };
        store.query(|db| db.trails().key_activity(&page)).unwrap();
    }
}

#[test]
fn each_list_query_uses_an_index_that_leads_with_the_company() {
    let server = TestServer::start();
    fill(&server.database_url);
    let captured = CapturedStore::connect(&server.database_url);
    let store = &captured.store;
    let ((), mut sent) = statements_of(|| run_all_queries(store, server.company("Brightwater")));
    sent.retain(|statement| {
        statement.starts_with("SELECT") && (statement.contains("api_keys") || statement.contains("events"))
    });
    sent.sort();
    sent.dedup();
    assert!(sent.len() >= 20, "{sent:#?}");
    for statement in &sent {
        assert_led_by_the_company(statement, &plan(&server.database_url, statement, ""));
    }
}

#[test]
fn a_scan_of_all_keys_follows_an_index_and_sorts_nothing() {
    let server = TestServer::start();
    fill(&server.database_url);
    let captured = CapturedStore::connect(&server.database_url);
    let (company_id, owner) = (server.company("Brightwater"), server.user("maria@brightwater.example").id);
    let [start, end] = [i64::MIN, i64::MAX].map(Timestamp::from_micros);
    for owner in [None, Some(owner)] {
        let scan = KeyScan { company_id, owner, refused_from: (start, end), after: None, limit: 1_000 };
        let (page, sent) = statements_of(|| captured.store.query(|db| db.keys().scan(&scan)).unwrap());
        let last = page.last().unwrap();
        assert_eq!((page.len(), last.created_at), (1_000, Timestamp::from_micros(99_001)));
        let next = KeyScan { after: Some((last.created_at, last.id)), ..scan };
        let next = captured.store.query(|db| db.keys().scan(&next)).unwrap();
        assert_eq!(next[0].created_at, Timestamp::from_micros(99_000));
        let statement = sent.iter().find(|statement| statement.contains("api_keys")).unwrap();
        let plan = plan(&server.database_url, statement, "SET enable_bitmapscan = off;").join("\n");
        assert!(plan.contains("api_keys_by_creation") || owner.is_some(), "{plan}");
        assert!(owner.is_some() || !(plan.contains("Sort") || plan.contains("TEMP B-TREE")), "{plan}");
    }
}

#[test]
fn the_tab_counters_read_only_recently_ended_keys() {
    let server = TestServer::start();
    fill(&server.database_url);
    let captured = CapturedStore::connect(&server.database_url);
    let company_id = server.company("Brightwater");
    let (counts, sent) =
        statements_of(|| captured.store.read(|db| db.keys().count(company_id, server.clock.now())).unwrap());
    assert_eq!(counts, KeyCounts { active: 5_000, ended: 5_000 });
    let plan_for = |table: &str, settings: &str| {
        let statement = sent.iter().find(|statement| statement.contains(table)).unwrap();
        plan(&server.database_url, statement, settings).join("\n")
    };
    let of_keys = plan_for("api_keys", "");
    assert!(of_keys.contains("api_keys_by_end") && of_keys.contains("ended_at"), "{of_keys}");
    // There are few counters, which PostgreSQL would read in turn.
    let of_counts = plan_for("key_counts", "SET enable_seqscan = off;");
    assert!(of_counts.contains("company_id=?") || of_counts.contains("key_counts_pkey"), "{of_counts}");
}

/// All combinations of dates, user, action and key.
fn all_filters(actor: Actor) -> Vec<TrailFilter> {
    let key = KeyId::new(Timestamp::from_micros(0), &[1; 10]);
    let filter = |combination: u8| {
        let has = |part: u8| combination & part != 0;
        TrailFilter {
            from: has(1).then(|| Timestamp::from_micros(92_000)),
            until: has(1).then(|| Timestamp::from_micros(99_000)),
            actor: has(2).then_some(actor),
            actions: if has(4) { vec![Action::ApiKeyCreated, Action::UserSignedIn] } else { vec![] },
            key: has(8).then_some(key),
        }
    };
    (0..16).map(filter).collect()
}

#[test]
fn each_combination_of_filters_uses_an_index_and_sorts_nothing() {
    let server = TestServer::start();
    fill(&server.database_url);
    let (company, actor) = (server.company("Brightwater"), server.user("maria@brightwater.example").id);
    let captured = CapturedStore::connect(&server.database_url);
    let store = &captured.store;
    for filter in [Actor::User(actor), Actor::CommandLine].into_iter().flat_map(all_filters) {
        let has_events = filter.key.is_none() && filter.actor != Some(Actor::CommandLine);
        let (count, mut sent) = statements_of(|| {
            for paging in [TrailPageRequest::Newest, TrailPageRequest::Before(98_000), TrailPageRequest::After(93_000)]
            {
                let found = store.query(|db| db.trails().filtered(company, &filter, paging, 51)).unwrap();
                assert!(found.len() == 51 || !has_events, "{filter:?} {paging:?}");
                assert!(found.is_empty() || filter.key.is_none(), "{filter:?} {paging:?}");
                assert!(found.is_sorted_by(|newer, older| newer.event.sequence > older.event.sequence));
            }
            store.query(|db| db.trails().count_filtered(company, &filter, 100_900)).unwrap()
        });
        assert!(count > 0 || !has_events, "{filter:?}");
        let count_of = |what: &str| sent.iter().filter(|statement| statement.starts_with(what)).count();
        let changes = (count_of("SET enable_bitmapscan"), count_of("RESET enable_bitmapscan"));
        assert_eq!(changes, if database::postgres().is_some() { (3, 3) } else { (0, 0) }, "{sent:#?}");
        sent.retain(|statement| statement.starts_with("SELECT") && statement.contains("events"));
        sent.sort();
        sent.dedup();
        assert!(sent.len() >= 2, "{sent:#?}");
        for statement in &sent {
            // The setting of the store for queries in the order of an index.
            let settings = if statement.contains("ORDER BY") { "SET enable_bitmapscan = off;" } else { "" };
            let plan = plan(&server.database_url, statement, settings);
            assert_led_by_the_company(statement, &plan);
            if filter.key.is_some() && filter.actor == Some(Actor::CommandLine) {
                // No event matches, and PostgreSQL knows: two indexes cost the same, one of them with a sort of one row.
                continue;
            }
            let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("Sort"));
            assert!(!sorts, "{statement}\n{}", plan.join("\n"));
            let orders = statement.contains("ORDER BY");
            let is_exact = plan.iter().any(|step| {
                let of = |index: &str| step.contains(index);
                match (filter.key.is_some(), filter.actor.is_some(), !filter.actions.is_empty()) {
                    (true, ..) => of("events_by_key"),
                    (false, true, _) => of("events_by_actor"),
                    (false, false, true) => of("events_by_action"),
                    (false, false, false) => of("events_pkey") || of("autoindex_events_2"),
                }
            });
            assert!(is_exact || !orders, "{statement}\n{}", plan.join("\n"));
        }
    }
}

#[test]
fn dates_find_their_events_after_the_clock_went_back() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    let began = server.clock.now();
    let hour = std::time::Duration::from_hours(1);
    for (name, at) in [("A", began + hour * 3), ("B", began), ("C", began + hour * 3), ("D", began + hour)] {
        server.set_clock(at);
        server.admin().create_key(name);
    }
    let names = |from, until| {
        let filter = TrailFilter {
            from: Some(from),
            until: Some(until),
            actions: vec![Action::ApiKeyCreated],
            ..TrailFilter::default()
        };
        let find = |db: &mut Db<'_>| db.trails().filtered(company, &filter, TrailPageRequest::Newest, 51);
        let found = server.actions.store.query(find).unwrap();
        let count = server.actions.store.query(|db| db.trails().count_filtered(company, &filter, i64::MAX));
        assert_eq!(usize::try_from(count.unwrap()).unwrap(), found.len());
        found.iter().map(|listed| listed.event.subject_name().unwrap()).collect::<String>()
    };
    assert_eq!(names(began + hour * 3, began + hour * 4), "CA");
    assert_eq!(names(began, began + hour * 2), "DB");
    assert_eq!(names(began, began + hour * 4), "DCBA");
    assert_eq!(names(began + hour * 5, began + hour * 9), "");
}

#[test]
fn unreported_refusals_are_found_by_an_index() {
    let server = TestServer::start();
    let captured = CapturedStore::connect(&server.database_url);
    let unreported = |db: &mut Db<'_>| db.usage().unreported_refusals(Timestamp::from_micros(0), 200);
    let (_, mut sent) = statements_of(|| captured.store.query(unreported).unwrap());
    sent.retain(|statement| statement.contains("key_usage"));
    let [statement] = &sent[..] else { panic!("{sent:#?}") };
    let plan = plan(&server.database_url, statement, "SET enable_seqscan = off;").join("\n");
    assert!(plan.contains("key_usage_to_report"), "{plan}");
}

#[test]
fn a_presented_key_is_found_by_hash_indexes() {
    let server = TestServer::start();
    if database::postgres().is_none() {
        return;
    }
    fill(&server.database_url);
    let captured = CapturedStore::connect(&server.database_url);
    let [of_key, of_sha256] = [7, 8].map(|byte| KeyDigest::from_stored(&[byte; 32]).unwrap());
    let unknown = PresentedDigests::from(DigestPair { of_key, of_sha256 });
    let (found, sent) = statements_of(|| captured.store.thread_reader().keys(std::slice::from_ref(&unknown)).unwrap());
    assert!(found[0].is_none());
    let statement = sent.iter().find(|statement| statement.contains("unnest")).unwrap();
    let settings = sent.iter().find(|statement| statement.contains("enable_seqscan")).unwrap();
    let plan = plan(&server.database_url, statement, settings).join("\n");
    for index in ["api_keys_hashed_by_digest", "service_accounts_hashed_by_id", "companies_hashed_by_id"] {
        assert!(plan.contains(index), "{plan}");
    }
}
