//! The views of a key's recent use, and the warning about it that every dialog shows which revokes keys.

use askama::Template;

use crate::web::app::text::with_thousands;
use crate::web::app::time::view::TimeView;

/// The sender of a request. The client name is whatever the client sends.
#[derive(Clone, Debug)]
pub struct Sender {
    pub address: Option<String>,
    pub client: Option<String>,
}

#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// From `Zone::date_time`.
    pub at: TimeView,
    /// From `Zone::ago_mid_sentence`.
    pub ago: TimeView,
    pub sender: Sender,
}

/// The time until which usage is recorded, from `Zone::moment`. `None` right after the server started.
pub type AsOf = Option<TimeView>;

/// The keys in use among those that a change revokes.
#[derive(Clone, Debug, Template)]
#[template(path = "components/in_use.html")]
pub struct InUse {
    /// At least one, the most recently used first.
    pub keys: Vec<KeyInUse>,
    /// How many keys in use are not listed.
    pub more: u64,
    /// How many keys the change revokes.
    pub of: u64,
    pub as_of: AsOf,
}

#[derive(Clone, Debug)]
pub struct KeyInUse {
    pub id: String,
    pub name: String,
    pub preview: String,
    pub last: KeyRequest,
    /// “157 requests”, those of the last 24 hours; `None` without any.
    pub requests: Option<String>,
    /// Where they came from. Known where the change is about a single key.
    pub recent: Option<RecentUse>,
}

impl InUse {
    /// “This key is in use.”, “2 of these 5 keys are in use.”
    fn heading(&self) -> String {
        let in_use = (self.keys.len() as u64).saturating_add(self.more);
        match (in_use, self.of) {
            (_, ..=1) => "This key is in use.".to_owned(),
            (all, of) if all == of => format!("All {} keys are in use.", with_thousands(of)),
            (1, of) => format!("1 of these {} keys is in use.", with_thousands(of)),
            (some, of) => format!("{} of these {} keys are in use.", with_thousands(some), with_thousands(of)),
        }
    }

    /// The only key that the change revokes.
    fn only_key(&self) -> Option<&KeyInUse> {
        self.keys.first().filter(|_| self.of <= 1)
    }
}

#[derive(Clone, Debug)]
pub struct RecentUse {
    /// “1,204 requests”.
    pub requests: String,
    /// “2 addresses”.
    pub addresses: String,
    /// The first addresses.
    pub from: Vec<Address>,
    /// “3 more”, for the addresses that are not listed.
    pub more: Option<String>,
}

/// An address and the clients that used the key from there.
#[derive(Clone, Debug)]
pub struct Address {
    pub address: Option<String>,
    /// The first clients.
    pub clients: Vec<String>,
    /// The number of clients that are not listed.
    pub more: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::components::key_use::samples::in_use;

    #[test]
    fn the_heading_counts_the_keys_in_use() {
        let heading = |more, of| InUse { more, of, ..in_use() }.heading();
        assert_eq!(heading(0, 1), "This key is in use.");
        assert_eq!(heading(0, 5), "1 of these 5 keys is in use.");
        assert_eq!(heading(1, 5), "2 of these 5 keys are in use.");
        assert_eq!(heading(1_233, 1_234), "All 1,234 keys are in use.");
    }
}
