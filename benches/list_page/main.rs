//! Benchmark of the template of a full list of API keys, without database and server. Run it with `make bench-pages`;
//! benches/README.md describes the figures.

use std::time::Duration;

use askama::Template;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keydesk::domain::practice::summary::Summary;
use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::user::profile::Theme;
use keydesk::web::app::assets::AssetPaths;
use keydesk::web::app::time::zone::Zone;
use keydesk::web::components::layout::PageLayout;
use keydesk::web::components::paging::{PAGE_SIZE, Pager};
use keydesk::web::components::people::{ActorView, Person};
use keydesk::web::pages::api_keys::expiry::Expiry;
use keydesk::web::pages::api_keys::list::filter_bar::{FilterBar, Owner};
use keydesk::web::pages::api_keys::list::practice_panel::PracticePanel;
use keydesk::web::pages::api_keys::list::view::{Counts, KeyListPage, Row};
use keydesk::web::pages::api_keys::list_address::{KeyListAddress, Tab};

/// 23 November 2026, 09:30 in Oslo.
const NOW: Timestamp = Timestamp::from_micros(1_795_422_600_000_000);
const DAY: Duration = Duration::from_hours(24);

const PEOPLE: [&str; 5] = ["Maria Lindqvist", "Tomasz Wójcik", "Priya Raman", "דנה לוי", ""];
const SERVICES: [&str; 6] = [
    "ERP Sync Service",
    "Staging Smoke Tests",
    "خدمة مزامنة الطلبات",
    "Payroll Export (nightly)",
    "Warehouse Label Printer & Pallet Tracking",
    "Mobile Scanner Pilot",
];

/// Returns one of various rows: used or unused; expiring soon, later or never; created by a user or a deleted user.
fn row(zone: &Zone, number: u32) -> Row {
    let place = |of: usize| usize::try_from(number).unwrap_or_default() % of;
    let creator = PEOPLE[place(PEOPLE.len())];
    let end = NOW + DAY * (number + 1);
    Row {
        id: format!("01a2082b-82b6-7183-8ff4-{number:012x}"),
        status: "active",
        name: format!("{} {number}", SERVICES[place(SERVICES.len())]),
        purpose: if number.is_multiple_of(2) {
            "Copies orders and invoices every night".to_owned()
        } else {
            String::new()
        },
        rotation: None,
        preview: "goa_p5uN…vzdO".to_owned(),
        created_by: ActorView::user((!creator.is_empty()).then(|| creator.to_owned())),
        owner: None,
        created: zone.date(NOW - DAY * number),
        last_used: (!number.is_multiple_of(3)).then(|| zone.ago(NOW - DAY * number / 2, NOW)),
        expires: match number % 4 {
            0 => Expiry::Soon { at: zone.date_time(end), label: Zone::time_left(end, NOW) },
            1 => Expiry::On(zone.date(end)),
            _ => Expiry::Never,
        },
        end: None,
    }
}

fn page() -> KeyListPage {
    let zone = Zone::from_cookie(Some("Europe/Oslo"));
    let you = Owner { id: "01a2082b-82b6-7183-8ff4-000000000000".to_owned(), name: PEOPLE[0].to_owned() };
    let counts = Counts { active: 10_000, revoked: 12_345 };
    KeyListPage {
        layout: PageLayout {
            warning: None,
            company: "Brightwater Foods".to_owned(),
            platform: "Go Autonomous".to_owned(),
            person: Person::named("Maria Lindqvist"),
            theme: Theme::System,
            assets: AssetPaths { stylesheet: "/assets/a.css", module: "/assets/a.js", favicon: "/assets/a.svg" },
        },
        address: KeyListAddress::of(Tab::Active),
        total: counts,
        found: counts,
        filters: FilterBar::new(&KeyListAddress::of(Tab::Active), &Summary::default(), None, &you),
        practice: Some(PracticePanel::new(&Summary::default(), counts.active, NOW)),
        rows: (0..).take(PAGE_SIZE).map(|number| row(&zone, number)).collect(),
        first: 1,
        pager: Pager {
            next: Some("/administration/company-settings/api-keys?cursor=b2Zmc2V0".into()),
            ..Pager::default()
        },
        can_change: true,
        zone: zone.label(NOW),
        as_of: Some(zone.clock_or_date(NOW, NOW)),
        banner: None,
        dialog: None,
    }
}

fn render(criterion: &mut Criterion) {
    let page = page();
    let bytes = page.render().map_or(0, |html| html.len() as u64);
    let mut group = criterion.benchmark_group("list page");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("50 rows, the template alone", |bencher| bencher.iter(|| page.render()));
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
