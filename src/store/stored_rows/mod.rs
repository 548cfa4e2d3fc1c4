//! Rows as they are stored, with values that may have been changed by hand, and the integrity of the files.

mod integrity;
mod keys;
mod rows;

pub use integrity::Integrity;
