//! Dates as people and addresses write them.

use time::Date;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");

/// A day of the calendar, written `YYYY-MM-DD` and in no other way: a year has four digits and no sign.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    let begins_with_a_digit = text.starts_with(|first: char| first.is_ascii_digit());
    (text.len() == 10 && begins_with_a_digit).then(|| Date::parse(text, DATE).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_four_two_and_two_digits_and_is_in_the_calendar() {
        assert_eq!(date("2026-11-23").map(|date| date.to_calendar_date().0), Some(2026));
        for wrong in
            ["+2026-11-23", "-2026-11-23", "+026-11-23", "2026-11-3", "2026-02-30", "20261-1-23", "", "2026-11-23 "]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }
}
