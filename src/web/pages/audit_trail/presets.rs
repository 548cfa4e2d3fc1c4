//! Links to usual periods: today, 7 days, 30 days, this quarter.

use time::{Date, Duration, Month};

use super::address::TrailAddress;

/// A link to the events of a period, with the other filters unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    pub label: &'static str,
    pub href: String,
    /// The page shows this period.
    pub is_current: bool,
}

/// Returns the periods that end today.
pub fn presets(address: &TrailAddress, today: Date) -> Vec<Preset> {
    let days_ago = |days| today.saturating_sub(Duration::days(days));
    let periods = [
        ("Today", today),
        ("7 days", days_ago(6)),
        ("30 days", days_ago(29)),
        ("This quarter", start_of_quarter(today)),
    ];
    let preset = |(label, first): (&'static str, Date)| {
        let address_of_period = address.with_dates(first.to_string(), today.to_string());
        Preset { label, href: address_of_period.href(), is_current: address_of_period == *address }
    };
    periods.map(preset).into()
}

fn start_of_quarter(day: Date) -> Date {
    let month = match day.month() {
        Month::January | Month::February | Month::March => Month::January,
        Month::April | Month::May | Month::June => Month::April,
        Month::July | Month::August | Month::September => Month::July,
        Month::October | Month::November | Month::December => Month::October,
    };
    Date::from_calendar_date(day.year(), month, 1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn periods_end_today_and_keep_the_other_filters() {
        let address =
            TrailAddress { from: "2026-11-17".to_owned(), to: "2026-11-23".to_owned(), ..TrailAddress::of_key("k") };
        let presets = presets(&address, date!(2026 - 11 - 23));
        let query = |from: &str| format!("?from={from}&to=2026-11-23&key=k");
        for (preset, from) in presets.iter().zip(["2026-11-23", "2026-11-17", "2026-10-25", "2026-10-01"]) {
            assert!(preset.href.ends_with(&query(from)), "{preset:?}");
            assert_eq!(preset.is_current, preset.label == "7 days");
        }
    }

    #[test]
    fn a_quarter_starts_in_january_april_july_or_october() {
        for (day, start) in [
            (date!(2026 - 01 - 01), date!(2026 - 01 - 01)),
            (date!(2026 - 06 - 30), date!(2026 - 04 - 01)),
            (date!(2026 - 09 - 15), date!(2026 - 07 - 01)),
            (date!(2026 - 12 - 31), date!(2026 - 10 - 01)),
        ] {
            assert_eq!(start_of_quarter(day), start);
        }
    }
}
