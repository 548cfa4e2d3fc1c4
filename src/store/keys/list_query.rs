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
            use $crate::store::keys::list_query::{name_pattern, preview_pattern};
            let in_name = service_accounts::name_search.like(name_pattern(search)).escape('\\');
            keys = match preview_pattern(search) {
                Some(pattern) => keys.filter(in_name.or(api_keys::preview_folded.like(pattern).escape('\\'))),
                None => keys.filter(in_name),
            };
        }
        keys
    }};
}
pub(super) use filter_keys;

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

/// Returns the pattern for `LIKE` that matches names which contain `search`, with or without diacritics.
pub(super) fn name_pattern(search: &str) -> String {
    containing(&normalize::search_folded(search))
}

/// Returns the pattern for `LIKE` that matches previews in whose random part `search` occurs, or `None` if it cannot occur
/// there. A search must reach that part: every preview has the prefix, the underscore and the ellipsis.
pub(super) fn preview_pattern(search: &str) -> Option<String> {
    let folded = normalize::case_folded(search);
    let in_random_part = folded.rsplit_once('_').map_or(&*folded, |(_, rest)| rest);
    if !in_random_part.contains(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    Some(if folded.contains('_') { containing(&folded) } else { format!("%\\_{}", containing(&folded)) })
}

fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_searched_as_they_are() {
        assert_eq!(name_pattern("100% \\Ä_"), r"%100\% \\a\_%");
    }

    #[test]
    fn a_preview_matches_by_its_random_part() {
        assert_eq!(preview_pattern("7Hq2").as_deref(), Some(r"%\_%7hq2%"));
        assert_eq!(preview_pattern("goa").as_deref(), Some(r"%\_%goa%"));
        assert_eq!(preview_pattern("goa_7Hq2…9fKd").as_deref(), Some(r"%goa\_7hq2…9fkd%"));
        assert_eq!(preview_pattern("a_7").as_deref(), Some(r"%a\_7%"));
        for search in ["_", "goa_", "a_", "…", "_…", "__", "é"] {
            assert_eq!(preview_pattern(search), None, "{search}");
        }
    }
}
