//! The navigation: its links, and which of them is current.

use crate::web::paths;

/// A page with a link in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavItem {
    ApiKeys,
    Practice,
    KeyPolicy,
    AuditTrail,
    Evidence,
    General,
    Users,
}

/// The links in groups with headings.
const GROUPS: [(&str, &[NavItem]); 2] = [
    (
        "Company Settings",
        &[
            NavItem::ApiKeys,
            NavItem::Practice,
            NavItem::KeyPolicy,
            NavItem::AuditTrail,
            NavItem::Evidence,
            NavItem::General,
        ],
    ),
    ("Access Control", &[NavItem::Users]),
];

impl NavItem {
    #[must_use]
    pub const fn href(self) -> &'static str {
        match self {
            Self::ApiKeys => paths::API_KEYS,
            Self::Practice => paths::PRACTICE,
            Self::KeyPolicy => paths::KEY_POLICY,
            Self::AuditTrail => paths::AUDIT_TRAIL,
            Self::Evidence => paths::EVIDENCE,
            Self::General => paths::GENERAL,
            Self::Users => paths::USERS,
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiKeys => "API Keys",
            Self::Practice => "Practice",
            Self::KeyPolicy => "Key Policy",
            Self::AuditTrail => "Audit Trail",
            Self::Evidence => "Evidence",
            Self::General => "General",
            Self::Users => "Users",
        }
    }
}

/// The place of a page in the navigation. Every page with a [`PageLayout`](super::layout::PageLayout) has a constant
/// `NAVIGATION`.
#[derive(Clone, Copy, Debug)]
pub enum Navigation {
    /// The page of the link itself.
    On(NavItem),
    /// A page below the page of the link.
    Beneath(NavItem),
    /// A page without a link.
    Elsewhere,
}

impl Navigation {
    pub fn groups(self) -> Vec<NavGroup> {
        let group = |(label, links): (_, &[NavItem])| {
            let links = links.iter().map(|link| NavLink { link: *link, current: self.aria_current(*link) });
            NavGroup { label, links: links.collect() }
        };
        GROUPS.map(group).into()
    }

    fn aria_current(self, link: NavItem) -> Option<&'static str> {
        match self {
            Self::On(item) if item == link => Some("page"),
            Self::Beneath(item) if item == link => Some("true"),
            _ => None,
        }
    }
}

/// A group of links as one page shows it.
pub struct NavGroup {
    pub label: &'static str,
    pub links: Vec<NavLink>,
}

pub struct NavLink {
    pub link: NavItem,
    /// The value of `aria-current`.
    pub current: Option<&'static str>,
}
