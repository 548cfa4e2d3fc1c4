//! Recent use of keys with sample data.

use crate::domain::timestamp::Timestamp;
use crate::web::app::time::view::TimeView;
use crate::web::components::key_use::view::{Address, AsOf, InUse, KeyInUse, KeyRequest, RecentUse, Sender};
use crate::web::components::samples::{LONG_NAME, ago, zone};

pub const IPV6: &str = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
/// A client name of the maximum length, without line breaks and with an injection attempt.
pub const HOSTILE: &str = "\u{202e}\"><script>alert(1)</script>_אבג_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0_Mozilla/5.0";
pub const DAY_MINUTES: u64 = 24 * 60;

pub fn now() -> Timestamp {
    ago(0)
}

pub fn as_of() -> TimeView {
    zone().clock_or_date(now(), now())
}

pub fn sender(address: &str, client: &str) -> Sender {
    let non_empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Sender { address: non_empty(address), client: non_empty(client) }
}

pub fn request(minutes: u64, address: &str, client: &str) -> KeyRequest {
    KeyRequest {
        at: zone().date_time(ago(minutes)),
        ago: zone().ago_mid_sentence(ago(minutes), now()),
        sender: sender(address, client),
    }
}

fn key_in_use(last: KeyRequest, recent: Option<RecentUse>) -> KeyInUse {
    KeyInUse {
        id: "k8".to_owned(),
        name: "ERP Sync Service".to_owned(),
        preview: "goa_9xQ2…b71c".to_owned(),
        last,
        requests: recent.as_ref().map(|recent| recent.requests.clone()),
        recent,
    }
}

fn one_in_use(key: KeyInUse, as_of: AsOf) -> InUse {
    InUse { keys: vec![key], more: 0, of: 1, as_of }
}

pub fn in_use() -> InUse {
    let address = |address: &str, client: &str| Address {
        address: Some(address.to_owned()),
        clients: vec![client.to_owned()],
        more: 0,
    };
    let recent = RecentUse {
        requests: "1,204 requests".to_owned(),
        addresses: "2 addresses".to_owned(),
        from: vec![address("203.0.113.9", "python-requests/2.32"), address("198.51.100.4", "curl/8.5")],
        more: None,
    };
    one_in_use(key_in_use(request(4, "203.0.113.9", "python-requests/2.32"), Some(recent)), Some(as_of()))
}

pub fn in_use_by_many() -> InUse {
    let recent = RecentUse {
        requests: "1,204,551 requests".to_owned(),
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
    one_in_use(key_in_use(request(0, IPV6, HOSTILE), Some(recent)), None)
}

pub fn in_use_seldom() -> InUse {
    one_in_use(key_in_use(request(DAY_MINUTES * 3, "203.0.113.9", "curl/8.5"), None), Some(as_of()))
}

/// Some of several keys are in use.
pub fn several_in_use(of: u64) -> InUse {
    let first = KeyInUse { requests: Some("1,204 requests".to_owned()), ..key_in_use(request(4, IPV6, ""), None) };
    let second = KeyInUse {
        id: "k4".to_owned(),
        name: LONG_NAME.to_owned(),
        ..key_in_use(request(DAY_MINUTES * 3, "", HOSTILE), None)
    };
    InUse { keys: vec![first, second], more: u64::from(of > 10) * 3, of, as_of: Some(as_of()) }
}
