//! Loads the Practice page.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::view::{Bar, Chart, FindingRow, History, PracticePage};
use crate::domain::practice::finding::Practice;
use crate::domain::practice::summary::{Summary, day_of};
use crate::domain::timestamp::Timestamp;
use crate::store::{Db, PracticeDay, StoreError};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::text::pluralized;
use crate::web::components::layout::PageLayout;
use crate::web::pages::api_keys::assessed::assess;
use crate::web::pages::api_keys::list_address::KeyListAddress;
use crate::web::pages::api_keys::list_filters::Filters;

const DAY: Duration = Duration::from_hours(24);
/// The ages of keys, and of their last uses, that the pictures tell apart: a label and the days it begins and ends with.
const AGES: [(&str, RangeInclusive<u32>); 5] = [
    ("Up to 30 days", 0..=29),
    ("31 to 90 days", 30..=89),
    ("91 to 180 days", 90..=179),
    ("181 to 365 days", 180..=364),
    ("Over a year", 365..=36_500),
];
const LAST_USES: [(&str, RangeInclusive<u32>); 4] = [
    ("In the last 7 days", 0..=6),
    ("8 to 30 days ago", 7..=29),
    ("31 to 90 days ago", 30..=89),
    ("Over 90 days ago", 90..=36_500),
];
const HISTORY_DAYS: i64 = 365;

struct Loaded {
    summary: Summary,
    active_keys: i64,
    by_age: Vec<i64>,
    by_last_use: Vec<i64>,
    never_used: i64,
    days: Vec<PracticeDay>,
}

/// Loads the page, after keys that are due for it have been assessed.
pub async fn page(cx: &PageContext) -> Result<PracticePage, PageError> {
    assess(cx, cx.company_id()).await?;
    let (company_id, now) = (cx.company_id(), cx.now());
    let loaded = cx
        .read(move |db| {
            let summary = db.assessments().state(company_id, now)?.summary;
            let active_keys = db.keys().count(company_id, now)?.active;
            let by_age = counts(db, &AGES, now, |db, from, to| db.keys().count_created(company_id, from, to, now))?;
            let by_last_use =
                counts(db, &LAST_USES, now, |db, from, to| db.keys().count_last_used(company_id, from, to, now))?;
            let never = Timestamp::from_micros(0);
            let never_used = db.keys().count_last_used(company_id, never, never, now)?;
            let days = db.assessments().days(company_id, day_of(now) - HISTORY_DAYS)?;
            Ok(Loaded { summary, active_keys, by_age, by_last_use, never_used, days })
        })
        .await?;
    Ok(view(cx, &loaded, now))
}

/// Counts keys by stretches of days before now.
fn counts(
    db: &mut Db<'_>,
    stretches: &[(&str, RangeInclusive<u32>)],
    now: Timestamp,
    count: impl Fn(&mut Db<'_>, Timestamp, Timestamp) -> Result<i64, StoreError>,
) -> Result<Vec<i64>, StoreError> {
    // A stretch ends with the last microsecond before the next one begins. Some clock may be ahead of this one.
    let moment = Duration::from_micros(1);
    let stretch = |days: &RangeInclusive<u32>| {
        let latest = if *days.start() == 0 { now + DAY } else { now - DAY * *days.start() - moment };
        (now - DAY * (days.end() + 1), latest)
    };
    stretches
        .iter()
        .map(|(_, days)| {
            let (from, to) = stretch(days);
            count(db, from.max(Timestamp::from_micros(1)), to)
        })
        .collect()
}

fn view(cx: &PageContext, loaded: &Loaded, now: Timestamp) -> PracticePage {
    let active_keys = number(loaded.active_keys);
    let bars = |labels: &[(&'static str, RangeInclusive<u32>)], numbers: &[i64]| {
        labels.iter().zip(numbers).map(|((label, _), keys)| (*label, number(*keys))).collect::<Vec<_>>()
    };
    let mut by_last_use = bars(&LAST_USES, &loaded.by_last_use);
    by_last_use.push(("Never", number(loaded.never_used)));
    PracticePage {
        layout: PageLayout::new(&cx.app, &cx.user),
        summary: match (active_keys, number(loaded.summary.keys_with_findings)) {
            (0, _) => "There are no active keys.".to_owned(),
            (_, 0) => format!("All {} follow your practice.", pluralized(active_keys, "active key", "active keys")),
            (_, found) => format!(
                "{} of {} {} something to improve.",
                found,
                pluralized(active_keys, "active key", "active keys"),
                if found == 1 { "has" } else { "have" },
            ),
        },
        findings: loaded.summary.found().map(|(practice, keys)| finding(practice, keys)).collect(),
        by_age: Chart::new("Keys by age", bars(&AGES, &loaded.by_age)),
        by_last_use: Chart::new("Keys by last use", by_last_use),
        history: History::new(&loaded.days, day_of(now), &cx.zone),
    }
}

fn finding(practice: Practice, keys: i64) -> FindingRow {
    let filters = Filters { practice: Some(practice), ..Filters::NONE };
    FindingRow {
        label: practice.label(),
        advice: practice.advice(),
        keys: pluralized(number(keys), "key", "keys"),
        href: KeyListAddress::filtered(filters).href(),
    }
}

fn number(keys: i64) -> u64 {
    u64::try_from(keys).unwrap_or(0)
}

impl Chart {
    fn new(title: &'static str, bars: Vec<(&'static str, u64)>) -> Self {
        let highest = bars.iter().map(|(_, keys)| *keys).max().unwrap_or(0).max(1);
        let bar = |(label, keys): (&'static str, u64)| Bar { label, keys, width: keys * 100 / highest };
        Self { title, bars: bars.into_iter().map(bar).collect() }
    }
}
