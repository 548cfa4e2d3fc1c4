//! Formats dates and times by hand. A list has hundreds of them, and a formatter that interprets a format description
//! took longer than the rest of the page.

use time::{Month, OffsetDateTime};

/// Appends a formatted time to a text.
pub type FormatFn = fn(&mut String, OffsetDateTime);

/// “12 Nov 2026”.
pub fn date(text: &mut String, at: OffsetDateTime) {
    let (year, month, day) = at.to_calendar_date();
    if day < 10 {
        digits::<1>(text, day.into());
    } else {
        digits::<2>(text, day.into());
    }
    text.push_str(match month {
        Month::January => " Jan ",
        Month::February => " Feb ",
        Month::March => " Mar ",
        Month::April => " Apr ",
        Month::May => " May ",
        Month::June => " Jun ",
        Month::July => " Jul ",
        Month::August => " Aug ",
        Month::September => " Sep ",
        Month::October => " Oct ",
        Month::November => " Nov ",
        Month::December => " Dec ",
    });
    digits::<4>(text, year.unsigned_abs());
}

/// “12 Nov 2026, 09:14”.
pub fn date_time(text: &mut String, at: OffsetDateTime) {
    date(text, at);
    text.push_str(", ");
    digits::<2>(text, at.hour().into());
    text.push(':');
    digits::<2>(text, at.minute().into());
}

/// “12 Nov 2026, 09:14:05”.
pub fn exact(text: &mut String, at: OffsetDateTime) {
    date(text, at);
    text.push_str(", ");
    clock(text, at);
}

/// “09:14:05”.
pub fn clock(text: &mut String, at: OffsetDateTime) {
    let (hour, minute, second) = at.to_hms();
    digits::<2>(text, hour.into());
    text.push(':');
    digits::<2>(text, minute.into());
    text.push(':');
    digits::<2>(text, second.into());
}

/// “2026-11-12T09:14:05Z”; `at` must be in UTC. Whole seconds, because HTML allows at most three fraction digits in
/// `datetime`.
pub fn rfc3339(text: &mut String, at: OffsetDateTime) {
    let (year, month, day) = at.to_calendar_date();
    digits::<4>(text, year.unsigned_abs());
    text.push('-');
    digits::<2>(text, u8::from(month).into());
    text.push('-');
    digits::<2>(text, day.into());
    text.push('T');
    clock(text, at);
    text.push('Z');
}

/// The last `COUNT` digits of a number.
pub fn digits<const COUNT: usize>(text: &mut String, mut number: u32) {
    let mut digits = ['0'; COUNT];
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit(number % 10, 10).unwrap_or('0');
        number /= 10;
    }
    text.extend(digits);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::StaticFormatDescription;
    use time::macros::format_description;

    use super::*;
    use crate::web::app::time::zone::{MAX_UNIX_SECONDS, MIN_UNIX_SECONDS};

    const FORMATS: [(FormatFn, StaticFormatDescription); 5] = [
        (date, format_description!("[day padding:none] [month repr:short] [year]")),
        (date_time, format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]")),
        (exact, format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second]")),
        (clock, format_description!("[hour]:[minute]:[second]")),
        (rfc3339, format_description!("[year]-[month padding:zero]-[day padding:zero]T[hour]:[minute]:[second]Z")),
    ];

    proptest! {
        #[test]
        fn every_format_matches_its_description(second in MIN_UNIX_SECONDS..=MAX_UNIX_SECONDS) {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
            for (format_fn, description) in FORMATS {
                let mut text = String::new();
                format_fn(&mut text, at);
                prop_assert_eq!(text, at.format(description).unwrap());
            }
        }
    }
}
