//! Parses dates in forms and URLs.

use time::Date;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");

/// Parses a date that is written exactly `YYYY-MM-DD`, with a year of four digits and no sign.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let starts_with_digit = text.starts_with(|first: char| first.is_ascii_digit());
    (text.len() == 10 && starts_with_digit).then(|| Date::parse(text, DATE).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_four_two_and_two_digits() {
        assert_eq!(parse_date("2026-11-23").map(|date| date.to_calendar_date().0), Some(2026));
        for wrong in
            ["+2026-11-23", "-2026-11-23", "+026-11-23", "2026-11-3", "2026-02-30", "20261-1-23", "", "2026-11-23 "]
        {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }
}
