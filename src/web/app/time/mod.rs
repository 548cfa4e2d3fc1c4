//! Formats timestamps for pages, in the user's time zone.

pub mod format;
pub mod relative;
pub mod view;
pub mod zone;
