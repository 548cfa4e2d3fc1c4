//! The usage of a key with sample data.

use crate::web::components::key_use::samples::{DAY_MINUTES, HOSTILE, IPV6, as_of, now, request, sender};
use crate::web::components::samples::{ago, zone};
use crate::web::pages::api_keys::usage::chart::{UsageChart, UsageDay};
use crate::web::pages::api_keys::usage::view::{OldKeyUse, Refused, Requests, SinceEnd, Usage};

fn requests(accepted: u64, refused: u64, hours: u64) -> Requests {
    Requests { accepted, refused, since: zone().date_time(ago(hours * 60 - 30)) }
}

fn by_day(refused: u64) -> UsageChart {
    let day = |day: u64| UsageDay {
        day: zone().date(ago((29 - day) * DAY_MINUTES)),
        accepted: if refused > 0 && day > 26 { 0 } else { 40 + day * 37 % 101 * 9 },
        refused: if day > 26 { refused * (day - 26) } else { 0 },
    };
    UsageChart((0..30).map(day).collect())
}

pub fn never_used() -> Usage {
    Usage {
        last: None,
        in_24_hours: requests(0, 0, 24),
        in_7_days: requests(0, 0, 7 * 24),
        by_day: None,
        senders: vec![],
        senders_cut: false,
        as_of: Some(as_of()),
    }
}

pub fn used() -> Usage {
    let sender_at = |minutes, address, client| (sender(address, client), zone().ago(ago(minutes), now()));
    Usage {
        last: Some(request(4, "203.0.113.9", "python-requests/2.32")),
        in_24_hours: requests(1_204, 0, 24),
        in_7_days: requests(8_312, 0, 7 * 24),
        by_day: Some(by_day(0)),
        senders: vec![
            sender_at(4, "203.0.113.9", "python-requests/2.32"),
            sender_at(90, "198.51.100.4", "curl/8.5"),
            sender_at(DAY_MINUTES * 3, IPV6, HOSTILE),
            sender_at(DAY_MINUTES * 20, "203.0.113.9", ""),
            sender_at(DAY_MINUTES * 25, "", "خدمة مزامنة الطلبات/2"),
        ],
        senders_cut: true,
        ..never_used()
    }
}

pub fn used_until_its_end() -> Usage {
    Usage {
        last: Some(request(20, IPV6, HOSTILE)),
        in_24_hours: requests(0, 1_204, 24),
        by_day: Some(by_day(230)),
        as_of: None,
        ..used()
    }
}

pub fn none_since_end() -> SinceEnd {
    SinceEnd { accepted: 0, refused: None, as_of: Some(as_of()) }
}

pub fn refused_since_end() -> SinceEnd {
    let refused =
        Refused { count: 4, last: request(2, IPV6, HOSTILE), request_id: Some("8d2f60c3a19b47e5".to_owned()) };
    SinceEnd { refused: Some(refused), ..none_since_end() }
}

pub fn accepted_since_end() -> SinceEnd {
    SinceEnd { accepted: 3, ..refused_since_end() }
}

pub fn old_key_uses() -> [OldKeyUse; 4] {
    [
        OldKeyUse::Still(request(3, IPV6, "")),
        OldKeyUse::Pausing(request(DAY_MINUTES * 5, "203.0.113.9", "")),
        OldKeyUse::not_for(6),
        OldKeyUse::Never,
    ]
}
