//! The address of the Audit Trail page with its filters. Every link to the page is built here.

use crate::domain::trail::action::Action;
use crate::web::paths::{AUDIT_TRAIL, EVIDENCE};
use crate::web::url::with_query;

/// The filters, as the parameters of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailAddress {
    /// The date as typed.
    pub from: String,
    /// The date as typed.
    pub to: String,
    /// The id of a user, or the type of another actor.
    pub user: Option<String>,
    pub actions: Vec<Action>,
    /// The id of the key.
    pub key: Option<String>,
}

impl TrailAddress {
    /// All events of one key.
    #[must_use]
    pub fn of_key(id: &str) -> Self {
        Self { key: Some(id.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        *self == Self::default()
    }

    /// The page with the newest events.
    #[must_use]
    pub fn href(&self) -> String {
        self.href_below("", &[])
    }

    #[must_use]
    pub fn page_href(&self, cursor: &str) -> String {
        self.href_below("", &[("cursor", cursor)])
    }

    /// The dialog of one event, over the page at this cursor.
    #[must_use]
    pub fn event_href(&self, id: &str, cursor: Option<&str>) -> String {
        let cursor: Vec<_> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
        self.href_below(&format!("/{id}"), &cursor)
    }

    #[must_use]
    pub fn csv_href(&self) -> String {
        self.href_below("/export.csv", &[])
    }

    #[must_use]
    pub fn json_lines_href(&self) -> String {
        self.href_below("/export.jsonl", &[])
    }

    /// The page on which the matching events are exported with a proof.
    #[must_use]
    pub fn evidence_href(&self) -> String {
        with_query(EVIDENCE, &self.parameters())
    }

    /// The same filters for other days.
    #[must_use]
    pub fn with_dates(&self, from: String, to: String) -> Self {
        Self { from, to, ..self.clone() }
    }

    /// The same filters for one key, or for all keys.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// The filters in use, as names and values.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        let mut parameters = Vec::new();
        let is_set = |value: &str| !value.is_empty();
        parameters.extend(Some(("from", self.from.as_str())).filter(|(_, value)| is_set(value)));
        parameters.extend(Some(("to", self.to.as_str())).filter(|(_, value)| is_set(value)));
        parameters.extend(self.user.as_deref().map(|id| ("user", id)));
        parameters.extend(self.actions.iter().map(|action| ("action", action.as_str())));
        parameters.extend(self.key.as_deref().map(|id| ("key", id)));
        parameters
    }

    fn href_below(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = self.parameters();
        parameters.extend_from_slice(more);
        with_query(&format!("{AUDIT_TRAIL}{path}"), &parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_the_filters_in_use_and_no_others() {
        assert_eq!(TrailAddress::default().href(), AUDIT_TRAIL);
        let address = TrailAddress {
            from: "2026-11-01".to_owned(),
            actions: vec![Action::ApiKeyRevoked, Action::UserDeleted],
            ..TrailAddress::of_key("k")
        };
        let query = "from=2026-11-01&action=api_key.revoked&action=user.deleted&key=k";
        assert_eq!(address.csv_href(), format!("{AUDIT_TRAIL}/export.csv?{query}"));
        assert_eq!(address.json_lines_href(), format!("{AUDIT_TRAIL}/export.jsonl?{query}"));
        assert_eq!(address.event_href("e", Some("c")), format!("{AUDIT_TRAIL}/e?{query}&cursor=c"));
        assert_eq!(address.evidence_href(), format!("{EVIDENCE}?{query}"));
        assert!(!address.with_key(None).href().contains("key="));
        let today = address.with_dates("2026-11-23".to_owned(), "2026-11-23".to_owned());
        assert_eq!(today.href(), format!("{AUDIT_TRAIL}?from=2026-11-23&to=2026-11-23&{}", &query[16..]));
    }
}
