//! The API Keys page and everything that lies over it.

pub mod address;
mod answer;
pub mod audit_trail;
mod banner;
pub mod create;
mod cursor;
pub mod edit;
pub mod expiry;
pub mod identify;
pub mod key_page;
#[cfg(test)]
mod key_page_samples;
mod known_use;
pub mod list;
pub mod listing;
pub mod one_key;
pub mod revoke;
pub mod revoke_several;
pub mod rotate;
#[cfg(test)]
mod samples;
pub mod trail;
#[cfg(test)]
pub(in crate::web) mod trail_samples;
pub mod usage;
#[cfg(test)]
mod usage_samples;
mod use_by_day;
