//! API keys.

mod by_last_use;
mod changes;
mod counts;
mod endings;
mod list;
mod list_item;
mod list_query;
mod list_start;
mod order;
mod prefixes;
mod record;
mod scan;
mod selections;

pub use counts::{KeyCounts, KeyStateCounts};
pub(in crate::store) use endings::EndColumns;
pub use list::KeyListSlice;
pub use list_item::KeyListItem;
pub use list_query::{KeyListQuery, KeyTab};
pub use list_start::KeyListStart;
pub use order::{CursorPosition, PageRequest, SortBy, SortKey, SortOrder};
pub use record::{KeyRecord, NewKeyRecord};
pub use scan::KeyScan;
pub use selections::PolicyViolation;
