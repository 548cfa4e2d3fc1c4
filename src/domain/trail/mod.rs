//! The audit trail: events, the Merkle tree over them, checkpoints, proofs and exports.

pub mod action;
pub mod check;
pub mod checkpoint;
pub mod consistency;
pub mod consistency_file;
pub mod event;
pub mod event_detail;
pub mod event_values;
pub mod export;
pub mod export_check;
pub mod export_error;
pub mod filter;
pub mod inclusion;
pub mod key_chain;
pub mod key_change;
pub mod leaf;
pub mod merkle;
pub mod note_scanner;
pub mod remembered;
pub mod replay;
pub mod shortfall;
pub mod signed_document;
pub mod tree;
