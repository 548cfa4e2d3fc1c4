//! What good practice asks of an active key: the findings of one key, from facts about it.

pub mod clients;
pub mod finding;
pub mod naming;
pub mod rules;
pub mod summary;
pub mod wording;
