//! Whether the tables of a database are Keydesk's, and whether this program may use them.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::config::Database;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;
use crate::store::inspect_error::InspectError;
use crate::store::migrate::{applied_versions, known_versions};
use crate::store::transfer::table_names;

/// The table of diesel, which other programs may use, too.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// A privilege on rows, and where it is needed.
pub(super) struct Privilege {
    name: &'static str,
    verb: &'static str,
    /// `None`: on all tables of Keydesk.
    table: Option<&'static str>,
}

const READ: Privilege = Privilege { name: "SELECT", verb: "read", table: None };
/// The role of a server may be kept from changing events.
const INSERT: Privilege = Privilege { name: "INSERT", verb: "insert", table: Some("events") };
const UPDATE: Privilege = Privilege { name: "UPDATE", verb: "change", table: Some("audit_trails") };

pub(super) const READING: &[Privilege] = &[READ];
pub(super) const CHANGING: &[Privilege] = &[READ, INSERT, UPDATE];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Fails if another program created tables that Keydesk would create, or, on SQLite, any tables. Litestream adds tables
/// whose names begin with an underscore.
pub(super) fn refuse_other_program(connection: &mut AnyConnection, database: &Database) -> Result<(), InspectError> {
    let tables = tables(connection)?;
    if tables.iter().any(|table| table == MIGRATIONS) {
        let (known, applied) = (known_versions(connection)?, applied_versions(connection)?);
        if applied.is_empty() || applied.iter().any(|version| known.contains(version)) {
            return Ok(());
        }
    }
    let ours = table_names()?;
    let is_other = |table: &&String| !table.starts_with('_') && (!is_shared(database) || ours.contains(table));
    let Some(table) = tables.iter().find(is_other) else { return Ok(()) };
    let database = match database {
        Database::Sqlite(path) => path.display().to_string(),
        Database::Postgres(_) => "of --database-url".to_owned(),
    };
    Err(InspectError::OtherProgram { database, table: table.clone() })
}

/// A PostgreSQL database may hold tables of other programs, too.
const fn is_shared(database: &Database) -> bool {
    matches!(database, Database::Postgres(_))
}

fn tables(connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    let query = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        AnyConnection::Postgres(_) => {
            "SELECT relname::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) \
             AND relnamespace <> 'pg_catalog'::regnamespace ORDER BY relname"
        }
    };
    let names: Vec<Name> = diesel::sql_query(query).load(connection)?;
    Ok(names.into_iter().map(|table| table.name).collect())
}

/// Fails if the role lacks a privilege on a table of Keydesk, and names the owner of that table. SQLite has no roles.
pub(super) fn refuse_denied(connection: &mut AnyConnection, privileges: &[Privilege]) -> Result<(), InspectError> {
    #[derive(QueryableByName)]
    struct Denied {
        #[diesel(sql_type = Text)]
        role: String,
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        owner: String,
    }
    let AnyConnection::Postgres(postgres) = connection else { return Ok(()) };
    let all = table_names()?.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    for Privilege { name, verb, table } in privileges {
        let names = table.map_or_else(|| all.clone(), |table| format!("'{table}'"));
        let query = format!(
            "SELECT current_user::text AS role, relname::text AS table_name, pg_get_userbyid(relowner)::text AS owner \
             FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid) AND relname IN ({names}) \
             AND NOT has_table_privilege(oid, '{name}') ORDER BY relname LIMIT 1"
        );
        let denied: Option<Denied> =
            diesel::sql_query(query).get_result(postgres).optional().map_err(StoreError::from)?;
        if let Some(Denied { role, table_name: table, owner }) = denied {
            return Err(InspectError::Denied { role, verb, table, owner });
        }
    }
    Ok(())
}
