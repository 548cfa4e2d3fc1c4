//! Replays the events of a trail: what they say about keys, service accounts, users, settings and gateways is compared
//! with the stored rows.

mod account;
mod company;
mod comparison;
mod gateway;
mod key;
mod recorded_change;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod user;

pub use comparison::{Difference, DifferenceKind, Subject, SubjectKind};
pub use recorded_change::RecordedChange;
pub use state::{Replay, ReplayCounts};
pub use stored::{StoredAccount, StoredCompany, StoredGateway, StoredKey, StoredUser};
