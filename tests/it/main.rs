//! Tests the product over HTTP, on SQLite or on the PostgreSQL server in `KEYDESK_TEST_POSTGRES_URL`.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod api;
mod backup;
mod cli;
mod endurance;
mod evidence;
mod fuzz;
mod gateways;
mod operation;
mod secrets;
mod store;
mod support;
mod web;
mod went_back;
mod witness;
