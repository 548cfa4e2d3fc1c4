//! The whole product over real HTTP: on SQLite, or on the PostgreSQL that `KEYDESK_TEST_POSTGRES_URL` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod cli;
mod evidence;
mod gateways;
mod store;
mod support;
mod web;
mod witness;
