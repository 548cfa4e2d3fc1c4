//! Dates and times written digit by digit: a list has hundreds of them, and a formatter that reads its format each time
//! took longer than the page.

use time::{Month, OffsetDateTime};

/// How an instant is written: appends it to a text.
pub(super) type Write = fn(&mut String, OffsetDateTime);

/// “12 Nov 2026”.
pub(super) fn date(text: &mut String, at: OffsetDateTime) {
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
pub(super) fn date_time(text: &mut String, at: OffsetDateTime) {
    date(text, at);
    text.push_str(", ");
    digits::<2>(text, at.hour().into());
    text.push(':');
    digits::<2>(text, at.minute().into());
}

/// “12 Nov 2026, 09:14:05”.
pub(super) fn exact(text: &mut String, at: OffsetDateTime) {
    date(text, at);
    text.push_str(", ");
    clock(text, at);
}

/// “09:14:05”.
pub(super) fn clock(text: &mut String, at: OffsetDateTime) {
    let (hour, minute, second) = at.to_hms();
    digits::<2>(text, hour.into());
    text.push(':');
    digits::<2>(text, minute.into());
    text.push(':');
    digits::<2>(text, second.into());
}

/// “2026-11-12T09:14:05Z”, of an instant in UTC. HTML allows a fraction of at most three digits in `datetime`, so whole
/// seconds it is.
pub(super) fn machine(text: &mut String, at: OffsetDateTime) {
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

/// The last so many digits of a number.
pub(super) fn digits<const COUNT: usize>(text: &mut String, mut number: u32) {
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
    use crate::web::time::{FIRST, LAST};

    const FORMATS: [(Write, StaticFormatDescription); 5] = [
        (date, format_description!("[day padding:none] [month repr:short] [year]")),
        (date_time, format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]")),
        (exact, format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second]")),
        (clock, format_description!("[hour]:[minute]:[second]")),
        (machine, format_description!("[year]-[month padding:zero]-[day padding:zero]T[hour]:[minute]:[second]Z")),
    ];

    proptest! {
        #[test]
        fn every_instant_is_written_as_its_format_says(second in FIRST..=LAST) {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
            for (write, format) in FORMATS {
                let mut text = String::new();
                write(&mut text, at);
                prop_assert_eq!(text, at.format(format).unwrap());
            }
        }
    }
}
