//! Sessions: the signed cookie, and the rows that its token identifies.

pub mod cookie;
pub mod start;
pub mod store;
