//! The filter of a list of keys.

use crate::domain::ids::UserId;
use crate::domain::practice::finding::Practice;
use crate::domain::practice::rules::{EXPIRY_NOTICE, UNUSED_PERIOD};
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;

/// Which keys of a tab are listed. Every part that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// Text that the name, the preview, the purpose, or the name of the owner or creator contains.
    pub search: Option<String>,
    pub owner: Option<UserId>,
    pub practice: Option<Practice>,
    pub expiry: Option<ExpiryFilter>,
    pub usage: Option<UsageFilter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryFilter {
    /// The key expires within [`EXPIRY_NOTICE`].
    Soon,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageFilter {
    Never,
    /// The key was used, but not within [`UNUSED_PERIOD`].
    Idle,
}

impl KeyFilter {
    /// Whether every key matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The latest expiry of a key that expires soon.
pub(super) fn soon(now: Timestamp) -> Timestamp {
    now + EXPIRY_NOTICE
}

/// The latest last use of an idle key.
pub(super) fn idle_since(now: Timestamp) -> Timestamp {
    now - UNUSED_PERIOD
}

diesel::infix_operator!(BitAnd, " & ", diesel::sql_types::BigInt);

/// Filters a boxed query of keys joined with their service accounts. A macro, because a function would be written
/// once for each type of join.
macro_rules! filter_keys {
    ($keys:expr, $company_id:expr, $tab:expr, $filter:expr, $now:expr) => {{
        use $crate::store::keys::filter::{self, BitAnd, ExpiryFilter, KeyFilter, UsageFilter};
        use $crate::store::schema::{key_assessments, users};
        let (company_id, now): (_, $crate::domain::timestamp::Timestamp) = ($company_id, $now);
        let filter: &KeyFilter = $filter;
        let mut keys = $keys.filter(api_keys::company_id.eq(company_id));
        keys = match $tab {
            KeyTab::Active => keys.filter(api_keys::refused_from.gt(now)),
            KeyTab::Ended => keys.filter(api_keys::refused_from.le(now)),
        };
        if let Some(search) = &filter.search {
            let pattern = filter::text_pattern(search);
            let people = || {
                users::table
                    .filter(users::company_id.eq(company_id))
                    .filter(users::name_search.like(filter::text_pattern(search)).escape('\\'))
                    .select(users::id)
            };
            let in_text = service_accounts::name_search
                .like(pattern.clone())
                .escape('\\')
                .or(service_accounts::purpose_search.like(pattern).escape('\\'))
                .or(api_keys::owner.eq_any(people()))
                .or(api_keys::created_by.eq_any(people()));
            keys = match filter::preview_pattern(search) {
                Some(pattern) => keys.filter(in_text.or(api_keys::preview_folded.like(pattern).escape('\\'))),
                None => keys.filter(in_text),
            };
        }
        if let Some(owner) = filter.owner {
            keys = keys.filter(api_keys::owner.eq(owner));
        }
        if let Some(practice) = filter.practice {
            let bits = $crate::domain::practice::finding::Findings::of(practice).bits();
            let found = key_assessments::table
                .filter(key_assessments::key_id.eq(api_keys::id))
                .filter(BitAnd::new(key_assessments::findings, bits.into_sql::<diesel::sql_types::BigInt>()).ne(0));
            keys = keys.filter(diesel::dsl::exists(found));
        }
        keys = match filter.expiry {
            None => keys,
            Some(ExpiryFilter::Soon) => keys.filter(api_keys::expires_at.le(filter::soon(now))),
            Some(ExpiryFilter::Never) => keys.filter(api_keys::expires_at.is_null()),
        };
        let usage = diesel::alias!(key_usage as filtered_usage);
        let of_key = usage.filter(usage.field(key_usage::key_id).eq(api_keys::id));
        let last_used_at = usage.field(key_usage::last_used_at);
        match filter.usage {
            None => keys,
            Some(UsageFilter::Never) => keys.filter(diesel::dsl::exists(of_key.filter(last_used_at.eq(0)))),
            Some(UsageFilter::Idle) => {
                let idle = last_used_at.gt(0).and(last_used_at.le(filter::idle_since(now).as_micros()));
                keys.filter(diesel::dsl::exists(of_key.filter(idle)))
            }
        }
    }};
}
pub(super) use filter_keys;

/// Returns the pattern for `LIKE` that matches folded texts which contain `search`, with or without diacritics.
pub(super) fn text_pattern(search: &str) -> String {
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
        assert_eq!(text_pattern("100% \\Ä_"), r"%100\% \\a\_%");
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
