//! The query of a list of keys, and its order.

use super::filter::KeyFilter;
use super::order::{PageRequest, SortBy, SortOrder};
use crate::domain::ids::CompanyId;
use crate::domain::timestamp::Timestamp;

/// Which keys are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTab {
    Active,
    /// Revoked and expired keys.
    Ended,
}

/// A query of the list of keys.
#[derive(Clone, Debug)]
pub struct KeyListQuery {
    pub company_id: CompanyId,
    pub tab: KeyTab,
    pub filter: KeyFilter,
    pub sort_by: SortBy,
    pub order: SortOrder,
    pub paging: PageRequest,
    pub page_size: usize,
    /// Decides which keys have ended.
    pub now: Timestamp,
}

impl KeyListQuery {
    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.page_size).unwrap_or(i64::MAX)
    }
}

/// Sorts a boxed query of keys joined with their service accounts by a column of these two tables. The last use is a
/// column of another one: `by_last_use` sorts by it.
macro_rules! sort_keys {
    ($keys:expr, $sort_by:expr, $order:expr) => {{
        use SortOrder::{Ascending, Descending};
        let keys = $keys;
        match ($sort_by, $order) {
            (SortBy::Created, Ascending) => keys.order((api_keys::created_at.asc(), api_keys::id.asc())),
            (SortBy::Created, Descending) => keys.order((api_keys::created_at.desc(), api_keys::id.desc())),
            (SortBy::Ended, Ascending) => keys.order((api_keys::ended_at.asc(), api_keys::id.asc())),
            (SortBy::Ended, Descending) => keys.order((api_keys::ended_at.desc(), api_keys::id.desc())),
            (SortBy::Name, Ascending) => keys.order((service_accounts::name_sort_key.asc(), api_keys::id.asc())),
            (SortBy::Name, Descending) => keys.order((service_accounts::name_sort_key.desc(), api_keys::id.desc())),
            (SortBy::LastUsed, _) => keys,
        }
    }};
}
pub(super) use sort_keys;
