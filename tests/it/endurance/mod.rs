//! Figures of docs/endurance.md that have no other test. `make test` runs them with small counts.

mod at_rest;
mod broken_database;
mod clock_jumps;
mod hostile_input;
mod large_start;
mod lone_refusals;
mod power_loss;
mod recording;
mod sign_in_flood;
mod slow_clients;
mod soak;
mod stopped_postgres;
mod table;
