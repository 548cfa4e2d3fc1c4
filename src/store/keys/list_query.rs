//! The query of a list of keys, and its filter.

use super::order::{PageRequest, SortBy, SortOrder};
use crate::domain::ids::CompanyId;
use crate::domain::text::normalize;
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
    /// Text that the name or the preview contains.
    pub search: Option<String>,
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

/// Filters a boxed query of keys joined with their service accounts. A macro, because a function would be written
/// once for each type of join.
macro_rules! filter_keys {
    ($keys:expr, $company_id:expr, $tab:expr, $search:expr, $now:expr) => {{
        let mut keys = $keys.filter(api_keys::company_id.eq($company_id));
        keys = match $tab {
            KeyTab::Active => keys.filter(api_keys::refused_from.gt($now)),
            KeyTab::Ended => keys.filter(api_keys::refused_from.le($now)),
        };
        if let Some(search) = $search {
            let pattern = $crate::store::keys::list_query::like_pattern(search);
            let in_name = service_accounts::name_folded.like(pattern.clone()).escape('\\');
            keys = keys.filter(in_name.or(api_keys::preview_folded.like(pattern).escape('\\')));
        }
        keys
    }};
}
pub(super) use filter_keys;

/// Returns the pattern for `LIKE` that matches folded text which contains `search`.
pub(super) fn like_pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in normalize::case_folded(search).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
