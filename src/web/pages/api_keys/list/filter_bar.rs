//! The filters over the list: a form, and a chip for each filter that is set.

use crate::domain::practice::finding::Practice;
use crate::domain::practice::summary::Summary;
use crate::web::pages::api_keys::list_address::KeyListAddress;
use crate::web::pages::api_keys::list_filters::{
    EXPIRY_OPTIONS, FilterKind, Filters, USAGE_OPTIONS, expiry_word, usage_word,
};

#[derive(Clone, Debug, Default)]
pub struct FilterBar {
    pub chips: Vec<Chip>,
    pub owner: Vec<FilterOption>,
    pub practice: Vec<FilterOption>,
    pub expiry: Vec<FilterOption>,
    pub usage: Vec<FilterOption>,
}

/// A filter that is set, with a link that removes it.
#[derive(Clone, Debug)]
pub struct Chip {
    pub name: &'static str,
    pub value: String,
    pub href: String,
}

/// An option of a select.
#[derive(Clone, Debug)]
pub struct FilterOption {
    pub value: String,
    pub label: String,
    pub is_selected: bool,
}

/// A person whose keys can be listed.
#[derive(Clone, Debug)]
pub struct Owner {
    pub id: String,
    pub name: String,
}

impl FilterBar {
    /// The filters of a list. `owner` is the owner whose keys are listed; `you` is the user who looks at it.
    #[must_use]
    pub fn new(address: &KeyListAddress, summary: &Summary, owner: Option<&Owner>, you: &Owner) -> Self {
        let filters = address.filters;
        let practice_found =
            |practice: &Practice| summary.keys_with(*practice) > 0 || filters.practice == Some(*practice);
        Self {
            chips: chips(address, owner),
            owner: owners(owner, you),
            practice: Practice::ALL
                .into_iter()
                .filter(practice_found)
                .map(|practice| option(practice.as_str(), practice.label(), filters.practice == Some(practice)))
                .collect(),
            expiry: EXPIRY_OPTIONS
                .map(|(expiry, label)| option(expiry_word(expiry), label, filters.expiry == Some(expiry)))
                .into(),
            usage: USAGE_OPTIONS
                .map(|(usage, label)| option(usage_word(usage), label, filters.usage == Some(usage)))
                .into(),
        }
    }
}

fn option(value: &str, label: &str, is_selected: bool) -> FilterOption {
    FilterOption { value: value.to_owned(), label: label.to_owned(), is_selected }
}

fn owners(owner: Option<&Owner>, you: &Owner) -> Vec<FilterOption> {
    let is_you = owner.is_some_and(|owner| owner.id == you.id);
    let mut options = vec![option(&you.id, "You", is_you)];
    options.extend(owner.filter(|_| !is_you).map(|owner| option(&owner.id, &owner.name, true)));
    options
}

fn chips(address: &KeyListAddress, owner: Option<&Owner>) -> Vec<Chip> {
    let Filters { practice, expiry, usage, .. } = address.filters;
    let chip = |kind, name, value: String| Chip { name, value, href: address.without(kind).href() };
    let label = |found: Option<&str>| found.unwrap_or_default().to_owned();
    [
        owner.map(|owner| chip(FilterKind::Owner, "Owner", owner.name.clone())),
        practice.map(|practice| chip(FilterKind::Practice, "Practice", practice.label().to_owned())),
        expiry.map(|expiry| {
            let option = EXPIRY_OPTIONS.iter().find(|(option, _)| *option == expiry);
            chip(FilterKind::Expiry, "Expires", label(option.map(|(_, label)| *label)))
        }),
        usage.map(|usage| {
            let option = USAGE_OPTIONS.iter().find(|(option, _)| *option == usage);
            chip(FilterKind::Usage, "Last used", label(option.map(|(_, label)| *label)))
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
