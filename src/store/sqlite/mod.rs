//! Files that are read directly: SQLite's wal-index, and the identity of an installation's files.

mod file_watch;
mod wal_header;

pub(in crate::store) use file_watch::FileWatch;
pub(in crate::store) use wal_header::{WalHeader, WalIndex};
