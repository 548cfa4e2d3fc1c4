//! The lock that keeps a copy of a whole PostgreSQL database and servers apart. On SQLite, a copy locks the file.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;

/// An arbitrary number: the advisory lock that servers share, and that a copy takes alone.
const SERVING_LOCK: i64 = 0x006b_6579_6465_736d;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// Takes the lock for a server until the connection ends. Returns whether that succeeded: a copy may have it.
pub(super) fn share(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let query = format!("SELECT pg_try_advisory_lock_shared({SERVING_LOCK}) AS answer");
    Ok(diesel::sql_query(query).get_result::<Answer>(connection)?.answer)
}

/// Takes the lock for a copy until the connection ends. Returns whether that succeeded: a server or another copy may
/// have it. SQLite has no such lock.
pub(super) fn take_alone(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let AnyConnection::Postgres(postgres) = connection else { return Ok(true) };
    let query = format!("SELECT pg_try_advisory_lock({SERVING_LOCK}) AS answer");
    Ok(diesel::sql_query(query).get_result::<Answer>(postgres)?.answer)
}

/// Whether a copy has the lock.
pub(super) fn is_taken_alone(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let (high, low) = (SERVING_LOCK >> 32, SERVING_LOCK & 0xffff_ffff);
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted \
         AND classid = {high} AND objid = {low} AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS answer"
    );
    Ok(diesel::sql_query(query).get_result::<Answer>(connection)?.answer)
}
