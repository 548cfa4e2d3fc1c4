//! Files of SQLite that are read directly.

mod wal_header;

pub(in crate::store) use wal_header::{WalHeader, WalIndex};
