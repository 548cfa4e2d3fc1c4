//! Audit trails.

mod events;
mod filtered;
mod heads;
mod key_changes;
mod leaves;
mod witnessed;

pub use events::{EventListItem, KeyActivityQuery};
pub use filtered::TrailPageRequest;
pub use witnessed::{UnwitnessedCheckpoint, WitnessedCheckpoint};
