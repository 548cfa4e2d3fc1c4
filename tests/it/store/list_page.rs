//! A page of the list in one statement: on PostgreSQL, it holds what several statements on one snapshot hold.

use std::time::Duration;

use keydesk::domain::ids::{CompanyId, UserId};
use keydesk::domain::practice::finding::Practice;
use keydesk::domain::timestamp::Timestamp;
use keydesk::store::{
    Db, ExpiryFilter, KeyFilter, KeyListItem, KeyListPage, KeyListQuery, KeyTab, PageRequest, SortBy, SortOrder, Store,
    StoreError, UsageFilter,
};

use super::captured_sql::{Capture, CapturedStore, fill, statements_of, statements_to};
use crate::support::{API_KEYS, TestServer, database};

const COLUMNS: [SortBy; 4] = [SortBy::Created, SortBy::Ended, SortBy::Name, SortBy::LastUsed];
const ORDERS: [SortOrder; 2] = [SortOrder::Ascending, SortOrder::Descending];

/// Adds active, revoked and rotated keys.
fn add_keys(server: &TestServer) {
    let admin = server.admin();
    for number in 0..12 {
        let (id, _) = admin.create_key(&format!("Service {number:02}"));
        server.advance(Duration::from_mins(1));
        match number % 4 {
            1 => admin.revoke(&id, "superseded", "replaced by hand").expect(303),
            2 => admin.rotate(&id, "24h").expect(201),
            _ => continue,
        };
    }
}

/// What several statements return, if paging back does not reach the start.
fn in_several_statements(db: &mut Db<'_>, query: &KeyListQuery) -> Result<KeyListPage, StoreError> {
    let slice = db.keys().list(query)?;
    let names = db.users().names(query.company_id, slice.keys.iter().flat_map(KeyListItem::users))?;
    let total = db.keys().count(query.company_id, query.now)?;
    let found = if query.filter.is_empty() {
        total
    } else {
        db.keys().count_matching(query.company_id, &query.filter, query.now)?
    };
    let practice = db.assessments().state(query.company_id, query.now)?;
    Ok(KeyListPage { slice, names, total, found, practice })
}

/// Compares a page with what several statements return, and returns it.
fn compared(store: &Store, query: &KeyListQuery) -> Option<KeyListPage> {
    let (page, sent) = statements_of(|| store.query(|db| db.keys().list_page(query)).unwrap());
    let Some(page) = page else {
        assert!(database::postgres().is_none() && sent.is_empty(), "{sent:#?}");
        return None;
    };
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let expected = store.read(|db| in_several_statements(db, query)).unwrap();
    assert_eq!(format!("{:?}", page.slice), format!("{:?}", expected.slice), "{query:?}");
    assert_eq!((&page.names, page.total, page.found), (&expected.names, expected.total, expected.found), "{query:?}");
    assert_eq!(page.practice, expected.practice);
    Some(page)
}

fn query(company_id: CompanyId, now: Timestamp) -> KeyListQuery {
    KeyListQuery {
        company_id,
        tab: KeyTab::Active,
        filter: KeyFilter::default(),
        sort_by: SortBy::Created,
        order: SortOrder::Descending,
        paging: PageRequest::First,
        page_size: 3,
        now,
    }
}

/// Filters, each with the tab that it is used on.
fn filters(owner: UserId) -> Vec<(KeyTab, KeyFilter)> {
    let search = |text: &str| KeyFilter { search: Some(text.to_owned()), ..KeyFilter::default() };
    vec![
        (KeyTab::Active, KeyFilter::default()),
        (KeyTab::Ended, KeyFilter::default()),
        (KeyTab::Active, search("service 0")),
        (KeyTab::Ended, search("goa_")),
        (KeyTab::Ended, search("e")),
        (KeyTab::Active, search("maria")),
        (KeyTab::Active, KeyFilter { owner: Some(owner), ..KeyFilter::default() }),
        (KeyTab::Active, KeyFilter { practice: Some(Practice::NoPurpose), ..KeyFilter::default() }),
        (KeyTab::Active, KeyFilter { practice: Some(Practice::OwnerGone), ..search("service") }),
        (KeyTab::Active, KeyFilter { expiry: Some(ExpiryFilter::Soon), ..KeyFilter::default() }),
        (KeyTab::Ended, KeyFilter { expiry: Some(ExpiryFilter::Never), ..KeyFilter::default() }),
        (KeyTab::Active, KeyFilter { usage: Some(UsageFilter::Never), ..KeyFilter::default() }),
        (KeyTab::Active, KeyFilter { usage: Some(UsageFilter::Idle), ..KeyFilter::default() }),
    ]
}

#[test]
fn one_statement_returns_a_page_of_the_list_names_and_counters() {
    let server = TestServer::start();
    add_keys(&server);
    let company_id = server.company("Brightwater");
    let owner = server.user("maria@brightwater.example").id;
    // The list assesses the keys, and so fills the findings.
    server.admin().get(API_KEYS).expect(200);
    let captured = CapturedStore::connect(&server.database_url);
    let now = server.clock.now();
    for (sort_by, order) in COLUMNS.into_iter().flat_map(|column| ORDERS.map(|order| (column, order))) {
        for (tab, filter) in filters(owner) {
            let first = KeyListQuery { tab, filter, sort_by, order, ..query(company_id, now) };
            let Some(page) = compared(&captured.store, &first) else { continue };
            let Some(last) = page.slice.keys.last() else { continue };
            let next = KeyListQuery { paging: PageRequest::After(last.position(sort_by)), ..first.clone() };
            let Some(page) = compared(&captured.store, &next) else { continue };
            let Some(last) = page.slice.keys.last().filter(|_| page.slice.keys.len() == 3) else { continue };
            let back = KeyListQuery { paging: PageRequest::Before(last.position(sort_by)), page_size: 2, ..first };
            let page = compared(&captured.store, &back).unwrap();
            assert_eq!((page.slice.position, page.slice.keys.len()), (3, 2));
            let end =
                compared(&captured.store, &KeyListQuery { paging: PageRequest::Last, page_size: 2, ..back }).unwrap();
            let found = if end.slice.keys[0].end(now).is_some() { end.found.ended } else { end.found.active };
            assert_eq!((end.slice.position, end.slice.keys.len()), (found - 2, 2));
        }
    }
}

#[test]
fn a_page_without_rows_has_counters() {
    let server = TestServer::start();
    add_keys(&server);
    let company_id = server.company("Brightwater");
    let captured = CapturedStore::connect(&server.database_url);
    let query = query(company_id, server.clock.now());
    let filter = KeyFilter { search: Some("nothing has this name".to_owned()), ..KeyFilter::default() };
    let unknown = KeyListQuery { filter, ..query.clone() };
    if let Some(page) = compared(&captured.store, &unknown) {
        assert_eq!((page.slice.keys.len(), page.found.active, page.total.active), (0, 0, 12));
    }
    let nowhere = CompanyId::parse("019fb000-0000-7000-8000-000000000000").unwrap();
    if let Some(page) = compared(&captured.store, &KeyListQuery { company_id: nowhere, ..query }) {
        assert_eq!((page.slice.keys.len(), page.total.active, page.total.ended), (0, 0, 0));
    }
}

#[test]
fn paging_back_beyond_the_start_returns_the_first_page() {
    let server = TestServer::start();
    add_keys(&server);
    let captured = CapturedStore::connect(&server.database_url);
    let first = query(server.company("Brightwater"), server.clock.now());
    let Some(page) = captured.store.query(|db| db.keys().list_page(&first)).unwrap() else { return };
    let paging = PageRequest::Before(page.slice.keys[1].position(SortBy::Created));
    let back = KeyListQuery { paging, ..first };
    let (again, sent) = statements_of(|| captured.store.query(|db| db.keys().list_page(&back)).unwrap().unwrap());
    assert_eq!(format!("{:?}", again.slice), format!("{:?}", page.slice));
    assert_eq!(sent.len(), 2, "{sent:#?}");
}

#[test]
fn each_list_takes_two_round_trips_on_postgres() {
    if database::postgres().is_none() {
        return;
    }
    let capture = Capture::start();
    let server = TestServer::start();
    fill(&server.database_url);
    let admin = server.admin();
    let (company_id, store) = (server.company("Brightwater"), &server.actions.store);
    let is_due = || store.query(|db| Ok(db.assessments().state(company_id, server.clock.now())?.is_due)).unwrap();
    while is_due() {
        admin.get(API_KEYS).expect(200);
    }
    let next = admin.get(API_KEYS).expect(200).html().attribute("a[rel=next]", "href");
    let revoked = format!("{API_KEYS}?tab=revoked");
    for address in [
        API_KEYS.to_owned(),
        next,
        revoked.clone(),
        format!("{API_KEYS}?q=service+9"),
        format!("{API_KEYS}?q=nothing+has+this+name"),
        format!("{revoked}&q=service+9&sort=name"),
        format!("{API_KEYS}?practice=no-purpose&expires=never&used=never"),
        format!("{API_KEYS}?cursor=last"),
    ] {
        let list = || {
            let get = || drop(admin.get(&address).expect(200));
            let sent = statements_to(&capture, &server.database_url, &["sessions", "key_counts"], get);
            assert!(sent.iter().any(|statement| statement.contains("key_counts")), "{address}: {sent:#?}");
            sent
        };
        // Other tasks of the server may send statements meanwhile.
        let fewest = (0..3).map(|_| list()).min_by_key(Vec::len).unwrap();
        assert_eq!(fewest.len(), 2, "{address}: {fewest:#?}");
    }
}
