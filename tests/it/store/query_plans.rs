//! With many keys in the company and far more in the database, every list query runs on an index that begins with the
//! company: the statements that the store really sends are explained, on both databases.

use keydesk::domain::action::Action;
use keydesk::domain::ids::{CompanyId, KeyId, UserId};
use keydesk::domain::instant::Instant;
use keydesk::domain::key_digest::KeyDigest;
use keydesk::domain::trail_filter::TrailFilter;
use keydesk::store::{
    AuditPage, KeyCounts, KeyListQuery, KeyTab, Paging, Snapshot, SortBy, SortOrder, Store, TrailPaging,
};

use super::overheard::{Overheard, SENT, fill, plan};
use crate::support::{TestServer, database};

/// Each step that reads a table of many companies must look it up by company (or by the id of a row found that way).
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

fn ask_everything(store: &Store, company_id: CompanyId) {
    let now = Instant::from_micros(1_795_424_400_000_000);
    for tab in [KeyTab::Active, KeyTab::Ended] {
        for search in [None, Some("service 9".to_owned())] {
            for sort_by in [SortBy::Created, SortBy::Ended, SortBy::Name, SortBy::LastUsed] {
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
                    for paging in [Paging::After(last.place(sort_by)), Paging::Before(last.place(sort_by))] {
                        let query = KeyListQuery { paging, ..query.clone() };
                        store.read(|questions| questions.list_keys(&query)).unwrap();
                    }
                }
            }
        }
    }
    store.read(|questions| questions.count_found(company_id, "service 9", now)).unwrap();
    for before in [None, Some(95_000)] {
        let page = AuditPage { company_id, key: None, before, limit: 51 };
        store.ask(|questions| questions.events_about_keys(&page)).unwrap();
    }
}

#[test]
fn every_list_query_runs_on_an_index_that_begins_with_the_company() {
    let server = TestServer::start();
    fill(&server.database_url);
    let overheard = Overheard::on(&server.database_url);
    let store = &overheard.store;
    SENT.with_borrow_mut(Vec::clear);
    // The rows have ids that are none, so only the statements matter here; pages are asked for one by one below.
    ask_everything(store, server.company("Brightwater"));
    let mut sent = SENT.with_borrow(Clone::clone);
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
fn the_counters_of_the_tabs_look_at_those_keys_alone_that_ended_lately() {
    let server = TestServer::start();
    fill(&server.database_url);
    let overheard = Overheard::on(&server.database_url);
    SENT.with_borrow_mut(Vec::clear);
    let company_id = server.company("Brightwater");
    let counts = overheard.store.read(|questions| questions.count_keys(company_id, server.clock.now())).unwrap();
    assert_eq!(counts, KeyCounts { active: 5_000, ended: 5_000 });
    let sent = SENT.with_borrow(Clone::clone);
    let asked = |table: &str| {
        let statement = sent.iter().find(|statement| statement.contains(table)).unwrap();
        plan(&server.database_url, statement, "").join("\n")
    };
    let of_keys = asked("api_keys");
    assert!(of_keys.contains("api_keys_by_end") && of_keys.contains("ended_at"), "{of_keys}");
    let of_counts = asked("key_counts");
    assert!(of_counts.contains("company_id=?") || of_counts.contains("key_counts_pkey"), "{of_counts}");
}

/// Every combination of dates, user, action and key.
fn every_filter(actor: UserId) -> Vec<TrailFilter> {
    let key = KeyId::new(Instant::from_micros(0), &[1; 10]);
    let filter = |combination: u8| {
        let has = |part: u8| combination & part != 0;
        TrailFilter {
            from: has(1).then(|| Instant::from_micros(92_000)),
            until: has(1).then(|| Instant::from_micros(99_000)),
            actor: has(2).then_some(actor),
            actions: if has(4) { vec![Action::ApiKeyCreated, Action::UserSignedIn] } else { vec![] },
            key: has(8).then_some(key),
        }
    };
    (0..16).map(filter).collect()
}

#[test]
fn every_combination_of_filters_runs_on_an_index_of_the_trail_and_sorts_nothing() {
    let server = TestServer::start();
    fill(&server.database_url);
    let (company, actor) = (server.company("Brightwater"), server.user("maria@brightwater.example").id);
    let overheard = Overheard::on(&server.database_url);
    let store = &overheard.store;
    for filter in every_filter(actor) {
        SENT.with_borrow_mut(Vec::clear);
        for paging in [TrailPaging::Newest, TrailPaging::Before(98_000), TrailPaging::After(93_000)] {
            let found = store.ask(|questions| questions.filtered_events(company, &filter, paging, 51)).unwrap();
            assert_eq!(found.len(), if filter.key.is_some() { 0 } else { 51 }, "{filter:?} {paging:?}");
            assert!(found.is_sorted_by(|newer, older| newer.event.sequence > older.event.sequence));
        }
        let count = store.ask(|questions| questions.count_filtered_events(company, &filter, 100_900)).unwrap();
        assert_eq!(count > 0, filter.key.is_none(), "{filter:?}");
        let mut sent = SENT.with_borrow(Clone::clone);
        let said = |what: &str| sent.iter().filter(|statement| statement.starts_with(what)).count();
        let (made, taken_back) = (said("SET enable_bitmapscan"), said("RESET enable_bitmapscan"));
        assert_eq!((made, taken_back), if database::postgres().is_some() { (3, 3) } else { (0, 0) }, "{sent:#?}");
        sent.retain(|statement| statement.starts_with("SELECT") && statement.contains("events"));
        sent.sort();
        sent.dedup();
        assert!(sent.len() >= 2, "{sent:#?}");
        for statement in &sent {
            // What the store sets for what is to come in order.
            let settings = if statement.contains("ORDER BY") { "SET enable_bitmapscan = off;" } else { "" };
            let plan = plan(&server.database_url, statement, settings);
            assert_led_by_the_company(statement, &plan);
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
fn an_hour_leads_to_its_part_of_the_trail_also_where_the_clock_went_back() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    let began = server.clock.now();
    let hour = std::time::Duration::from_hours(1);
    for (name, at) in [("A", began + hour * 3), ("B", began), ("C", began + hour * 3), ("D", began + hour)] {
        server.stand_at(at);
        server.admin().create_key(name);
    }
    let names = |from, until| {
        let filter = TrailFilter {
            from: Some(from),
            until: Some(until),
            actions: vec![Action::ApiKeyCreated],
            ..TrailFilter::default()
        };
        let find = |questions: &mut Snapshot<'_>| questions.filtered_events(company, &filter, TrailPaging::Newest, 51);
        let found = server.actions.store.ask(find).unwrap();
        let count = server.actions.store.ask(|questions| questions.count_filtered_events(company, &filter, i64::MAX));
        assert_eq!(usize::try_from(count.unwrap()).unwrap(), found.len());
        found.iter().map(|listed| listed.event.subject_name().unwrap()).collect::<String>()
    };
    assert_eq!(names(began + hour * 3, began + hour * 4), "CA");
    assert_eq!(names(began, began + hour * 2), "DB");
    assert_eq!(names(began, began + hour * 4), "DCBA");
    assert_eq!(names(began + hour * 5, began + hour * 9), "");
}

#[test]
fn refusals_to_report_are_found_without_a_look_at_every_key() {
    let server = TestServer::start();
    let overheard = Overheard::on(&server.database_url);
    SENT.with_borrow_mut(Vec::clear);
    overheard.store.ask(|questions| questions.refusals_to_report(Instant::from_micros(0), 200)).unwrap();
    let mut sent = SENT.with_borrow(Clone::clone);
    sent.retain(|statement| statement.contains("key_usage"));
    let [statement] = &sent[..] else { panic!("{sent:#?}") };
    let plan = plan(&server.database_url, statement, "SET enable_seqscan = off;").join("\n");
    assert!(plan.contains("key_usage_to_report"), "{plan}");
}

#[test]
fn a_key_is_found_by_indexes_whose_cost_does_not_grow_with_the_number_of_keys() {
    let server = TestServer::start();
    if database::postgres().is_none() {
        return;
    }
    fill(&server.database_url);
    let overheard = Overheard::on(&server.database_url);
    SENT.with_borrow_mut(Vec::clear);
    let (mut reader, _) = overheard.store.own_reader();
    let unknown = KeyDigest::from_stored(&[7; 32]).unwrap();
    assert!(reader.keys(&[unknown]).unwrap()[0].is_none());
    let sent = SENT.with_borrow(Clone::clone);
    let statement = sent.iter().find(|statement| statement.contains("unnest")).unwrap();
    let settings = sent.iter().find(|statement| statement.contains("enable_seqscan")).unwrap();
    let plan = plan(&server.database_url, statement, settings).join("\n");
    for index in ["api_keys_hashed_by_digest", "service_accounts_hashed_by_id", "companies_hashed_by_id"] {
        assert!(plan.contains(index), "{plan}");
    }
}
