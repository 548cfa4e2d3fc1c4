//! What good practice finds about keys: the findings of each key, their numbers, and the queue of keys to assess.

mod changes;
mod facts;
mod record;

pub use record::{PracticeDay, PracticeState};
