//! Exports of the audit trail as CSV and JSON Lines.

pub mod csv;
pub mod encoder;
pub mod handlers;
pub mod json_lines;
pub mod row;
