//! The views of a key's usage.

use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;
pub use crate::web::components::key_use::view::AsOf;
use crate::web::components::key_use::view::{KeyRequest, Sender};
use crate::web::pages::api_keys::usage::chart::UsageChart;

/// The requests of the last clock hours, including the current one.
#[derive(Clone, Debug)]
pub struct Requests {
    pub accepted: u64,
    pub refused: u64,
    /// The start of the first hour, from `Zone::date_time`.
    pub since: TimeView,
}

/// The usage section of a key's page.
#[derive(Clone, Debug)]
pub struct Usage {
    pub last: Option<KeyRequest>,
    pub in_24_hours: Requests,
    pub in_7_days: Requests,
    /// `None` if there was no request in the last 30 days.
    pub by_day: Option<UsageChart>,
    /// The senders of the last 30 days and the times of their last requests (`Zone::ago`), newest first.
    pub senders: Vec<(Sender, TimeView)>,
    /// Earlier senders are not recorded.
    pub senders_cut: bool,
    pub as_of: AsOf,
}

/// The requests with a key after its end.
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
    /// The request id of the last request, which is also in its response and in the log.
    pub request_id: Option<String>,
}

/// How recently a replaced key was used, to decide whether it can be ended.
#[derive(Clone, Debug)]
pub enum OldKeyUse {
    /// Used within a day.
    Still(KeyRequest),
    /// Not used for a day, but it had such pauses before.
    Pausing(KeyRequest),
    /// Not used for “6 days”.
    NotFor(String),
    Never,
}

impl Requests {
    /// “1,204”, “0, and 4 rejected”.
    pub fn words(&self) -> String {
        match self.refused {
            0 => with_thousands(self.accepted),
            refused => format!("{}, and {} rejected", with_thousands(self.accepted), with_thousands(refused)),
        }
    }
}

impl SinceEnd {
    pub const fn is_unused(&self) -> bool {
        self.accepted == 0 && self.refused.is_none()
    }

    /// “No request has been accepted since.”
    pub fn accepted_words(&self) -> String {
        match self.accepted {
            0 => "No request has been accepted since.".to_owned(),
            1 => "1 request has been accepted since.".to_owned(),
            many => format!("{} requests have been accepted since.", with_thousands(many)),
        }
    }
}

impl Refused {
    /// “4 were refused, the last”. The time of the last request follows.
    pub fn words(&self) -> String {
        match self.count {
            1 => "1 was rejected,".to_owned(),
            many => format!("{} were rejected, the last one", with_thousands(many)),
        }
    }
}

impl OldKeyUse {
    /// “6 days” without a request.
    pub fn not_for(days: u64) -> Self {
        Self::NotFor(pluralized(days, "day", "days"))
    }
}
