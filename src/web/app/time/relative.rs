//! Formats timestamps relative to now: “4 minutes ago”, “in 9 days”.

use time::Date;

use crate::domain::timestamp::Timestamp;
use crate::web::app::text::pluralized;
use crate::web::app::time::format;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;

impl Zone {
    /// “Just now”, “4 minutes ago”, “2 hours ago”, “Yesterday”, “5 days ago”, “5 months ago”.
    #[must_use]
    pub fn ago(&self, timestamp: Timestamp, now: Timestamp) -> TimeView {
        let text = match self.ago_lowercase(timestamp, now).as_str() {
            "just now" => "Just now".to_owned(),
            "yesterday" => "Yesterday".to_owned(),
            other => other.to_owned(),
        };
        TimeView { text, ..self.date_time(timestamp) }
    }

    /// Like [`ago`](Self::ago), in lower case for use within a sentence: “just now”, “yesterday”.
    #[must_use]
    pub fn ago_mid_sentence(&self, timestamp: Timestamp, now: Timestamp) -> TimeView {
        TimeView { text: self.ago_lowercase(timestamp, now), ..self.date_time(timestamp) }
    }

    /// “09:26:05” today, “22 Nov 2026, 23:59:58” on any other day.
    #[must_use]
    pub fn clock_or_date(&self, timestamp: Timestamp, now: Timestamp) -> TimeView {
        self.view(timestamp, if self.day(timestamp) == self.day(now) { format::clock } else { format::exact })
    }

    /// The time left: “in 9 days”, “in 23 hours”, “in 12 minutes”. Minutes are rounded up, hours and days down.
    #[must_use]
    pub fn time_left(timestamp: Timestamp, now: Timestamp) -> String {
        let minutes = timestamp.since(now).as_secs().div_ceil(60).max(1);
        let (count, unit) = match minutes {
            0..60 => (minutes, "minute"),
            60..2_880 => (minutes / 60, "hour"),
            _ => (minutes / 1_440, "day"),
        };
        format!("in {count} {unit}{}", if count == 1 { "" } else { "s" })
    }

    /// Whole units since the timestamp, rounded down; from a day on, calendar days of this zone.
    fn ago_lowercase(&self, timestamp: Timestamp, now: Timestamp) -> String {
        let minutes = now.since(timestamp).as_secs() / 60;
        let ago = |count: u64, unit: &str| format!("{} ago", pluralized(count, unit, &format!("{unit}s")));
        match minutes {
            0 => return "just now".to_owned(),
            1..60 => return ago(minutes, "minute"),
            60..1_440 => return ago(minutes / 60, "hour"),
            _ => {}
        }
        let (then, today) = (self.day(timestamp), self.day(now));
        let days = u64::try_from((today - then).whole_days()).unwrap_or(0);
        match (days, whole_months(then, today)) {
            // A day on which the clocks go back has 25 hours.
            (0, _) => ago(minutes / 60, "hour"),
            (1, _) => "yesterday".to_owned(),
            (_, 0) => ago(days, "day"),
            (_, months @ 1..24) => ago(months, "month"),
            (_, months) => ago(months / 12, "year"),
        }
    }
}

fn whole_months(then: Date, today: Date) -> u64 {
    let count = |date: Date| i64::from(date.year()) * 12 + i64::from(u8::from(date.month()));
    let months = count(today) - count(then) - i64::from(today.day() < then.day());
    u64::try_from(months).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;

    fn at(utc: OffsetDateTime) -> Timestamp {
        Timestamp::from_micros(utc.unix_timestamp() * 1_000_000)
    }

    fn oslo() -> Zone {
        Zone::from_cookie(Some("Europe/Oslo"))
    }

    #[test]
    fn past_times_are_rounded_down_to_whole_units() {
        let now = at(datetime!(2026-11-23 08:30 UTC));
        for (then, expected) in [
            (datetime!(2026-11-23 08:30:01 UTC), "Just now"),
            (datetime!(2026-11-23 08:29:01 UTC), "Just now"),
            (datetime!(2026-11-23 08:29:00 UTC), "1 minute ago"),
            (datetime!(2026-11-23 08:26:00 UTC), "4 minutes ago"),
            (datetime!(2026-11-23 07:30:01 UTC), "59 minutes ago"),
            (datetime!(2026-11-23 07:30:00 UTC), "1 hour ago"),
            (datetime!(2026-11-22 22:30:00 UTC), "10 hours ago"),
            (datetime!(2026-11-22 08:30:01 UTC), "23 hours ago"),
            (datetime!(2026-11-22 08:30:00 UTC), "Yesterday"),
            (datetime!(2026-11-18 12:00:00 UTC), "5 days ago"),
            (datetime!(2026-10-24 12:00:00 UTC), "30 days ago"),
            (datetime!(2026-10-23 12:00:00 UTC), "1 month ago"),
            (datetime!(2026-06-18 12:00:00 UTC), "5 months ago"),
            (datetime!(2024-11-24 12:00:00 UTC), "23 months ago"),
            (datetime!(2024-11-23 12:00:00 UTC), "2 years ago"),
        ] {
            assert_eq!(oslo().ago(at(then), now).text, expected, "{then}");
        }
    }

    #[test]
    fn yesterday_is_the_day_before_in_the_zone() {
        let now = at(datetime!(2026-11-23 23:30 UTC));
        let then = at(datetime!(2026-11-22 22:30 UTC));
        // In Oslo it is 24 November already.
        assert_eq!(oslo().ago(then, now).text, "2 days ago");
        assert_eq!(Zone::utc().ago(then, now).text, "Yesterday");
        assert_eq!(Zone::utc().ago_mid_sentence(then, now).text, "yesterday");
        assert_eq!(oslo().ago(then, now).title, "22 Nov 2026, 23:30:00, Oslo time (UTC+01:00)");
    }

    #[test]
    fn a_day_of_25_hours_has_no_yesterday() {
        let (morning, night) = (at(datetime!(2026-10-24 22:10 UTC)), at(datetime!(2026-10-25 22:50 UTC)));
        assert_eq!(oslo().ago(morning, night).text, "24 hours ago");
    }

    #[test]
    fn a_time_on_another_day_includes_the_date() {
        let now = at(datetime!(2026-11-22 23:00:02 UTC));
        assert_eq!(oslo().clock_or_date(now, now).text, "00:00:02");
        assert_eq!(oslo().clock_or_date(at(datetime!(2026-11-22 22:59:58 UTC)), now).text, "22 Nov 2026, 23:59:58");
    }

    #[test]
    fn time_left_is_formatted_in_whole_units() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        let left = |seconds: i64| Zone::time_left(Timestamp::from_micros(now.as_micros() + seconds * 1_000_000), now);
        assert_eq!((left(-5), left(1), left(61)), ("in 1 minute".into(), "in 1 minute".into(), "in 2 minutes".into()));
        assert_eq!(
            (left(3_600), left(86_400), left(2 * 86_400)),
            ("in 1 hour".into(), "in 24 hours".into(), "in 2 days".into())
        );
        assert_eq!(left(14 * 86_400 - 1), "in 14 days");
    }
}
