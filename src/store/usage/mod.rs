//! The usage of keys.

mod changes;
mod record;
mod refusals;

pub use changes::EndedKey;
pub use record::{KeyUsage, RecordedRequest, RefusalsAfterEnd};
pub use refusals::UnreportedRefusals;
