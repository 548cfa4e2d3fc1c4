//! The address of the API Keys list: tab, order, search and place. Every link to the list is written here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use crate::web::paths::API_KEYS as LIST;

const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Active,
    Revoked,
}

impl Tab {
    /// The tab that a `tab` parameter names.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "active" => Some(Self::Active),
            "revoked" => Some(Self::Revoked),
            _ => None,
        }
    }

    /// Its value as a parameter, which is also its word in a sentence: “7 active keys”.
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

    /// The order a tab has by itself: the newest, or the last revoked, first.
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
    /// The order that a `sort` parameter names on this tab.
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

    /// How a caption says it.
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

    /// What a click on a column's head asks for: the other way round where it is sorted by it already,
    /// else names from A, past dates from the newest and future ones from the next.
    #[must_use]
    pub fn clicked(self, column: Column) -> Self {
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
    /// Someone pasted a whole key: it is neither drawn nor carried into a link.
    WholeKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAddress {
    pub tab: Tab,
    pub sort: Sort,
    pub search: Search,
    pub cursor: Option<String>,
}

impl ListAddress {
    /// A tab as it is reached first: its own order, no search, the first page.
    #[must_use]
    pub fn of(tab: Tab) -> Self {
        Self { tab, sort: tab.default_sort(), search: Search::None, cursor: None }
    }

    #[must_use]
    pub fn href(&self) -> String {
        self.href_with(&[])
    }

    /// This address with further parameters.
    #[must_use]
    pub fn href_with(&self, more: &[(&str, &str)]) -> String {
        let mut parameters = Vec::with_capacity(4 + more.len());
        if self.tab != Tab::Active {
            parameters.push(("tab", self.tab.value()));
        }
        if let Search::Text(text) = &self.search {
            parameters.push(("q", text));
        }
        if self.sort != self.tab.default_sort() {
            parameters.push(("sort", self.sort.value()));
        }
        if let Some(cursor) = &self.cursor {
            parameters.push(("cursor", cursor));
        }
        parameters.extend_from_slice(more);
        with_query(LIST, &parameters)
    }

    /// The other tab, same search.
    #[must_use]
    pub fn on(&self, tab: Tab) -> Self {
        Self { search: self.search.clone(), ..Self::of(tab) }
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
    pub fn at(&self, cursor: Option<&str>) -> Self {
        Self { cursor: cursor.map(str::to_owned), ..self.clone() }
    }
}

/// A path with a query, its values encoded.
#[must_use]
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut href = path.to_owned();
    for (place, (name, value)) in parameters.iter().enumerate() {
        href.push(if place == 0 { '?' } else { '&' });
        href.push_str(name);
        href.push('=');
        href.extend(utf8_percent_encode(value, VALUE));
    }
    href
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_left_out_of_a_link() {
        assert_eq!(ListAddress::of(Tab::Active).href(), LIST);
        assert_eq!(ListAddress::of(Tab::Revoked).href(), format!("{LIST}?tab=revoked"));
    }

    #[test]
    fn a_search_keeps_its_letters_and_a_whole_key_stays_out_of_links() {
        let mut address = ListAddress::of(Tab::Active);
        address.search = Search::Text("a&b é=…".to_owned());
        address.cursor = Some("x+/=".to_owned());
        assert_eq!(address.href(), format!("{LIST}?q=a%26b%20%C3%A9%3D%E2%80%A6&cursor=x%2B%2F%3D"));
        address.search = Search::WholeKey;
        assert_eq!(address.at(None).on(Tab::Revoked).href(), format!("{LIST}?tab=revoked"));
    }

    #[test]
    fn an_order_is_read_back_as_it_was_written_on_the_tab_that_has_it() {
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
    fn a_second_click_on_a_head_turns_the_order_round_and_leaves_the_later_page() {
        let address = ListAddress::of(Tab::Active).at(Some("c"));
        let by_name = address.sorted(address.sort.clicked(Column::Name));
        assert_eq!(by_name.href(), format!("{LIST}?sort=name"));
        assert_eq!(by_name.sorted(by_name.sort.clicked(Column::Name)).href(), format!("{LIST}?sort=-name"));
        assert_eq!(address.sorted(address.sort.clicked(Column::Created)).href(), format!("{LIST}?sort=created"));
        assert_eq!(address.sorted(address.sort.clicked(Column::Expires)).href(), format!("{LIST}?sort=expires"));
    }
}
