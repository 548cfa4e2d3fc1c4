//! Components that several pages share.

pub mod dialog;
pub mod download;
pub mod event;
pub mod field;
pub mod key_use;
pub mod layout;
pub mod navigation;
pub mod paging;
pub mod people;
#[cfg(test)]
pub(crate) mod samples;
pub mod trend;
pub mod versioned_form;
