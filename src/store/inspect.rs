//! Inspects a database before it is used: whether it can be reached, its schema, and a pooler in front of it.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::inspect_error::InspectError;
use crate::store::migrate::{Schema, schema_of};
use crate::store::ownership::{CHANGING, Privilege, READING, refuse_denied, refuse_other_program};
use crate::store::pool::Store;
use crate::store::serving_lock;

/// How often the connections are compared. A pooler that serves other clients too may hand out the same connection
/// twice by chance.
const POOLER_ROUNDS: usize = 5;

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub schema: Schema,
    /// Whether an installation was set up in it.
    pub has_installation: bool,
    /// Whether a command copies the whole database, or fills it. On SQLite, that locks the file.
    pub is_being_copied: bool,
}

impl Store {
    /// Inspects a database. A SQLite file need not exist.
    ///
    /// # Errors
    /// [`InspectError`]: the database cannot be reached or used.
    pub fn inspect(database: &Database) -> Result<Inspection, InspectError> {
        Self::inspect_for(database, READING)
    }

    /// Like [`inspect`](Self::inspect), and fails if changes are not allowed.
    pub(super) fn inspect_for_change(database: &Database) -> Result<Inspection, InspectError> {
        Self::inspect_for(database, CHANGING)
    }

    fn inspect_for(database: &Database, privileges: &[Privilege]) -> Result<Inspection, InspectError> {
        if let Database::Sqlite(path) = database
            && !path.exists()
        {
            return Ok(Inspection { schema: Schema::Missing, has_installation: false, is_being_copied: false });
        }
        let opened = AnyConnection::open(database, ConnectionPurpose::Read);
        let mut connection = opened.map_err(|error| match database {
            Database::Sqlite(path) if error.is_no_database() => InspectError::NoSqlite(path.clone()),
            _ => error.into(),
        })?;
        if let AnyConnection::Postgres(first) = &mut connection {
            let AnyConnection::Postgres(mut second) = AnyConnection::open(database, ConnectionPurpose::Read)? else {
                return Err(StoreError::unexpected("a connection to SQLite").into());
            };
            refuse_transaction_pooling(first, &mut second)?;
        }
        let is_being_copied = match &mut connection {
            AnyConnection::Sqlite(_) => false,
            AnyConnection::Postgres(postgres) => serving_lock::is_taken_alone(postgres)?,
        };
        refuse_denied(&mut connection, privileges)?;
        refuse_other_program(&mut connection, database)?;
        let schema = schema_of(&mut connection)?;
        Ok(Inspection { has_installation: has_installation(&mut connection)?, schema, is_being_copied })
    }
}

fn has_installation(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let table = match connection {
        AnyConnection::Sqlite(_) => "SELECT count(*) AS count FROM sqlite_master WHERE name = 'installation'",
        AnyConnection::Postgres(_) => {
            "SELECT count(*) AS count FROM pg_class WHERE relname = 'installation' AND pg_table_is_visible(oid)"
        }
    };
    for query in [table, "SELECT count(*) AS count FROM installation"] {
        if diesel::sql_query(query).get_result::<Count>(connection)?.count == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fails if transactions of one client run in several sessions, or those of two clients in one session.
fn refuse_transaction_pooling(first: &mut PgConnection, second: &mut PgConnection) -> Result<(), InspectError> {
    let of_first = backend(first)?;
    for _ in 0..POOLER_ROUNDS {
        // A pooler in statement mode refuses transactions and closes the connection.
        second.batch_execute("BEGIN").map_err(|error| {
            let message = error.to_string();
            let is_pooler = message.contains("statement pooling") || message.contains("closed the connection");
            if is_pooler { InspectError::Pooled } else { StoreError::from(error).into() }
        })?;
        // The second one holds the session that the first one had, unless each has its own.
        let is_shared = backend(second)? == of_first || backend(first)? != of_first;
        second.batch_execute("ROLLBACK").map_err(StoreError::from)?;
        if is_shared || backend(first)? != of_first {
            return Err(InspectError::Pooled);
        }
    }
    Ok(())
}

fn backend(connection: &mut PgConnection) -> Result<i32, InspectError> {
    #[derive(QueryableByName)]
    struct Backend {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let found = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result::<Backend>(connection);
    found.map(|backend| backend.pid).map_err(|error| {
        // It was prepared in another session.
        let is_pooler = error.to_string().contains("prepared statement");
        if is_pooler { InspectError::Pooled } else { StoreError::from(error).into() }
    })
}

/// The limits that a PostgreSQL server sets to the connections of this role.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct ConnectionLimits {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Bool)]
    is_superuser: bool,
    #[diesel(sql_type = Integer)]
    of_role: i32,
    #[diesel(sql_type = Integer)]
    of_database: i32,
    #[diesel(sql_type = Integer)]
    of_server: i32,
    #[diesel(sql_type = Nullable<Text>)]
    synchronous_commit: Option<String>,
}

impl ConnectionLimits {
    pub(super) fn of(connection: &mut PgConnection) -> Result<Self, StoreError> {
        let query = "SELECT role.rolname::text AS role, role.rolsuper AS is_superuser, role.rolconnlimit AS of_role, \
             db.datconnlimit AS of_database, current_setting('max_connections')::int \
                 - current_setting('superuser_reserved_connections')::int \
                 - coalesce(current_setting('reserved_connections', true)::int, 0) AS of_server, \
             (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS synchronous_commit \
             FROM pg_roles role, pg_database db WHERE role.rolname = session_user AND db.datname = current_database()";
        Ok(diesel::sql_query(query).get_result(connection)?)
    }

    /// Whether commits of other programs of this role do not wait for the disk.
    pub(super) fn commits_asynchronously(&self) -> bool {
        self.synchronous_commit.as_deref() == Some("off")
    }

    /// Fails if one server needs more connections than the limits allow.
    pub(super) fn allow(&self, needed: u32) -> Result<(), TooFewConnections> {
        let limits = [
            (self.of_role, "CONNECTION LIMIT of the role"),
            (self.of_database, "CONNECTION LIMIT of the database"),
            (self.of_server, "max_connections, less the reserved ones,"),
        ];
        // A superuser is subject to the last one alone, which includes reserved connections for it.
        let limits = limits.into_iter().skip(if self.is_superuser { 2 } else { 0 });
        for (limit, name) in limits {
            if u32::try_from(limit).is_ok_and(|limit| limit < needed) {
                return Err(TooFewConnections { role: self.role.clone(), limit, name, needed });
            }
        }
        Ok(())
    }
}

/// A limit of PostgreSQL is too small for one server.
#[derive(Debug)]
pub struct TooFewConnections {
    role: String,
    limit: i32,
    name: &'static str,
    needed: u32,
}

impl fmt::Display for TooFewConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, limit, name, needed } = self;
        write!(
            f,
            "PostgreSQL allows the role “{role}” {limit} connections, and one Keydesk server needs {needed}. Raise the {name} to {needed} for each server."
        )
    }
}
