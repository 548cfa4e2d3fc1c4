//! How a key is used, as its page and the questions before its end draw it.

use crate::web::keys::use_by_day::UseByDay;
use crate::web::page::{ShownTime, counted, grouped};

/// Who sent a request, as far as is known. What a program calls itself is whatever its makers like.
#[derive(Clone, Debug)]
pub struct Sender {
    pub address: Option<String>,
    pub client: Option<String>,
}

/// A request with a key.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// `Zone::date_time`.
    pub at: ShownTime,
    /// `Zone::ago_within`.
    pub ago: ShownTime,
    pub sender: Sender,
}

/// The requests of some hours of the clock, of which the running one is the last.
#[derive(Clone, Debug)]
pub struct Requests {
    pub accepted: u64,
    pub refused: u64,
    /// Where the first of the hours began: `Zone::date_time`.
    pub since: ShownTime,
}

/// The section of a key's page.
#[derive(Clone, Debug)]
pub struct Usage {
    pub last: Option<KeyRequest>,
    pub in_24_hours: Requests,
    pub in_7_days: Requests,
    /// Nothing where there was no request in those days.
    pub by_day: Option<UseByDay>,
    /// Who used the key in those days, and when last (`Zone::ago`); the last first.
    pub senders: Vec<(Sender, ShownTime)>,
    /// No more of them are kept.
    pub senders_cut: bool,
    pub as_of: AsOf,
}

/// Until when everything is counted: `Zone::moment`; nothing where the server has yet to begin.
pub type AsOf = Option<ShownTime>;

/// What breaks when a key ends that was used within the last 7 days.
#[derive(Clone, Debug)]
pub struct InUse {
    pub last: KeyRequest,
    /// Nothing where the last request is longer ago.
    pub in_24_hours: Option<InUseLately>,
    pub as_of: AsOf,
}

#[derive(Clone, Debug)]
pub struct InUseLately {
    /// “1,204 requests”.
    pub requests: String,
    pub since: ShownTime,
    /// “2 addresses”.
    pub addresses: String,
    /// The first of them.
    pub from: Vec<Address>,
    /// “3 more” addresses.
    pub more: Option<String>,
}

/// An address and the programs that used a key there.
#[derive(Clone, Debug)]
pub struct Address {
    pub address: Option<String>,
    /// The first of them.
    pub clients: Vec<String>,
    /// How many more.
    pub more: usize,
}

/// What came with a key after its end.
#[derive(Clone, Debug)]
pub struct SinceEnd {
    pub accepted: u64,
    pub refused: Option<Refused>,
    pub as_of: AsOf,
}

#[derive(Clone, Debug)]
pub struct Refused {
    pub count: u64,
    pub last: KeyRequest,
    /// The id of the last one's request, as its answer and the log name it.
    pub request_id: Option<String>,
}

/// Whether a key can be ended whose place another one takes.
#[derive(Clone, Debug)]
pub enum OldKeyUse {
    /// Within a day.
    Still(KeyRequest),
    /// Not within a day; but it paused for as long before.
    Pausing(KeyRequest),
    /// “6 days”.
    NotFor(String),
    Never,
}

impl Requests {
    /// “1,204”, “0, and 4 refused”.
    pub(super) fn words(&self) -> String {
        match self.refused {
            0 => grouped(self.accepted),
            refused => format!("{}, and {} refused", grouped(self.accepted), grouped(refused)),
        }
    }
}

impl SinceEnd {
    /// “No request was accepted after it.”
    pub(super) fn accepted_words(&self) -> String {
        match self.accepted {
            0 => "No request was accepted after it.".to_owned(),
            1 => "1 request was accepted after it.".to_owned(),
            many => format!("{} requests were accepted after it.", grouped(many)),
        }
    }
}

impl Refused {
    /// “4 were refused, the last”: what follows says how long ago.
    pub(super) fn words(&self) -> String {
        match self.count {
            1 => "1 was refused,".to_owned(),
            many => format!("{} were refused, the last", grouped(many)),
        }
    }
}

impl OldKeyUse {
    /// “6 days” without a request.
    pub(super) fn not_for(days: u64) -> Self {
        Self::NotFor(counted(days, "day", "days"))
    }
}
