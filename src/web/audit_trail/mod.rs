//! The Audit Trail page: every event of a company, filtered, one by one, and taken away as a file.

pub mod address;
mod asked;
pub mod checkpoint;
mod csv;
mod cursor;
pub mod detail;
pub mod export;
mod exported;
mod files;
mod json_lines;
mod labels;
pub mod listing;
pub mod page;
#[cfg(test)]
mod samples;
mod sentence;
pub mod told;
pub mod witnesses;
