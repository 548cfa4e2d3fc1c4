//! API keys.

mod by_last_use;
mod changes;
mod counts;
mod endings;
mod export;
mod filter;
mod list;
mod list_item;
mod list_page;
mod list_page_sql;
mod list_query;
mod order;
mod prefixes;
mod record;
mod scan;
mod selections;

pub use counts::{KeyCounts, KeyStateCounts};
pub(in crate::store) use endings::EndColumns;
pub use export::KeyExportDetails;
pub use filter::{ExpiryFilter, KeyFilter, UsageFilter};
pub use list::KeyListSlice;
pub use list_item::KeyListItem;
pub use list_page::KeyListPage;
pub use list_query::{KeyListQuery, KeyTab};
pub use order::{CursorPosition, PageRequest, SortBy, SortKey, SortOrder};
pub use record::{KeyRecord, NewKeyRecord};
pub use scan::KeyScan;
pub use selections::{AccountKeysRequest, KeyLifetime, PolicyViolation};
