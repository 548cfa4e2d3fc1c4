//! The numbers of a company's keys by finding, and how they went over the last days.

use serde::{Deserialize, Serialize};

use super::finding::{Findings, Practice};
use crate::domain::timestamp::Timestamp;

const MICROS_PER_DAY: i64 = 24 * 3_600_000_000;
/// The days that the line over the list shows.
const KEPT_DAYS: usize = 90;

/// Returns the day of a time, in days since 1970, UTC.
#[must_use]
pub const fn day_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MICROS_PER_DAY)
}

/// Returns the middle of a day, which is that day in most time zones.
#[must_use]
pub const fn noon_of(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(MICROS_PER_DAY).saturating_add(MICROS_PER_DAY / 2))
}

/// The findings about the active keys of one company, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The keys with each finding, in the order of [`Practice::ALL`].
    keys: [i64; Practice::ALL.len()],
    /// The keys with any finding.
    pub keys_with_findings: i64,
    /// The last of `recent`, in days since 1970.
    last_day: i64,
    /// The keys with any finding at the end of each day.
    recent: Vec<i64>,
}

impl Summary {
    /// The keys with a finding.
    #[must_use]
    pub const fn keys_with(&self, practice: Practice) -> i64 {
        self.keys[practice as usize]
    }

    /// The findings that keys have, heaviest first, with the number of keys.
    pub fn found(&self) -> impl Iterator<Item = (Practice, i64)> {
        Practice::ALL.into_iter().map(|practice| (practice, self.keys_with(practice))).filter(|(_, keys)| *keys > 0)
    }

    /// Counts a key that had the findings `before` and has the findings `after`.
    pub fn update(&mut self, before: Findings, after: Findings) {
        for practice in Practice::ALL {
            self.keys[practice as usize] += i64::from(after.contains(practice)) - i64::from(before.contains(practice));
        }
        self.keys_with_findings += i64::from(!after.is_empty()) - i64::from(!before.is_empty());
    }

    /// Stores the current number for a day. Days in between had the number of the last one.
    pub fn record_day(&mut self, day: i64) {
        self.recent = self.until(day);
        self.last_day = day;
        if let Some(today) = self.recent.last_mut() {
            *today = self.keys_with_findings;
        } else {
            self.recent.push(self.keys_with_findings);
        }
    }

    /// The keys with any finding on each of the last days until `day`, oldest first.
    #[must_use]
    pub fn until(&self, day: i64) -> Vec<i64> {
        let missing = usize::try_from(day.saturating_sub(self.last_day)).unwrap_or(0).min(KEPT_DAYS);
        let last = self.recent.last().copied();
        let mut days: Vec<i64> = self.recent.clone();
        days.extend(last.into_iter().flat_map(|last| std::iter::repeat_n(last, missing)));
        days.split_off(days.len().saturating_sub(KEPT_DAYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_add_and_remove_keys() {
        let mut summary = Summary::default();
        let unused = Findings::of(Practice::Unused);
        let both: Findings = [Practice::Unused, Practice::NoPurpose].into_iter().collect();
        summary.update(Findings::default(), both);
        summary.update(Findings::default(), unused);
        assert_eq!(summary.found().collect::<Vec<_>>(), [(Practice::Unused, 2), (Practice::NoPurpose, 1)]);
        assert_eq!(summary.keys_with_findings, 2);
        summary.update(both, Findings::default());
        summary.update(unused, unused);
        assert_eq!(summary.found().collect::<Vec<_>>(), [(Practice::Unused, 1)]);
        assert_eq!(summary.keys_with_findings, 1);
    }

    #[test]
    fn each_day_keeps_its_last_number() {
        let mut summary = Summary::default();
        assert!(summary.until(20_000).is_empty());
        let mut on = |day, keys| {
            summary.keys_with_findings = keys;
            summary.record_day(day);
        };
        on(20_000, 3);
        on(20_000, 4);
        on(20_003, 1);
        assert_eq!(summary.until(20_003), [4, 4, 4, 1]);
        assert_eq!(summary.until(20_005), [4, 4, 4, 1, 1, 1]);
        assert_eq!(summary.until(30_000), [1; KEPT_DAYS]);
    }

    #[test]
    fn a_summary_round_trips_as_text() {
        let mut summary = Summary::default();
        summary.update(Findings::default(), Findings::of(Practice::ReviewDue));
        summary.record_day(20_000);
        let text = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    }
}
