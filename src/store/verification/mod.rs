//! Look-ups of presented keys and credentials.

mod key_cache;
mod lookup;
mod open_readers;
mod thread_reader;

pub use key_cache::wal_index_contradictions;
pub use lookup::{KeyForVerification, RenewalMark};
pub(in crate::store) use open_readers::OpenReaders;
pub(in crate::store) use thread_reader::OpenReader;
pub use thread_reader::{FoundIntrospection, IntrospectionRequest, ReadLocation, ThreadReader};
