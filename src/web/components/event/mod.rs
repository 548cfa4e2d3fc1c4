//! The view of an event: the same text on every page.

pub mod labels;
pub mod text;
pub mod view;
