//! The use of a key day by day, as bars: what was accepted stands above a line, what was refused hangs below it.

use time::Date;

use crate::web::page::{ShownTime, counted, grouped};

/// The units of the drawing: the width of a day, of its bar, and what the highest two bars share.
const DAY_WIDTH: usize = 10;
const BAR_WIDTH: usize = 8;
const HEIGHT: u64 = 100;
/// Between the line, which is one high, and what hangs below it: they differ also where colours do not.
const GAP: u64 = 2;
/// One request among very many is seen, too.
const LOWEST: u64 = 2;

/// The requests of one day.
#[derive(Clone, Debug)]
pub struct DayOfUse {
    /// `Zone::date`.
    pub day: ShownTime,
    pub accepted: u64,
    pub refused: u64,
}

/// Days in order, and at least one of them has a request.
#[derive(Clone, Debug)]
pub struct UseByDay(pub Vec<DayOfUse>);

/// One bar of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
    pub(super) is_refused: bool,
}

impl DayOfUse {
    /// “12 accepted, 3 refused”.
    pub(super) fn words(&self) -> String {
        match (self.accepted, self.refused) {
            (accepted, 0) => format!("{} accepted", grouped(accepted)),
            (0, refused) => format!("{} refused", grouped(refused)),
            (accepted, refused) => format!("{} accepted, {} refused", grouped(accepted), grouped(refused)),
        }
    }
}

impl UseByDay {
    pub(super) const BAR_WIDTH: usize = BAR_WIDTH;

    /// The days from `first` to `last`, with what was counted on them; nothing where nothing was.
    pub(super) fn of(
        first: Date,
        last: Date,
        counted: impl IntoIterator<Item = (Date, u64, u64)>,
        show: impl Fn(Date) -> ShownTime,
    ) -> Option<Self> {
        let length = usize::try_from((last - first).whole_days()).ok()? + 1;
        let mut sums = vec![(0_u64, 0_u64); length];
        for (day, accepted, refused) in counted {
            let place = usize::try_from((day - first).whole_days()).ok();
            if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
                *sum = (sum.0.saturating_add(accepted), sum.1.saturating_add(refused));
            }
        }
        if sums.iter().all(|sum| *sum == (0, 0)) {
            return None;
        }
        let days = std::iter::successors(Some(first), |day| day.next_day());
        let of = |(day, (accepted, refused))| DayOfUse { day: show(day), accepted, refused };
        Some(Self(days.zip(sums).map(of).collect()))
    }

    /// “8,312 requests in 30 days, 420 of them on 12 Nov 2026.”
    pub(super) fn words(&self) -> String {
        let accepted: u64 = self.0.iter().map(|day| day.accepted).sum();
        let refused: u64 = self.0.iter().map(|day| day.refused).sum();
        let days = self.0.len();
        if refused > 0 {
            let requests = counted(accepted, "request", "requests");
            let sides = "What was accepted stands above the line, what was refused below it.";
            return format!("{requests} accepted and {} refused in {days} days. {sides}", grouped(refused));
        }
        let requests = format!("{} in {days} days", counted(accepted, "request", "requests"));
        match self.0.iter().max_by_key(|day| day.accepted) {
            Some(most) if most.accepted < accepted => {
                format!("{requests}, at most {} on a day ({}).", grouped(most.accepted), most.day.text)
            }
            _ => format!("{requests}."),
        }
    }

    pub(super) fn ends(&self) -> Option<(&ShownTime, &ShownTime)> {
        Some((&self.0.first()?.day, &self.0.last()?.day))
    }

    /// The days that have requests, the last first.
    pub(super) fn used(&self) -> impl Iterator<Item = &DayOfUse> {
        self.0.iter().rev().filter(|day| day.accepted > 0 || day.refused > 0)
    }

    pub(super) fn width(&self) -> usize {
        self.0.len() * DAY_WIDTH
    }

    /// Where the line is.
    pub(super) fn line(&self) -> u64 {
        self.height_of(self.most(|day| day.accepted))
    }

    /// Of the whole drawing.
    pub(super) fn height(&self) -> u64 {
        let refused = self.height_of(self.most(|day| day.refused));
        self.line() + 1 + if refused > 0 { GAP + refused } else { 0 }
    }

    pub(super) fn bars(&self) -> Vec<Bar> {
        let line = self.line();
        let of = |(place, day): (usize, &DayOfUse)| {
            let (up, down) = (self.height_of(day.accepted), self.height_of(day.refused));
            let x = place * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) / 2;
            let accepted = Bar { x, y: line - up, height: up, is_refused: false };
            [accepted, Bar { x, y: line + 1 + GAP, height: down, is_refused: true }]
        };
        self.0.iter().enumerate().flat_map(of).filter(|bar| bar.height > 0).collect()
    }

    fn height_of(&self, count: u64) -> u64 {
        let all = self.most(|day| day.accepted).saturating_add(self.most(|day| day.refused)).max(1);
        match count {
            0 => 0,
            count => {
                u64::try_from(u128::from(count) * u128::from(HEIGHT) / u128::from(all)).unwrap_or(HEIGHT).max(LOWEST)
            }
        }
    }

    fn most(&self, count: impl Fn(&DayOfUse) -> u64) -> u64 {
        self.0.iter().map(count).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use time::Month;

    use super::*;
    use crate::web::samples::{ago, zone};

    fn november(day: u8) -> Date {
        Date::from_calendar_date(2026, Month::November, day).unwrap()
    }

    fn picture(counted: &[(u8, u64, u64)]) -> Option<UseByDay> {
        let show = |day: Date| ShownTime { text: day.to_string(), ..zone().date(ago(0)) };
        let counted = counted.iter().map(|(day, accepted, refused)| (november(*day), *accepted, *refused));
        UseByDay::of(november(1), november(4), counted, show)
    }

    #[test]
    fn each_day_adds_its_hours_up_and_days_beyond_the_picture_are_left_out() {
        let picture = picture(&[(2, 3, 0), (2, 4, 1), (4, 1, 0), (5, 9, 9)]).unwrap();
        let sums: Vec<_> = picture.0.iter().map(|day| (day.accepted, day.refused)).collect();
        assert_eq!(sums, [(0, 0), (7, 1), (0, 0), (1, 0)]);
        let used: Vec<_> = picture.used().map(|day| (day.day.text.clone(), day.words())).collect();
        assert_eq!(
            used,
            [("2026-11-04".into(), "1 accepted".into()), ("2026-11-02".into(), "7 accepted, 1 refused".into())]
        );
    }

    #[test]
    fn there_is_no_picture_of_nothing() {
        assert!(picture(&[]).is_none() && picture(&[(1, 0, 0), (5, 1, 0)]).is_none());
    }

    #[test]
    fn bars_stand_on_the_line_and_hang_below_it_in_proportion() {
        let picture = picture(&[(1, 60, 0), (2, 30, 20), (4, 0, 40)]).unwrap();
        let bars: Vec<_> = picture.bars().iter().map(|bar| (bar.x, bar.y, bar.height, bar.is_refused)).collect();
        assert_eq!((picture.width(), picture.line(), picture.height()), (40, 60, 103));
        assert_eq!(bars, [(1, 0, 60, false), (11, 30, 30, false), (11, 63, 20, true), (31, 63, 40, true)]);
    }

    #[test]
    fn one_request_among_very_many_has_a_bar_and_no_number_is_too_large() {
        let picture = picture(&[(1, u64::MAX, 0), (2, 1, 1)]).unwrap();
        assert!(picture.bars().iter().all(|bar| bar.height >= LOWEST && bar.y + bar.height <= picture.height()));
        assert_eq!(picture.bars().len(), 3);
    }

    #[test]
    fn the_words_beside_the_picture_say_its_figures() {
        let words = |counted| picture(counted).unwrap().words();
        assert_eq!(words(&[(2, 1, 0)]), "1 request in 4 days.");
        assert_eq!(words(&[(1, 900, 0), (2, 300, 0)]), "1,200 requests in 4 days, at most 900 on a day (2026-11-01).");
        assert!(words(&[(1, 1_200, 0), (3, 0, 4)]).starts_with("1,200 requests accepted and 4 refused in 4 days. "));
    }
}
