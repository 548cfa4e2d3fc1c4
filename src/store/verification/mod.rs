//! Look-ups of presented keys and credentials.

mod key_cache;
mod lookup;
mod thread_reader;

pub use key_cache::wal_index_contradictions;
pub use lookup::KeyForVerification;
pub use thread_reader::{FoundIntrospection, IntrospectionRequest, ReadLocation, ThreadReader};
