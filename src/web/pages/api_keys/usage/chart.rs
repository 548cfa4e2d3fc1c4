//! The bar chart of daily usage: accepted requests above a line, refused requests below it.

use time::Date;

use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;

/// Widths and heights are in units of the SVG view box.
const DAY_WIDTH: usize = 10;
const BAR_WIDTH: usize = 8;
/// The total height of the highest bars above and below the line.
const BARS_HEIGHT: u64 = 100;
/// The gap between the line and the bars below it, which tells them apart without colours.
const REFUSED_GAP: u64 = 2;
/// Keeps a single request among very many visible.
const MIN_BAR_HEIGHT: u64 = 2;

/// The requests of one day.
#[derive(Clone, Debug)]
pub struct UsageDay {
    /// From `Zone::date`.
    pub day: TimeView,
    pub accepted: u64,
    pub refused: u64,
}

/// Consecutive days, at least one of them with a request.
#[derive(Clone, Debug)]
pub struct UsageChart(pub Vec<UsageDay>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// “23 Nov 2026: 12 accepted, 3 rejected”.
    pub title: String,
    pub x: usize,
    pub y: u64,
    pub height: u64,
    pub is_refused: bool,
}

impl UsageDay {
    /// “12 accepted, 3 rejected”.
    pub fn words(&self) -> String {
        match (self.accepted, self.refused) {
            (accepted, 0) => format!("{} accepted", with_thousands(accepted)),
            (0, refused) => format!("{} rejected", with_thousands(refused)),
            (accepted, refused) => {
                format!("{} accepted, {} rejected", with_thousands(accepted), with_thousands(refused))
            }
        }
    }
}

impl UsageChart {
    pub const BAR_WIDTH: usize = BAR_WIDTH;

    /// Sums up the counts for each day from `first` to `last`. Returns `None` if there are none.
    pub fn of(
        first: Date,
        last: Date,
        counts: impl IntoIterator<Item = (Date, u64, u64)>,
        to_view: impl Fn(Date) -> TimeView,
    ) -> Option<Self> {
        let length = usize::try_from((last - first).whole_days()).ok()? + 1;
        let mut sums = vec![(0_u64, 0_u64); length];
        for (day, accepted, refused) in counts {
            let index = usize::try_from((day - first).whole_days()).ok();
            if let Some(sum) = index.and_then(|index| sums.get_mut(index)) {
                *sum = (sum.0.saturating_add(accepted), sum.1.saturating_add(refused));
            }
        }
        if sums.iter().all(|sum| *sum == (0, 0)) {
            return None;
        }
        let days = std::iter::successors(Some(first), |day| day.next_day());
        let usage_day = |(day, (accepted, refused))| UsageDay { day: to_view(day), accepted, refused };
        Some(Self(days.zip(sums).map(usage_day).collect()))
    }

    /// “8,312 requests in 30 days, at most 420 on a day (12 Nov 2026).”
    pub fn words(&self) -> String {
        let accepted: u64 = self.0.iter().map(|day| day.accepted).sum();
        let refused: u64 = self.0.iter().map(|day| day.refused).sum();
        let days = self.0.len();
        if refused > 0 {
            let requests = pluralized(accepted, "request", "requests");
            let sides = "Accepted above the line, rejected below.";
            return format!(
                "{requests} accepted and {} rejected in the last {days} days. {sides}",
                with_thousands(refused)
            );
        }
        let requests = format!("{} in the last {days} days", pluralized(accepted, "request", "requests"));
        match self.0.iter().max_by_key(|day| day.accepted) {
            Some(most) if most.accepted < accepted => {
                format!("{requests}. Busiest day: {}, with {}.", most.day.text, with_thousands(most.accepted))
            }
            _ => format!("{requests}."),
        }
    }

    /// The scale: the accepted requests of the busiest day, which has the highest bar.
    pub fn scale(&self) -> Option<String> {
        Some(self.most(|day| day.accepted)).filter(|most| *most > 0).map(with_thousands)
    }

    pub fn ends(&self) -> Option<(&TimeView, &TimeView)> {
        Some((&self.0.first()?.day, &self.0.last()?.day))
    }

    /// The days with requests, newest first.
    pub fn used(&self) -> impl Iterator<Item = &UsageDay> {
        self.0.iter().rev().filter(|day| day.accepted > 0 || day.refused > 0)
    }

    pub fn width(&self) -> usize {
        self.0.len() * DAY_WIDTH
    }

    /// The y coordinate of the line.
    pub fn line(&self) -> u64 {
        self.height_of(self.most(|day| day.accepted))
    }

    /// The height of the whole chart.
    pub fn height(&self) -> u64 {
        let refused = self.height_of(self.most(|day| day.refused));
        self.line() + 1 + if refused > 0 { REFUSED_GAP + refused } else { 0 }
    }

    pub fn bars(&self) -> Vec<Bar> {
        let line = self.line();
        let bars_of = |(index, day): (usize, &UsageDay)| {
            let (up, down) = (self.height_of(day.accepted), self.height_of(day.refused));
            let x = index * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) / 2;
            let title = format!("{}: {}", day.day.text, day.words());
            let accepted = Bar { title: title.clone(), x, y: line - up, height: up, is_refused: false };
            [accepted, Bar { title, x, y: line + 1 + REFUSED_GAP, height: down, is_refused: true }]
        };
        self.0.iter().enumerate().flat_map(bars_of).filter(|bar| bar.height > 0).collect()
    }

    fn height_of(&self, count: u64) -> u64 {
        let total = self.most(|day| day.accepted).saturating_add(self.most(|day| day.refused)).max(1);
        match count {
            0 => 0,
            count => u64::try_from(u128::from(count) * u128::from(BARS_HEIGHT) / u128::from(total))
                .unwrap_or(BARS_HEIGHT)
                .max(MIN_BAR_HEIGHT),
        }
    }

    fn most(&self, count: impl Fn(&UsageDay) -> u64) -> u64 {
        self.0.iter().map(count).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use time::Month;

    use super::*;
    use crate::web::components::samples::{ago, zone};

    fn november(day: u8) -> Date {
        Date::from_calendar_date(2026, Month::November, day).unwrap()
    }

    fn chart(counts: &[(u8, u64, u64)]) -> Option<UsageChart> {
        let to_view = |day: Date| TimeView { text: day.to_string(), ..zone().date(ago(0)) };
        let counts = counts.iter().map(|(day, accepted, refused)| (november(*day), *accepted, *refused));
        UsageChart::of(november(1), november(4), counts, to_view)
    }

    #[test]
    fn hours_are_added_up_by_day_and_other_days_are_ignored() {
        let chart = chart(&[(2, 3, 0), (2, 4, 1), (4, 1, 0), (5, 9, 9)]).unwrap();
        let sums: Vec<_> = chart.0.iter().map(|day| (day.accepted, day.refused)).collect();
        assert_eq!(sums, [(0, 0), (7, 1), (0, 0), (1, 0)]);
        let used: Vec<_> = chart.used().map(|day| (day.day.text.clone(), day.words())).collect();
        assert_eq!(
            used,
            [("2026-11-04".into(), "1 accepted".into()), ("2026-11-02".into(), "7 accepted, 1 rejected".into())]
        );
    }

    #[test]
    fn a_chart_without_requests_is_omitted() {
        assert!(chart(&[]).is_none() && chart(&[(1, 0, 0), (5, 1, 0)]).is_none());
    }

    #[test]
    fn bars_are_proportional_above_and_below_the_line() {
        let chart = chart(&[(1, 60, 0), (2, 30, 20), (4, 0, 40)]).unwrap();
        let bars: Vec<_> = chart.bars().iter().map(|bar| (bar.x, bar.y, bar.height, bar.is_refused)).collect();
        assert_eq!(chart.bars()[1].title, "2026-11-02: 30 accepted, 20 rejected");
        assert_eq!(chart.scale().as_deref(), Some("60"));
        assert_eq!((chart.width(), chart.line(), chart.height()), (40, 60, 103));
        assert_eq!(bars, [(1, 0, 60, false), (11, 30, 30, false), (11, 63, 20, true), (31, 63, 40, true)]);
    }

    #[test]
    fn a_single_request_has_a_bar_and_large_counts_do_not_overflow() {
        let chart = chart(&[(1, u64::MAX, 0), (2, 1, 1)]).unwrap();
        assert!(chart.bars().iter().all(|bar| bar.height >= MIN_BAR_HEIGHT && bar.y + bar.height <= chart.height()));
        assert_eq!(chart.bars().len(), 3);
    }

    #[test]
    fn the_text_matches_the_chart() {
        let words = |counts| chart(counts).unwrap().words();
        assert_eq!(words(&[(2, 1, 0)]), "1 request in the last 4 days.");
        assert_eq!(
            words(&[(1, 900, 0), (2, 300, 0)]),
            "1,200 requests in the last 4 days. Busiest day: 2026-11-01, with 900."
        );
        assert!(
            words(&[(1, 1_200, 0), (3, 0, 4)])
                .starts_with("1,200 requests accepted and 4 rejected in the last 4 days. ")
        );
    }
}
