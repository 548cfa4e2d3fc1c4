//! The view of the Practice page.

use askama::Template;

use crate::domain::practice::summary::noon_of;
use crate::store::PracticeDay;
use crate::web::app::text::with_thousands;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::paths::API_KEYS;

#[derive(Template)]
#[template(path = "practice/page.html")]
pub struct PracticePage {
    pub layout: PageLayout,
    /// How many keys have findings, as a sentence.
    pub summary: String,
    /// Heaviest first.
    pub findings: Vec<FindingRow>,
    pub by_age: Chart,
    pub by_last_use: Chart,
    pub history: Option<History>,
}

impl PracticePage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::Practice);

    const fn charts(&self) -> [&Chart; 2] {
        [&self.by_age, &self.by_last_use]
    }

    fn title(&self) -> String {
        format!("Practice – Company Settings – {}", self.layout.company)
    }
}

#[derive(Clone, Debug)]
pub struct FindingRow {
    pub label: &'static str,
    pub advice: &'static str,
    /// “3 keys”.
    pub keys: String,
    /// The list of these keys.
    pub href: String,
}

/// Horizontal bars, each with its number.
#[derive(Clone, Debug)]
pub struct Chart {
    pub title: &'static str,
    pub bars: Vec<Bar>,
}

#[derive(Clone, Debug)]
pub struct Bar {
    pub label: &'static str,
    pub keys: u64,
    /// In hundredths of the longest bar.
    pub width: u64,
}

/// The active keys and those with findings, day by day.
#[derive(Clone, Debug)]
pub struct History {
    /// The points of both lines on a grid of [`History::WIDTH`] by [`History::HEIGHT`].
    pub active: String,
    pub with_findings: String,
    pub first_day: TimeView,
    pub last_day: TimeView,
    /// What the picture shows, in words.
    pub text: String,
}

impl History {
    pub const WIDTH: i64 = 365;
    pub const HEIGHT: i64 = 100;

    /// Draws the recorded days until `today`. A day without a record had the numbers of the day before. `None` if there is
    /// only one day.
    #[must_use]
    pub fn new(days: &[PracticeDay], today: i64, zone: &Zone) -> Option<Self> {
        let (first, last) = (days.first()?, days.last()?);
        if first.day >= today {
            return None;
        }
        let highest = days.iter().map(|day| day.active_keys.max(day.keys_with_findings)).max()?.max(1);
        let line = |number: fn(&PracticeDay) -> i64| {
            let x = |day: i64| Self::WIDTH * (day - first.day) / (today - first.day);
            let y = |day: &PracticeDay| Self::HEIGHT - number(day) * Self::HEIGHT / highest;
            let mut points = Vec::new();
            for (index, day) in days.iter().enumerate() {
                let until = days.get(index + 1).map_or(today, |next| next.day);
                points.push(format!("{},{}", x(day.day), y(day)));
                points.push(format!("{},{}", x(until), y(day)));
            }
            points.join(" ")
        };
        let keys = |number: i64| with_thousands(u64::try_from(number).unwrap_or(0));
        let text = format!(
            "Active keys: from {} to {}. Keys with findings: from {} to {}.",
            keys(first.active_keys),
            keys(last.active_keys),
            keys(first.keys_with_findings),
            keys(last.keys_with_findings),
        );
        Some(Self {
            active: line(|day| day.active_keys),
            with_findings: line(|day| day.keys_with_findings),
            first_day: zone.date(noon_of(first.day)),
            last_day: zone.date(noon_of(today)),
            text,
        })
    }
}
