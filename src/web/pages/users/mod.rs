//! The Users page and its dialogs.

pub mod change_role;
pub mod cursor;
pub mod delete;
pub mod handlers;
pub mod invitation;
pub mod invite;
pub mod load;
#[cfg(test)]
pub(crate) mod samples;
pub mod view;
