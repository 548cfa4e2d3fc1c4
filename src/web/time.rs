//! Instants as people read them, in the zone their browser named. It formats only; it must not read the clock.

mod relative;
mod written;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use time::format_description::StaticFormatDescription;
use time::macros::{datetime, format_description};
use time::{Date, OffsetDateTime, UtcOffset};

use self::written::Write;
use crate::domain::instant::Instant;
use crate::web::page::ShownTime;

const LONG_DATE: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");
const WEEKDAY: StaticFormatDescription = format_description!("[weekday]");

/// What else the zone database has are older names of the same zones, and zones of a fixed offset.
const AREAS: [&str; 10] =
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];

// A day's room at both ends, so that no offset leads out of the years 1 to 9999.
const FIRST: i64 = datetime!(0001-01-02 00:00 UTC).unix_timestamp();
const LAST: i64 = datetime!(9999-12-30 00:00 UTC).unix_timestamp();

/// No date is later.
const LAST_YEAR: i16 = 9999;
const END_OF_TIME: Instant =
    Instant::from_micros(datetime!(9999-12-31 23:59:59 UTC).unix_timestamp() * 1_000_000 + 999_999);

/// A time zone of the zone database, in which a page shows its times.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time, for whoever named no zone.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone that the `tz` cookie names; UTC where it is absent or names none.
    #[must_use]
    pub fn from_cookie(value: Option<&str>) -> Self {
        value.and_then(Self::named).unwrap_or_else(Self::utc)
    }

    /// The zone of that name, where the zone database has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The names of all zones that are named after places, and UTC.
    #[must_use]
    pub fn names() -> Vec<String> {
        let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        names
            .filter(|name| name == "UTC" || name.split_once('/').is_some_and(|(area, _)| AREAS.contains(&area)))
            .collect()
    }

    /// “12 Nov 2026”.
    #[must_use]
    pub fn date(&self, instant: Instant) -> ShownTime {
        self.shown(instant, written::date)
    }

    /// “23 Nov 2026, 09:26”.
    #[must_use]
    pub fn date_time(&self, instant: Instant) -> ShownTime {
        self.shown(instant, written::date_time)
    }

    /// “23 Nov 2026, 09:26:04”.
    #[must_use]
    pub fn exact(&self, instant: Instant) -> ShownTime {
        self.shown(instant, written::exact)
    }

    /// “09:14:05”.
    #[must_use]
    pub fn clock(&self, instant: Instant) -> ShownTime {
        self.shown(instant, written::clock)
    }

    /// The last microsecond of a day here, also of one on which the clocks change; of the last day of the calendar the end of
    /// time. `None` beyond the calendar.
    #[must_use]
    pub fn end_of_day(&self, date: Date) -> Option<Instant> {
        let Some(next) = date.next_day() else { return Some(END_OF_TIME) };
        Some(Instant::from_micros(self.start_of_day(next)?.as_micros() - 1))
    }

    /// The first microsecond of a day here, which is not always midnight; of the last days of the calendar, which not every
    /// zone has, the end of time. `None` beyond the calendar.
    #[must_use]
    pub fn start_of_day(&self, date: Date) -> Option<Instant> {
        let year = i16::try_from(date.year()).ok()?;
        let month = i8::try_from(u8::from(date.month())).ok()?;
        let day = jiff::civil::date(year, month, i8::try_from(date.day()).ok()?);
        let Ok(midnight) = day.to_zoned(self.0.clone()) else { return (year == LAST_YEAR).then_some(END_OF_TIME) };
        Some(Instant::from_micros(midnight.timestamp().as_microsecond()))
    }

    /// The day an instant falls on here, for grouping.
    #[must_use]
    pub fn day(&self, instant: Instant) -> Date {
        self.local(instant).date()
    }

    /// “Today, 23 November 2026”, else “Saturday 21 November 2026”.
    #[must_use]
    pub fn day_heading(&self, instant: Instant, now: Instant) -> String {
        let local = self.local(instant);
        let date = text(local, LONG_DATE);
        if local.date() == self.day(now) {
            format!("Today, {date}")
        } else {
            format!("{} {date}", text(local, WEEKDAY))
        }
    }

    /// “Oslo time (UTC+01:00)” with the offset that holds at `instant`, or “UTC”.
    #[must_use]
    pub fn label(&self, instant: Instant) -> String {
        let mut label = String::new();
        self.write_label(&mut label, self.local(instant).offset());
        label
    }

    fn write_label(&self, text: &mut String, offset: UtcOffset) {
        let name = self.0.iana_name().unwrap_or("UTC");
        match name.rsplit_once('/') {
            None | Some(("Etc", _)) if offset.is_utc() => return text.push_str("UTC"),
            Some(("Etc", _)) => return write_shift(text, offset),
            Some((_, city)) => text.extend(city.chars().map(|letter| if letter == '_' { ' ' } else { letter })),
            None => text.push_str(name),
        }
        text.push_str(" time (");
        write_shift(text, offset);
        text.push(')');
    }

    fn shown(&self, instant: Instant, write: Write) -> ShownTime {
        let local = self.local(instant);
        let [mut text, mut datetime, mut title] = [24, 20, 64].map(String::with_capacity);
        write(&mut text, local);
        written::machine(&mut datetime, local.to_offset(UtcOffset::UTC));
        written::exact(&mut title, local);
        title.push_str(", ");
        self.write_label(&mut title, local.offset());
        ShownTime { text, datetime, title }
    }

    fn local(&self, instant: Instant) -> OffsetDateTime {
        let seconds = instant.as_micros().div_euclid(1_000_000).clamp(FIRST, LAST);
        let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let offset = Timestamp::from_second(seconds).map_or(0, |at| self.0.to_offset(at).seconds());
        utc.to_offset(UtcOffset::from_whole_seconds(offset).unwrap_or(UtcOffset::UTC))
    }
}

/// “UTC+01:00”.
fn write_shift(text: &mut String, offset: UtcOffset) {
    let (hours, minutes, _) = offset.as_hms();
    text.push_str("UTC");
    text.push(if offset.is_negative() { '−' } else { '+' });
    written::digits::<2>(text, hours.unsigned_abs().into());
    text.push(':');
    written::digits::<2>(text, minutes.unsigned_abs().into());
}

// Formatting fails only on a component the value lacks, and a date-time lacks none.
fn text(at: OffsetDateTime, format: StaticFormatDescription) -> String {
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oslo() -> Zone {
        Zone::from_cookie(Some("Europe/Oslo"))
    }

    fn at(moment: OffsetDateTime) -> Instant {
        Instant::from_micros(moment.unix_timestamp() * 1_000_000)
    }

    #[test]
    fn a_date_is_day_month_year_with_an_english_month() {
        assert_eq!(oslo().date(at(datetime!(2026-11-12 08:41:09 UTC))).text, "12 Nov 2026");
        assert_eq!(oslo().date_time(at(datetime!(2026-11-03 08:26:59 UTC))).text, "3 Nov 2026, 09:26");
        assert_eq!(oslo().clock(at(datetime!(2026-11-23 08:14:05 UTC))).text, "09:14:05");
    }

    #[test]
    fn the_datetime_attribute_is_utc_and_the_title_names_the_zone() {
        let shown = oslo().clock(at(datetime!(2026-07-01 22:14:05 UTC)));
        assert_eq!(shown.datetime, "2026-07-01T22:14:05Z");
        assert_eq!(shown.title, "2 Jul 2026, 00:14:05, Oslo time (UTC+02:00)");
    }

    #[test]
    fn the_offset_follows_daylight_saving_time() {
        let before = at(datetime!(2026-03-29 00:59:59 UTC));
        let after = at(datetime!(2026-03-29 01:00:00 UTC));
        assert_eq!((oslo().clock(before).text, oslo().label(before)), clock_and_label("01:59:59", "+01:00"));
        assert_eq!((oslo().clock(after).text, oslo().label(after)), clock_and_label("03:00:00", "+02:00"));
    }

    fn clock_and_label(clock: &str, shift: &str) -> (String, String) {
        (clock.to_owned(), format!("Oslo time (UTC{shift})"))
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone_not_of_utc() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        let late = at(datetime!(2026-11-22 23:30 UTC));
        assert_eq!(oslo().day_heading(late, now), "Today, 23 November 2026");
        assert_eq!(Zone::utc().day_heading(late, now), "Sunday 22 November 2026");
        assert_eq!(oslo().day_heading(at(datetime!(2026-11-21 12:00 UTC)), now), "Saturday 21 November 2026");
    }

    #[test]
    fn a_day_ends_with_its_last_microsecond_also_when_the_clocks_change() {
        let end = |zone: &Zone, year, month, day| {
            let date = Date::from_calendar_date(year, month, day).unwrap();
            zone.end_of_day(date).map(|end| end.as_micros() + 1)
        };
        let micros = |moment: OffsetDateTime| Some(moment.unix_timestamp() * 1_000_000);
        assert_eq!(end(&oslo(), 2026, time::Month::March, 28), micros(datetime!(2026-03-28 23:00 UTC)));
        assert_eq!(end(&oslo(), 2026, time::Month::March, 29), micros(datetime!(2026-03-29 22:00 UTC)));
        assert_eq!(end(&oslo(), 2026, time::Month::October, 25), micros(datetime!(2026-10-25 23:00 UTC)));
        // In Cairo, the clocks went forward at midnight: 24 April 2026 began at one o'clock.
        let cairo = Zone::from_cookie(Some("Africa/Cairo"));
        assert_eq!(end(&cairo, 2026, time::Month::April, 23), micros(datetime!(2026-04-23 22:00 UTC)));
        assert_eq!(end(&Zone::utc(), 9_999, time::Month::December, 31), Some(END_OF_TIME.as_micros() + 1));
    }

    #[test]
    fn a_zone_is_labelled_by_its_city() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        let label = |name| Zone::from_cookie(Some(name)).label(now);
        assert_eq!(label("America/Argentina/Buenos_Aires"), "Buenos Aires time (UTC−03:00)");
        assert_eq!(label("Asia/Kathmandu"), "Kathmandu time (UTC+05:45)");
        assert_eq!(label("Etc/GMT+5"), "UTC−05:00");
        assert_eq!(label("Etc/UTC"), "UTC");
        assert_eq!(label("UTC"), "UTC");
    }

    #[test]
    fn what_names_no_zone_is_utc() {
        let now = at(datetime!(2026-11-23 08:00 UTC));
        for value in [None, Some(""), Some("Europe/Atlantis"), Some("../../etc/passwd"), Some("Oslo\u{0}")] {
            assert_eq!(Zone::from_cookie(value).label(now), "UTC", "{value:?}");
        }
    }

    #[test]
    fn the_zones_on_offer_are_places_that_the_zone_database_has() {
        let names = Zone::names();
        assert!(names.len() > 400, "{}", names.len());
        for expected in ["UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires", "Pacific/Auckland"] {
            assert!(names.iter().any(|name| name == expected), "{expected}");
        }
        assert!(names.iter().all(|name| Zone::named(name).is_some() && !name.starts_with("Etc/")));
    }

    #[test]
    fn no_instant_is_too_early_or_too_late_to_be_shown() {
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
            let zone = Zone::from_cookie(Some(name));
            for micros in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
                let instant = Instant::from_micros(micros);
                let shown = zone.date_time(instant);
                assert!(!shown.text.is_empty() && shown.datetime.len() == 20, "{name} {micros} {shown:?}");
                assert!(zone.day_heading(instant, instant).starts_with("Today, "));
            }
        }
        assert_eq!(Zone::utc().date(Instant::from_micros(i64::MAX)).text, "30 Dec 9999");
        assert_eq!(Zone::utc().date(Instant::from_micros(-1)).text, "31 Dec 1969");
    }
}
