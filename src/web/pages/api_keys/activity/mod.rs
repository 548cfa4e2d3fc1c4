//! Key activity: the events about keys, in a drawer over the list, on a page, and on the page of a key.

pub mod cursor;
pub mod handlers;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod summary;
pub mod view;
