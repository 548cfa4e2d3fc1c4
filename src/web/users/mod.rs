//! The Users page and everything that lies over it.

pub mod change_role;
mod cursor;
pub mod delete;
pub mod invite;
pub mod list;
pub mod listing;
#[cfg(test)]
mod samples;
