//! Formats timestamps in a time zone. It does not read the clock.

use jiff::tz::TimeZone;
use time::format_description::StaticFormatDescription;
use time::macros::{datetime, format_description};
use time::{Date, OffsetDateTime, UtcOffset};

use crate::domain::timestamp::Timestamp;
use crate::web::app::time::format::{self, FormatFn};
use crate::web::app::time::view::TimeView;

const LONG_DATE: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");
const WEEKDAY: StaticFormatDescription = format_description!("[weekday]");

/// The zone database has other areas too: older names of the same zones, and zones with a fixed offset.
const ZONE_AREAS: [&str; 10] =
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];

// One day less at both ends, so that no offset leads out of the years 1 to 9999.
pub const MIN_UNIX_SECONDS: i64 = datetime!(0001-01-02 00:00 UTC).unix_timestamp();
pub const MAX_UNIX_SECONDS: i64 = datetime!(9999-12-30 00:00 UTC).unix_timestamp();

const MAX_YEAR: i16 = 9999;
const MAX_TIMESTAMP: Timestamp =
    Timestamp::from_micros(datetime!(9999-12-31 23:59:59 UTC).unix_timestamp() * 1_000_000 + 999_999);

/// The time zone of a page.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone in the `tz` cookie, or UTC if the cookie is missing or invalid.
    #[must_use]
    pub fn from_cookie(value: Option<&str>) -> Self {
        value.and_then(Self::named).unwrap_or_else(Self::utc)
    }

    /// The zone with this name in the zone database.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The names of all zones that are named after places, and `UTC`.
    #[must_use]
    pub fn names() -> Vec<String> {
        let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        names
            .filter(|name| name == "UTC" || name.split_once('/').is_some_and(|(area, _)| ZONE_AREAS.contains(&area)))
            .collect()
    }

    /// “12 Nov 2026”.
    #[must_use]
    pub fn date(&self, timestamp: Timestamp) -> TimeView {
        self.view(timestamp, format::date)
    }

    /// “23 Nov 2026, 09:26”.
    #[must_use]
    pub fn date_time(&self, timestamp: Timestamp) -> TimeView {
        self.view(timestamp, format::date_time)
    }

    /// “23 Nov 2026, 09:26:04”.
    #[must_use]
    pub fn exact(&self, timestamp: Timestamp) -> TimeView {
        self.view(timestamp, format::exact)
    }

    /// “09:14:05”.
    #[must_use]
    pub fn clock(&self, timestamp: Timestamp) -> TimeView {
        self.view(timestamp, format::clock)
    }

    /// The last microsecond of a day in this zone, also on days with a clock change. The last supported day ends with
    /// `MAX_TIMESTAMP`. `None` if the date is out of range.
    #[must_use]
    pub fn end_of_day(&self, date: Date) -> Option<Timestamp> {
        let Some(next) = date.next_day() else { return Some(MAX_TIMESTAMP) };
        Some(Timestamp::from_micros(self.start_of_day(next)?.as_micros() - 1))
    }

    /// The first microsecond of a day in this zone, which is not always midnight. The last days of the calendar do not
    /// exist in every zone and start with `MAX_TIMESTAMP`. `None` if the date is out of range.
    #[must_use]
    pub fn start_of_day(&self, date: Date) -> Option<Timestamp> {
        let year = i16::try_from(date.year()).ok()?;
        let month = i8::try_from(u8::from(date.month())).ok()?;
        let day = jiff::civil::date(year, month, i8::try_from(date.day()).ok()?);
        let Ok(midnight) = day.to_zoned(self.0.clone()) else { return (year == MAX_YEAR).then_some(MAX_TIMESTAMP) };
        Some(Timestamp::from_micros(midnight.timestamp().as_microsecond()))
    }

    /// The date of a timestamp in this zone.
    #[must_use]
    pub fn day(&self, timestamp: Timestamp) -> Date {
        self.local(timestamp).date()
    }

    /// “Today, 23 November 2026” or “Saturday 21 November 2026”.
    #[must_use]
    pub fn day_heading(&self, timestamp: Timestamp, now: Timestamp) -> String {
        let local = self.local(timestamp);
        let date = format_local(local, LONG_DATE);
        if local.date() == self.day(now) {
            format!("Today, {date}")
        } else {
            format!("{} {date}", format_local(local, WEEKDAY))
        }
    }

    /// “Oslo time (UTC+01:00)” with the offset at `timestamp`, or “UTC”.
    #[must_use]
    pub fn label(&self, timestamp: Timestamp) -> String {
        let mut label = String::new();
        self.write_label(&mut label, self.local(timestamp).offset());
        label
    }

    fn write_label(&self, text: &mut String, offset: UtcOffset) {
        let name = self.0.iana_name().unwrap_or("UTC");
        match name.rsplit_once('/') {
            None | Some(("Etc", _)) if offset.is_utc() => return text.push_str("UTC"),
            Some(("Etc", _)) => return write_offset(text, offset),
            Some((_, city)) => text.extend(city.chars().map(|letter| if letter == '_' { ' ' } else { letter })),
            None => text.push_str(name),
        }
        text.push_str(" time (");
        write_offset(text, offset);
        text.push(')');
    }

    pub fn view(&self, timestamp: Timestamp, format_fn: FormatFn) -> TimeView {
        let local = self.local(timestamp);
        let [mut text, mut datetime, mut title] = [24, 20, 64].map(String::with_capacity);
        format_fn(&mut text, local);
        format::rfc3339(&mut datetime, local.to_offset(UtcOffset::UTC));
        format::exact(&mut title, local);
        title.push_str(", ");
        self.write_label(&mut title, local.offset());
        TimeView { text, datetime, title }
    }

    fn local(&self, timestamp: Timestamp) -> OffsetDateTime {
        let seconds = timestamp.as_micros().div_euclid(1_000_000).clamp(MIN_UNIX_SECONDS, MAX_UNIX_SECONDS);
        let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let offset = jiff::Timestamp::from_second(seconds).map_or(0, |at| self.0.to_offset(at).seconds());
        utc.to_offset(UtcOffset::from_whole_seconds(offset).unwrap_or(UtcOffset::UTC))
    }
}

/// “UTC+01:00”.
fn write_offset(text: &mut String, offset: UtcOffset) {
    let (hours, minutes, _) = offset.as_hms();
    text.push_str("UTC");
    text.push(if offset.is_negative() { '−' } else { '+' });
    format::digits::<2>(text, hours.unsigned_abs().into());
    text.push(':');
    format::digits::<2>(text, minutes.unsigned_abs().into());
}

// Formatting fails only if the value lacks a component, and a date-time has all of them.
fn format_local(at: OffsetDateTime, format: StaticFormatDescription) -> String {
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oslo() -> Zone {
        Zone::from_cookie(Some("Europe/Oslo"))
    }

    fn at(utc: OffsetDateTime) -> Timestamp {
        Timestamp::from_micros(utc.unix_timestamp() * 1_000_000)
    }

    #[test]
    fn dates_have_english_month_names() {
        assert_eq!(oslo().date(at(datetime!(2026-11-12 08:41:09 UTC))).text, "12 Nov 2026");
        assert_eq!(oslo().date_time(at(datetime!(2026-11-03 08:26:59 UTC))).text, "3 Nov 2026, 09:26");
        assert_eq!(oslo().clock(at(datetime!(2026-11-23 08:14:05 UTC))).text, "09:14:05");
    }

    #[test]
    fn the_datetime_attribute_is_utc_and_the_title_names_the_zone() {
        let view = oslo().clock(at(datetime!(2026-07-01 22:14:05 UTC)));
        assert_eq!(view.datetime, "2026-07-01T22:14:05Z");
        assert_eq!(view.title, "2 Jul 2026, 00:14:05, Oslo time (UTC+02:00)");
    }

    #[test]
    fn the_offset_follows_daylight_saving_time() {
        let before = at(datetime!(2026-03-29 00:59:59 UTC));
        let after = at(datetime!(2026-03-29 01:00:00 UTC));
        assert_eq!((oslo().clock(before).text, oslo().label(before)), clock_and_label("01:59:59", "+01:00"));
        assert_eq!((oslo().clock(after).text, oslo().label(after)), clock_and_label("03:00:00", "+02:00"));
    }

    fn clock_and_label(clock: &str, offset: &str) -> (String, String) {
        (clock.to_owned(), format!("Oslo time (UTC{offset})"))
    }

    #[test]
    fn a_day_begins_at_midnight_in_the_zone() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        let late = at(datetime!(2026-11-22 23:30 UTC));
        assert_eq!(oslo().day_heading(late, now), "Today, 23 November 2026");
        assert_eq!(Zone::utc().day_heading(late, now), "Sunday 22 November 2026");
        assert_eq!(oslo().day_heading(at(datetime!(2026-11-21 12:00 UTC)), now), "Saturday 21 November 2026");
    }

    #[test]
    fn a_day_ends_with_its_last_microsecond_on_clock_changes_too() {
        let end = |zone: &Zone, year, month, day| {
            let date = Date::from_calendar_date(year, month, day).unwrap();
            zone.end_of_day(date).map(|end| end.as_micros() + 1)
        };
        let micros = |utc: OffsetDateTime| Some(utc.unix_timestamp() * 1_000_000);
        assert_eq!(end(&oslo(), 2026, time::Month::March, 28), micros(datetime!(2026-03-28 23:00 UTC)));
        assert_eq!(end(&oslo(), 2026, time::Month::March, 29), micros(datetime!(2026-03-29 22:00 UTC)));
        assert_eq!(end(&oslo(), 2026, time::Month::October, 25), micros(datetime!(2026-10-25 23:00 UTC)));
        // In Cairo, the clocks went forward at midnight: 24 April 2026 began at 01:00.
        let cairo = Zone::from_cookie(Some("Africa/Cairo"));
        assert_eq!(end(&cairo, 2026, time::Month::April, 23), micros(datetime!(2026-04-23 22:00 UTC)));
        assert_eq!(end(&Zone::utc(), 9_999, time::Month::December, 31), Some(MAX_TIMESTAMP.as_micros() + 1));
    }

    #[test]
    fn a_zone_label_names_the_city() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        let label = |name| Zone::from_cookie(Some(name)).label(now);
        assert_eq!(label("America/Argentina/Buenos_Aires"), "Buenos Aires time (UTC−03:00)");
        assert_eq!(label("Asia/Kathmandu"), "Kathmandu time (UTC+05:45)");
        assert_eq!(label("Etc/GMT+5"), "UTC−05:00");
        assert_eq!(label("Etc/UTC"), "UTC");
        assert_eq!(label("UTC"), "UTC");
    }

    #[test]
    fn an_invalid_zone_name_means_utc() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        for value in [None, Some(""), Some("Europe/Atlantis"), Some("../../etc/passwd"), Some("Oslo\u{0}")] {
            assert_eq!(Zone::from_cookie(value).label(now), "UTC", "{value:?}");
        }
    }

    #[test]
    fn the_listed_zones_are_places_in_the_zone_database() {
        let names = Zone::names();
        assert!(names.len() > 400, "{}", names.len());
        for expected in ["UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires", "Pacific/Auckland"] {
            assert!(names.iter().any(|name| name == expected), "{expected}");
        }
        assert!(names.iter().all(|name| Zone::named(name).is_some() && !name.starts_with("Etc/")));
    }

    #[test]
    fn every_timestamp_can_be_formatted() {
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
            let zone = Zone::from_cookie(Some(name));
            for micros in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
                let timestamp = Timestamp::from_micros(micros);
                let view = zone.date_time(timestamp);
                assert!(!view.text.is_empty() && view.datetime.len() == 20, "{name} {micros} {view:?}");
                assert!(zone.day_heading(timestamp, timestamp).starts_with("Today, "));
            }
        }
        assert_eq!(Zone::utc().date(Timestamp::from_micros(i64::MAX)).text, "30 Dec 9999");
        assert_eq!(Zone::utc().date(Timestamp::from_micros(-1)).text, "31 Dec 1969");
    }
}
