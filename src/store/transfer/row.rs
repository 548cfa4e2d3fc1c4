//! Rows of any table, as both databases return them.

use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row as DatabaseRow};
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel::sqlite::{Sqlite, SqliteType};

use super::tables::Table;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;

/// The object ids of PostgreSQL's types (`pg_type.dat`).
const BOOL: u32 = 16;
const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT4: u32 = 23;
const TEXT: u32 = 25;

/// A value, the same from both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// Integers of all sizes, and booleans.
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of the table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row(pub(super) Vec<Value>);

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let value = |index| {
            let field = DatabaseRow::get(row, index).ok_or("a column is missing")?;
            let Some(mut value) = field.value() else { return Ok(Value::Null) };
            Ok(match value.value_type() {
                None => Value::Null,
                Some(SqliteType::Text) => Value::Text(FromSql::<Text, Sqlite>::from_sql(value)?),
                Some(SqliteType::Binary) => Value::Bytes(value.read_blob().to_vec()),
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    Value::Integer(value.read_long())
                }
                Some(SqliteType::Float | SqliteType::Double) => return Err("a column holds a fraction".into()),
            })
        };
        Ok(Self((0..row.field_count()).map(value).collect::<deserialize::Result<_>>()?))
    }
}

impl QueryableByName<Pg> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let value = |index| {
            let field = DatabaseRow::get(row, index).ok_or("a column is missing")?;
            let Some(value) = field.value() else { return Ok(Value::Null) };
            Ok(match value.get_oid().get() {
                TEXT => Value::Text(FromSql::<Text, Pg>::from_sql(value)?),
                INT8 => Value::Integer(FromSql::<BigInt, Pg>::from_sql(value)?),
                INT4 => Value::Integer(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
                BOOL => Value::Integer(<bool as FromSql<Bool, Pg>>::from_sql(value)?.into()),
                BYTEA => Value::Bytes(value.as_bytes().to_vec()),
                other => return Err(format!("a column has the type {other}").into()),
            })
        };
        Ok(Self((0..row.field_count()).map(value).collect::<deserialize::Result<_>>()?))
    }
}

/// Rows of a query, one of them in memory.
pub(super) type Rows<'c> = Box<dyn Iterator<Item = Result<Row, StoreError>> + 'c>;

/// Returns all rows of a table in the order of its primary key, which is the same on both databases.
pub(super) fn rows_of<'c>(connection: &'c mut AnyConnection, table: &Table) -> Result<Rows<'c>, StoreError> {
    let columns: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
    let query = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.name, table.key.join(", "));
    let query = diesel::sql_query(query);
    Ok(match connection {
        AnyConnection::Sqlite(sqlite) => {
            Box::new(query.load_iter::<Row, DefaultLoadingMode>(sqlite)?.map(|row| Ok(row?)))
        }
        AnyConnection::Postgres(postgres) => {
            Box::new(query.load_iter::<Row, PgRowByRowLoadingMode>(postgres)?.map(|row| Ok(row?)))
        }
    })
}
