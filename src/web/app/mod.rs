//! The base of all pages: shared state, sessions, guards, errors as values, responses.

pub mod assets;
pub mod change_outcome;
pub mod compression;
pub mod cookie_names;
pub mod device;
pub mod error;
pub mod flash;
pub mod form_version;
pub mod guards;
mod hashing;
pub mod inline_reader;
pub mod page_context;
pub mod query;
pub mod respond;
pub mod same_origin;
pub mod session;
pub mod sign_in_outcomes;
pub mod state;
pub mod text;
pub mod time;
