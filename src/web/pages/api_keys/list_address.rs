//! The address of the key list: tab, order, search, filters and cursor. Every link to the list is built here.

use super::list_filters::{FilterKind, Filters};
use crate::web::paths::{API_KEYS, EXPORT_API_KEYS};
use crate::web::url::with_query;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Active,
    Revoked,
}

impl Tab {
    /// Parses the parameter `tab`.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "active" => Some(Self::Active),
            "revoked" => Some(Self::Revoked),
            _ => None,
        }
    }

    /// The value of the parameter `tab`, also used in text: “7 active keys”.
    #[must_use]
    pub fn value(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Active => Self::Revoked,
            Self::Revoked => Self::Active,
        }
    }

    /// The default order: newest, or most recently revoked, first.
    #[must_use]
    pub fn default_sort(self) -> Sort {
        let column = match self {
            Self::Active => Column::Created,
            Self::Revoked => Column::Revoked,
        };
        Sort { column, descending: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Name,
    Created,
    Expires,
    LastUsed,
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

impl Sort {
    /// Parses the parameter `sort` for a tab.
    #[must_use]
    pub fn parse(tab: Tab, value: &str) -> Option<Self> {
        let (column, descending) = value.strip_prefix('-').map_or((value, false), |column| (column, true));
        let column = match (column, tab) {
            ("name", _) => Column::Name,
            ("created", _) => Column::Created,
            ("expires", Tab::Active) => Column::Expires,
            ("last-used", Tab::Active) => Column::LastUsed,
            ("revoked", Tab::Revoked) => Column::Revoked,
            _ => return None,
        };
        Some(Self { column, descending })
    }

    #[must_use]
    pub fn value(self) -> &'static str {
        match (self.column, self.descending) {
            (Column::Name, false) => "name",
            (Column::Name, true) => "-name",
            (Column::Created, false) => "created",
            (Column::Created, true) => "-created",
            (Column::Expires, false) => "expires",
            (Column::Expires, true) => "-expires",
            (Column::LastUsed, false) => "last-used",
            (Column::LastUsed, true) => "-last-used",
            (Column::Revoked, false) => "revoked",
            (Column::Revoked, true) => "-revoked",
        }
    }

    /// The order in the caption of the table.
    #[must_use]
    pub fn words(self) -> &'static str {
        match (self.column, self.descending) {
            (Column::Name, false) => "by name, A to Z",
            (Column::Name, true) => "by name, Z to A",
            (Column::Created, false) => "oldest first",
            (Column::Created, true) => "newest first",
            (Column::Expires, false) => "first to expire first",
            (Column::Expires, true) => "last to expire first",
            (Column::LastUsed, false) => "least recently used first",
            (Column::LastUsed, true) => "most recently used first",
            (Column::Revoked, false) => "first ended first",
            (Column::Revoked, true) => "most recently ended first",
        }
    }

    /// The order after a click on a column head. A second click reverses the order. The first click sorts names from
    /// A to Z, past dates from the newest, and future dates from the next.
    #[must_use]
    pub fn toggled(self, column: Column) -> Self {
        let descending = if self.column == column {
            !self.descending
        } else {
            matches!(column, Column::Created | Column::LastUsed | Column::Revoked)
        };
        Self { column, descending }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    None,
    Text(String),
    /// The text contains a whole key, which neither the page nor its links repeat.
    WholeKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyListAddress {
    pub tab: Tab,
    pub sort: Sort,
    pub search: Search,
    pub filters: Filters,
    pub cursor: Option<String>,
}

impl KeyListAddress {
    /// The first page of a tab in its default order, without a search.
    #[must_use]
    pub fn of(tab: Tab) -> Self {
        Self { tab, sort: tab.default_sort(), search: Search::None, filters: Filters::NONE, cursor: None }
    }

    /// The active keys with these filters.
    #[must_use]
    pub fn filtered(filters: Filters) -> Self {
        Self { filters, ..Self::of(Tab::Active) }
    }

    #[must_use]
    pub fn href(&self) -> String {
        self.href_with(&[])
    }

    /// This address with further parameters.
    #[must_use]
    pub fn href_with(&self, more: &[(&str, &str)]) -> String {
        self.at_path(API_KEYS, more)
    }

    /// The export of these keys.
    #[must_use]
    pub fn export_href(&self) -> String {
        self.at(None).at_path(EXPORT_API_KEYS, &[])
    }

    fn at_path(&self, path: &str, more: &[(&str, &str)]) -> String {
        let filters = self.filters.parameters();
        let mut parameters = Vec::with_capacity(8 + more.len());
        if self.tab != Tab::Active {
            parameters.push(("tab", self.tab.value()));
        }
        if let Search::Text(text) = &self.search {
            parameters.push(("q", text));
        }
        parameters.extend(filters.iter().map(|(name, value)| (*name, value.as_str())));
        if self.sort != self.tab.default_sort() {
            parameters.push(("sort", self.sort.value()));
        }
        if let Some(cursor) = &self.cursor {
            parameters.push(("cursor", cursor));
        }
        parameters.extend_from_slice(more);
        with_query(path, &parameters)
    }

    /// Another tab with the same search and owner. The other filters are about active keys.
    #[must_use]
    pub fn on(&self, tab: Tab) -> Self {
        let filters = Filters { owner: self.filters.owner, ..Filters::NONE };
        Self { search: self.search.clone(), filters, ..Self::of(tab) }
    }

    #[must_use]
    pub fn sorted(&self, sort: Sort) -> Self {
        Self { sort, cursor: None, ..self.clone() }
    }

    #[must_use]
    pub fn unsearched(&self) -> Self {
        Self { search: Search::None, cursor: None, ..self.clone() }
    }

    #[must_use]
    pub fn without(&self, kind: FilterKind) -> Self {
        Self { filters: self.filters.without(kind), cursor: None, ..self.clone() }
    }

    /// Whether all keys of the tab are listed.
    #[must_use]
    pub fn lists_all(&self) -> bool {
        self.search == Search::None && self.filters == Filters::NONE
    }

    #[must_use]
    pub fn at(&self, cursor: Option<&str>) -> Self {
        Self { cursor: cursor.map(str::to_owned), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_omit_default_values() {
        assert_eq!(KeyListAddress::of(Tab::Active).href(), API_KEYS);
        assert_eq!(KeyListAddress::of(Tab::Revoked).href(), format!("{API_KEYS}?tab=revoked"));
    }

    #[test]
    fn links_encode_the_search_and_omit_a_whole_key() {
        let mut address = KeyListAddress::of(Tab::Active);
        address.search = Search::Text("a&b é=…".to_owned());
        address.cursor = Some("x+/=".to_owned());
        assert_eq!(address.href(), format!("{API_KEYS}?q=a%26b%20%C3%A9%3D%E2%80%A6&cursor=x%2B%2F%3D"));
        address.search = Search::WholeKey;
        assert_eq!(address.at(None).on(Tab::Revoked).href(), format!("{API_KEYS}?tab=revoked"));
    }

    #[test]
    fn an_order_round_trips_on_its_own_tab_only() {
        for value in ["name", "-name", "created", "-created", "revoked", "-revoked"] {
            assert_eq!(Sort::parse(Tab::Revoked, value).map(Sort::value), Some(value));
        }
        for value in ["expires", "-expires", "last-used", "-last-used"] {
            assert_eq!(Sort::parse(Tab::Active, value).map(Sort::value), Some(value));
            assert_eq!(Sort::parse(Tab::Revoked, value), None, "{value}");
        }
        for value in ["revoked", "-revoked", "", "-", "--name", "Name", "Expires"] {
            assert_eq!(Sort::parse(Tab::Active, value), None, "{value}");
        }
    }

    #[test]
    fn a_second_click_reverses_the_order_and_drops_the_cursor() {
        let address = KeyListAddress::of(Tab::Active).at(Some("c"));
        let by_name = address.sorted(address.sort.toggled(Column::Name));
        assert_eq!(by_name.href(), format!("{API_KEYS}?sort=name"));
        assert_eq!(by_name.sorted(by_name.sort.toggled(Column::Name)).href(), format!("{API_KEYS}?sort=-name"));
        assert_eq!(address.sorted(address.sort.toggled(Column::Created)).href(), format!("{API_KEYS}?sort=created"));
        assert_eq!(address.sorted(address.sort.toggled(Column::Expires)).href(), format!("{API_KEYS}?sort=expires"));
    }
}
