//! The filters of the key list, beside its search: owner, practice, expiry and use.

use crate::domain::ids::UserId;
use crate::domain::practice::finding::Practice;
use crate::http::body::Fields;
use crate::store::{ExpiryFilter, UsageFilter};
use crate::web::app::error::PageError;

/// The filters that the address of the list holds. All of them must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    pub owner: Option<UserId>,
    pub practice: Option<Practice>,
    pub expiry: Option<ExpiryFilter>,
    pub usage: Option<UsageFilter>,
}

/// One of the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterKind {
    Owner,
    Practice,
    Expiry,
    Usage,
}

impl Filters {
    pub const NONE: Self = Self { owner: None, practice: None, expiry: None, usage: None };

    /// Parses the parameters of a query. An empty value, which a form sends for “Any”, is no filter.
    ///
    /// # Errors
    /// [`PageError::PageNotFound`] for an unknown word, [`PageError::UserNotFound`] for a malformed owner.
    pub fn parse(query: &Fields) -> Result<Self, PageError> {
        let value = |name| Ok::<_, PageError>(Some(query.get_or_empty(name)?).filter(|value| !value.is_empty()));
        let unknown = || PageError::PageNotFound;
        let owner = value("owner")?.map(|id| UserId::parse(id).ok_or(PageError::UserNotFound)).transpose()?;
        let practice = value("practice")?.map(|word| Practice::parse(word).ok_or_else(unknown)).transpose()?;
        let expiry = value("expires")?.map(|word| parse_expiry(word).ok_or_else(unknown)).transpose()?;
        let usage = value("used")?.map(|word| parse_usage(word).ok_or_else(unknown)).transpose()?;
        Ok(Self { owner, practice, expiry, usage })
    }

    /// The parameters of these filters.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let owner = self.owner.map(|owner| ("owner", owner.to_string()));
        let practice = self.practice.map(|practice| ("practice", practice.as_str().to_owned()));
        let expiry = self.expiry.map(|expiry| ("expires", expiry_word(expiry).to_owned()));
        let usage = self.usage.map(|usage| ("used", usage_word(usage).to_owned()));
        [owner, practice, expiry, usage].into_iter().flatten().collect()
    }

    #[must_use]
    pub fn without(self, kind: FilterKind) -> Self {
        match kind {
            FilterKind::Owner => Self { owner: None, ..self },
            FilterKind::Practice => Self { practice: None, ..self },
            FilterKind::Expiry => Self { expiry: None, ..self },
            FilterKind::Usage => Self { usage: None, ..self },
        }
    }
}

/// Every value of `expires`, with its label.
pub const EXPIRY_OPTIONS: [(ExpiryFilter, &str); 2] =
    [(ExpiryFilter::Soon, "Within 30 days"), (ExpiryFilter::Never, "Never")];
/// Every value of `used`, with its label.
pub const USAGE_OPTIONS: [(UsageFilter, &str); 2] =
    [(UsageFilter::Never, "Never"), (UsageFilter::Idle, "Not for 90 days")];

#[must_use]
pub const fn expiry_word(expiry: ExpiryFilter) -> &'static str {
    match expiry {
        ExpiryFilter::Soon => "soon",
        ExpiryFilter::Never => "never",
    }
}

#[must_use]
pub const fn usage_word(usage: UsageFilter) -> &'static str {
    match usage {
        UsageFilter::Never => "never",
        UsageFilter::Idle => "idle",
    }
}

fn parse_expiry(word: &str) -> Option<ExpiryFilter> {
    EXPIRY_OPTIONS.into_iter().map(|(expiry, _)| expiry).find(|expiry| expiry_word(*expiry) == word)
}

fn parse_usage(word: &str) -> Option<UsageFilter> {
    USAGE_OPTIONS.into_iter().map(|(usage, _)| usage).find(|usage| usage_word(*usage) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Result<Filters, PageError> {
        Filters::parse(&Fields::decode(query.as_bytes()).unwrap())
    }

    #[test]
    fn filters_round_trip() {
        let filters = parsed("practice=owner-gone&expires=soon&used=idle&owner=").unwrap();
        assert_eq!(filters.practice, Some(Practice::OwnerGone));
        assert_eq!(
            filters.parameters().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["practice", "expires", "used"]
        );
        assert_eq!(filters.without(FilterKind::Practice).practice, None);
        assert_eq!(parsed("").unwrap(), Filters::NONE);
    }

    #[test]
    fn unknown_words_are_not_found() {
        for query in ["practice=x", "expires=later", "used=often", "practice=Owner-Gone"] {
            assert!(matches!(parsed(query), Err(PageError::PageNotFound)), "{query}");
        }
        assert!(matches!(parsed("owner=x"), Err(PageError::UserNotFound)));
    }
}
