//! The address of the Audit Trail page and of what is filtered there. Every link to it is written here.

use crate::domain::action::Action;
use crate::web::keys::address::with_query;
use crate::web::paths::AUDIT_TRAIL;

/// What is filtered, as the parameters of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailAddress {
    /// As typed.
    pub from: String,
    /// As typed.
    pub to: String,
    /// A user's id.
    pub user: Option<String>,
    pub actions: Vec<Action>,
    /// A key's id.
    pub key: Option<String>,
}

impl TrailAddress {
    /// Every event of one key.
    #[must_use]
    pub fn of_key(id: &str) -> Self {
        Self { key: Some(id.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        *self == Self::default()
    }

    /// The page, with its newest events.
    #[must_use]
    pub fn href(&self) -> String {
        self.below("", &[])
    }

    #[must_use]
    pub fn page_href(&self, cursor: &str) -> String {
        self.below("", &[("cursor", cursor)])
    }

    /// One event over the page, at the same place.
    #[must_use]
    pub fn event_href(&self, id: &str, cursor: Option<&str>) -> String {
        let cursor: Vec<_> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
        self.below(&format!("/{id}"), &cursor)
    }

    #[must_use]
    pub fn csv_href(&self) -> String {
        self.below("/export.csv", &[])
    }

    #[must_use]
    pub fn json_lines_href(&self) -> String {
        self.below("/export.jsonl", &[])
    }

    /// The same for one key, or for all.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// What is filtered, for a form that keeps it.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        let mut parameters = Vec::new();
        let given = |value: &str| !value.is_empty();
        parameters.extend(Some(("from", self.from.as_str())).filter(|(_, value)| given(value)));
        parameters.extend(Some(("to", self.to.as_str())).filter(|(_, value)| given(value)));
        parameters.extend(self.user.as_deref().map(|id| ("user", id)));
        parameters.extend(self.actions.iter().map(|action| ("action", action.as_str())));
        parameters.extend(self.key.as_deref().map(|id| ("key", id)));
        parameters
    }

    fn below(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = self.parameters();
        parameters.extend_from_slice(more);
        with_query(&format!("{AUDIT_TRAIL}{path}"), &parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filtered_stands_in_every_link_and_what_is_not_is_left_out() {
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
        assert!(!address.with_key(None).href().contains("key="));
    }
}
