//! What is special to SQLite: its files and its pages.

mod pages;
pub(in crate::store) mod wal_checkpointer;
mod wal_header;

pub use pages::PageCount;
pub(in crate::store) use wal_header::{WalHeader, WalIndex};
