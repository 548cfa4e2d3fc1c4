//! The expiry of a new key, as a command or a file gives it.

use crate::domain::policy::key_policy::RequestedExpiry;
use crate::domain::timestamp::Timestamp;
use crate::web::app::time::zone::Zone;

/// Parses an expiry: what the page accepts, or a time. A date means the end of that day in UTC; an empty text leaves the
/// expiry to the policy.
pub(super) fn parse(text: &str) -> Result<RequestedExpiry, String> {
    if let Some(at) = Timestamp::parse_rfc_3339(text) {
        return Ok(RequestedExpiry::Until(at));
    }
    RequestedExpiry::parse(text, "", |date| Zone::utc().end_of_day(date))
        .map_err(|_| "give none, 30d, 90d, 180d, 365d, a date such as 2027-06-30, or a time in RFC 3339".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_period_a_date_or_a_time() {
        assert_eq!(parse(""), Ok(RequestedExpiry::Default));
        assert_eq!(parse("none"), Ok(RequestedExpiry::Never));
        assert!(matches!(parse("90d"), Ok(RequestedExpiry::For(days)) if days.count() == 90));
        let until = |micros| Ok(RequestedExpiry::Until(Timestamp::from_micros(micros)));
        assert_eq!(parse("2026-11-22"), until(1_795_391_999_999_999));
        assert_eq!(parse("2026-11-23T08:59:59Z"), until(1_795_424_399_000_000));
        for wrong in ["date", "91d", "tomorrow", "2026-13-01", "90"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
