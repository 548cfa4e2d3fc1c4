//! Copies all rows of a database into an empty one of either kind, and compares them.

mod copy;
mod error;
mod insert;
mod row;
mod source;
mod tables;
mod target;

pub use copy::{CopiedRows, CopyStep};
pub use error::CopyError;
pub(in crate::store) use tables::table_names;
