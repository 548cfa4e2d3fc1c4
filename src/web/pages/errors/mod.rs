//! Error pages and the middleware that renders them.

pub mod middleware;
pub mod view;
