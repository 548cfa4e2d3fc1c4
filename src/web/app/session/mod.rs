//! Sessions: the signed cookie, and the rows that its token identifies.

pub mod cookie;
pub mod cookie_keys;
pub mod start;
pub mod store;
