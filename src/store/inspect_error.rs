//! Why a database cannot be used.

use std::path::PathBuf;

use crate::domain::text::escape::Quoted;
use crate::store::error::StoreError;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error(
        "A connection pooler between Keydesk and PostgreSQL gives each transaction another connection, so settings and locks of a session are lost. Set pool_mode = session in it for Keydesk, or connect to PostgreSQL directly."
    )]
    Pooled,
    #[error(
        "The database {database} holds tables of another program, such as {}. Name another one with --database-url.",
        Quoted(.table)
    )]
    OtherProgram { database: String, table: String },
    #[error("The file {} is no SQLite database. Name another one with --database-url.", .0.display())]
    NoSqlite(PathBuf),
    #[error(
        "PostgreSQL does not let the role {role} {verb} rows of the table {table}, which belongs to {owner}. Grant it SELECT, INSERT, UPDATE and DELETE on all tables of Keydesk, or name the role {owner} in --database-url.",
        role = Quoted(.role),
        table = Quoted(.table),
        owner = Quoted(.owner)
    )]
    Denied { role: String, verb: &'static str, table: String, owner: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}
