//! The dialog that edits a key and its service account.

pub mod fields;
pub mod handlers;
pub mod view;
