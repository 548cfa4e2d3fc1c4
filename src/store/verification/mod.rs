//! Look-ups of presented keys and credentials.

mod key_cache;
mod lookup;
mod thread_reader;

pub use lookup::KeyForVerification;
pub use thread_reader::{FoundIntrospection, IntrospectionRequest, ReadLocation, ThreadReader};
