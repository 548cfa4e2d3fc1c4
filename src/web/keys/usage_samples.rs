//! The use of a key with sample data.

use crate::domain::instant::Instant;
use crate::web::keys::usage::{
    Address, InUse, InUseLately, KeyRequest, OldKeyUse, Refused, Requests, Sender, SinceEnd, Usage,
};
use crate::web::keys::use_by_day::{DayOfUse, UseByDay};
use crate::web::page::ShownTime;
use crate::web::samples::{ago, zone};

const IPV6: &str = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
/// As long as they may be, without a place to break at, and written by somebody who means no good.
const HOSTILE: &str = "\u{202e}\"><script>alert(1)</script>_אבג_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0";
const A_DAY: u64 = 24 * 60;

fn now() -> Instant {
    ago(0)
}

pub(super) fn as_of() -> ShownTime {
    zone().moment(now(), now())
}

fn sender(address: &str, client: &str) -> Sender {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Sender { address: known(address), client: known(client) }
}

pub(super) fn request(minutes: u64, address: &str, client: &str) -> KeyRequest {
    KeyRequest {
        at: zone().date_time(ago(minutes)),
        ago: zone().ago_within(ago(minutes), now()),
        sender: sender(address, client),
    }
}

fn requests(accepted: u64, refused: u64, hours: u64) -> Requests {
    Requests { accepted, refused, since: zone().date_time(ago(hours * 60 - 30)) }
}

fn by_day(refused: u64) -> UseByDay {
    let day = |day: u64| DayOfUse {
        day: zone().date(ago((29 - day) * A_DAY)),
        accepted: if refused > 0 && day > 26 { 0 } else { 40 + day * 37 % 101 * 9 },
        refused: if day > 26 { refused * (day - 26) } else { 0 },
    };
    UseByDay((0..30).map(day).collect())
}

pub(super) fn never_used() -> Usage {
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

pub(super) fn used() -> Usage {
    let seen = |minutes, address, client| (sender(address, client), zone().ago(ago(minutes), now()));
    Usage {
        last: Some(request(4, "203.0.113.9", "python-requests/2.32")),
        in_24_hours: requests(1_204, 0, 24),
        in_7_days: requests(8_312, 0, 7 * 24),
        by_day: Some(by_day(0)),
        senders: vec![
            seen(4, "203.0.113.9", "python-requests/2.32"),
            seen(90, "198.51.100.4", "curl/8.5"),
            seen(A_DAY * 3, IPV6, HOSTILE),
            seen(A_DAY * 20, "203.0.113.9", ""),
            seen(A_DAY * 25, "", "خدمة مزامنة الطلبات/2"),
        ],
        senders_cut: true,
        ..never_used()
    }
}

pub(super) fn used_until_its_end() -> Usage {
    Usage {
        last: Some(request(20, IPV6, HOSTILE)),
        in_24_hours: requests(0, 1_204, 24),
        by_day: Some(by_day(230)),
        as_of: None,
        ..used()
    }
}

pub(super) fn in_use() -> InUse {
    let address = |address: &str, clients: &[&str], more| Address {
        address: Some(address.to_owned()),
        clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        more,
    };
    let lately = InUseLately {
        requests: "1,204 requests".to_owned(),
        since: zone().date_time(ago(A_DAY - 30)),
        addresses: "2 addresses".to_owned(),
        from: vec![address("203.0.113.9", &["python-requests/2.32"], 0), address("198.51.100.4", &["curl/8.5"], 0)],
        more: None,
    };
    InUse { last: request(4, "203.0.113.9", "python-requests/2.32"), in_24_hours: Some(lately), as_of: Some(as_of()) }
}

pub(super) fn in_use_by_many() -> InUse {
    let lately = InUseLately {
        requests: "1,204,551 requests".to_owned(),
        since: zone().date_time(ago(A_DAY - 30)),
        addresses: "at least 11 addresses".to_owned(),
        from: vec![
            Address {
                address: Some(IPV6.to_owned()),
                clients: vec![HOSTILE.to_owned(), "curl/8.5".to_owned()],
                more: 3,
            },
            Address { address: None, clients: vec![], more: 0 },
        ],
        more: Some("at least 9 more".to_owned()),
    };
    InUse { last: request(0, IPV6, HOSTILE), in_24_hours: Some(lately), as_of: None }
}

pub(super) fn in_use_seldom() -> InUse {
    InUse { last: request(A_DAY * 3, "203.0.113.9", "curl/8.5"), in_24_hours: None, as_of: Some(as_of()) }
}

pub(super) fn none_since_end() -> SinceEnd {
    SinceEnd { accepted: 0, refused: None, as_of: Some(as_of()) }
}

pub(super) fn refused_since_end() -> SinceEnd {
    let refused =
        Refused { count: 4, last: request(2, IPV6, HOSTILE), request_id: Some("8d2f60c3a19b47e5".to_owned()) };
    SinceEnd { refused: Some(refused), ..none_since_end() }
}

pub(super) fn accepted_since_end() -> SinceEnd {
    SinceEnd { accepted: 3, ..refused_since_end() }
}

pub(super) fn old_key_uses() -> [OldKeyUse; 4] {
    [
        OldKeyUse::Still(request(3, IPV6, "")),
        OldKeyUse::Pausing(request(A_DAY * 5, "203.0.113.9", "")),
        OldKeyUse::not_for(6),
        OldKeyUse::Never,
    ]
}
