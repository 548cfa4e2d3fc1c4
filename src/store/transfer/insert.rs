//! Inserts rows into any table of either database.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::row::{Row, Value};
use super::tables::{Column, Kind, Table};
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;

/// SQLite allows 32,766 parameters in a statement. Longer statements save little.
const SQLITE_PARAMETERS: usize = 4_000;
const POSTGRES_ROWS: usize = 2_000;

/// Rows that wait to be inserted into a table together.
pub(super) struct Batch<'a> {
    /// The table, or one with its columns.
    into: &'a str,
    columns: Vec<(usize, &'a Column)>,
    rows: Vec<Row>,
    max_rows: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(connection: &AnyConnection, into: &'a str, table: &'a Table) -> Self {
        let columns = table.columns.iter().enumerate().filter(|(_, column)| !column.is_generated);
        let columns: Vec<(usize, &Column)> = columns.collect();
        let max_rows = match connection {
            AnyConnection::Sqlite(_) => SQLITE_PARAMETERS / columns.len().max(1),
            AnyConnection::Postgres(_) => POSTGRES_ROWS,
        };
        Self { into, columns, rows: Vec::with_capacity(max_rows), max_rows }
    }

    /// Adds a row, and inserts the batch if it is full.
    pub(super) fn push(&mut self, connection: &mut AnyConnection, row: Row) -> Result<(), StoreError> {
        self.rows.push(row);
        if self.rows.len() >= self.max_rows { self.insert(connection) } else { Ok(()) }
    }

    /// Inserts the rows that wait.
    pub(super) fn insert(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let inserted = match connection {
            AnyConnection::Sqlite(sqlite) => self.sqlite_insert()?.execute(sqlite)?,
            AnyConnection::Postgres(postgres) => self.postgres_insert()?.execute(postgres)?,
        };
        if inserted != self.rows.len() {
            return Err(StoreError::unexpected(format!("{inserted} rows were inserted into {}", self.into)));
        }
        self.rows.clear();
        Ok(())
    }

    fn target(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(_, column)| &*column.name).collect();
        format!("INSERT INTO {} ({})", self.into, names.join(", "))
    }

    fn sqlite_insert(&self) -> Result<BoxedSqlQuery<'_, Sqlite, SqlQuery>, StoreError> {
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let statement = format!("{} VALUES {}", self.target(), vec![&*row; self.rows.len()].join(", "));
        let mut query = diesel::sql_query(statement).into_boxed();
        for row in &self.rows {
            for (index, column) in &self.columns {
                query = match value(row, *index)? {
                    Value::Null => query.bind::<Nullable<Text>, _>(None::<&str>),
                    Value::Integer(integer) => query.bind::<BigInt, _>(*integer),
                    Value::Text(text) => query.bind::<Text, _>(text),
                    Value::Bytes(bytes) => query.bind::<Binary, _>(bytes),
                };
                debug_assert!(!column.is_generated, "the database computes it");
            }
        }
        Ok(query)
    }

    /// One array for each column: the statement does not grow with the rows.
    fn postgres_insert(&self) -> Result<BoxedSqlQuery<'_, Pg, SqlQuery>, StoreError> {
        let arrays: Vec<String> =
            self.columns.iter().zip(1..).map(|((_, c), n)| format!("${n}::{}[]", type_of(c))).collect();
        let statement = format!("{} SELECT * FROM unnest({})", self.target(), arrays.join(", "));
        let mut query = diesel::sql_query(statement).into_boxed();
        for (index, column) in &self.columns {
            query = match column.kind {
                Kind::Text => query.bind::<Array<Nullable<Text>>, _>(self.values(*index, text)?),
                Kind::Bytes => query.bind::<Array<Nullable<Binary>>, _>(self.values(*index, bytes)?),
                Kind::BigInteger => query.bind::<Array<Nullable<BigInt>>, _>(self.values(*index, integer)?),
                Kind::Integer => query.bind::<Array<Nullable<Integer>>, _>(self.values(*index, small_integer)?),
                Kind::Boolean => query.bind::<Array<Nullable<Bool>>, _>(self.values(*index, boolean)?),
            };
        }
        Ok(query)
    }

    /// Returns the values of a column, in the order of the rows.
    fn values<'v, T>(
        &'v self,
        index: usize,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let value = |row| match value(row, index)? {
            Value::Null => Ok(None),
            other => read(other).map(Some).ok_or_else(|| self.unexpected_value(index)),
        };
        self.rows.iter().map(value).collect()
    }

    fn unexpected_value(&self, index: usize) -> StoreError {
        let name = self.columns.iter().find(|(own, _)| *own == index).map_or("", |(_, column)| &*column.name);
        StoreError::unexpected(format!("the column {name} of {} holds a value of another type", self.into))
    }
}

fn value(row: &Row, index: usize) -> Result<&Value, StoreError> {
    row.0.get(index).ok_or_else(|| StoreError::unexpected("a row without all columns"))
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(integer) = value { Some(*integer) } else { None }
}

fn small_integer(value: &Value) -> Option<i32> {
    integer(value).and_then(|integer| integer.try_into().ok())
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        _ => None,
    }
}

const fn type_of(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text => "text",
        Kind::Bytes => "bytea",
        Kind::BigInteger => "bigint",
        Kind::Integer => "integer",
        Kind::Boolean => "boolean",
    }
}
