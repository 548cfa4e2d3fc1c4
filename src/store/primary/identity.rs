//! Asks a PostgreSQL server which server it is.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{PgConnection, sql_query};

use crate::domain::lease::ServerIdentity;
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;

#[derive(QueryableByName)]
struct IdentityRow {
    #[diesel(sql_type = BigInt)]
    system: i64,
    #[diesel(sql_type = Nullable<Text>)]
    timeline: Option<String>,
    #[diesel(sql_type = BigInt)]
    started_at: i64,
    #[diesel(sql_type = Bool)]
    has_standby: bool,
}

/// A primary as it describes itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct DescribedServer {
    pub identity: ServerIdentity,
    /// Whether a commit waits for a standby.
    pub has_synchronous_standby: bool,
}

/// The control file names the timeline of the last checkpoint, which may precede a promotion; the name of the current
/// log file does not.
const DESCRIBE: &str = "SELECT (SELECT system_identifier FROM pg_control_system()) AS system, \
     CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline, \
     (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started_at, \
     current_setting('synchronous_standby_names') <> '' AS has_standby";

/// Describes the server of a connection.
///
/// # Errors
/// [`StoreError::Unavailable`] if it is a standby.
pub(super) fn describe(connection: &mut PgConnection) -> Result<DescribedServer, StoreError> {
    let row: IdentityRow = sql_query(DESCRIBE).get_result(connection)?;
    let timeline = row.timeline.ok_or_else(StoreError::standby)?;
    let timeline = u32::from_str_radix(&timeline, 16).map_err(StoreError::unexpected)?;
    let started_at = Timestamp::from_micros(row.started_at);
    Ok(DescribedServer {
        identity: ServerIdentity { system: row.system, timeline, started_at },
        has_synchronous_standby: row.has_standby,
    })
}
