//! The rail: the pages that it leads to, and how it marks where its reader is.

use crate::web::paths;

/// A page that the rail leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RailLink {
    ApiKeys,
    KeyPolicy,
    AuditTrail,
    Users,
}

/// The links under their labels.
const GROUPS: [(&str, &[RailLink]); 2] = [
    ("Company Settings", &[RailLink::ApiKeys, RailLink::KeyPolicy, RailLink::AuditTrail]),
    ("Access Control", &[RailLink::Users]),
];

impl RailLink {
    #[must_use]
    pub const fn href(self) -> &'static str {
        match self {
            Self::ApiKeys => paths::API_KEYS,
            Self::KeyPolicy => paths::KEY_POLICY,
            Self::AuditTrail => paths::AUDIT_TRAIL,
            Self::Users => paths::USERS,
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiKeys => "API Keys",
            Self::KeyPolicy => "Key Policy",
            Self::AuditTrail => "Audit Trail",
            Self::Users => "Users",
        }
    }
}

/// Where a page stands: every page within the shell has it as its `RAIL`.
#[derive(Clone, Copy, Debug)]
pub enum Rail {
    /// It is the page of that link.
    On(RailLink),
    /// It lies beneath the page of that link.
    Beneath(RailLink),
    /// The rail does not lead to it.
    Elsewhere,
}

impl Rail {
    pub(super) fn groups(self) -> Vec<RailGroup> {
        let group = |(label, links): (_, &[RailLink])| {
            let links = links.iter().map(|link| MarkedLink { link: *link, current: self.mark(*link) });
            RailGroup { label, links: links.collect() }
        };
        GROUPS.map(group).into()
    }

    fn mark(self, link: RailLink) -> Option<&'static str> {
        match self {
            Self::On(here) if here == link => Some("page"),
            Self::Beneath(above) if above == link => Some("true"),
            _ => None,
        }
    }
}

/// A group as one page draws it.
pub(super) struct RailGroup {
    pub(super) label: &'static str,
    pub(super) links: Vec<MarkedLink>,
}

pub(super) struct MarkedLink {
    pub(super) link: RailLink,
    /// The value of its `aria-current`.
    pub(super) current: Option<&'static str>,
}
