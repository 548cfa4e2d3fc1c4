//! Statements that each change runs: prepared once on each connection, and run without building their text.
//!
//! diesel prepares an `UPDATE` anew for each execution, with all triggers of its table, and builds the text of a
//! statement several times for a connection to either database.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::{PgConnection, SqliteConnection};

/// Runs a query on the driver's own connection. A query whose text never changes is found by its type there.
macro_rules! on_driver {
    ($connection:expr, |$driver:ident| $query:expr) => {
        match &mut *$connection {
            $crate::store::connection::AnyConnection::Sqlite($driver) => $query,
            $crate::store::connection::AnyConnection::Postgres($driver) => $query,
        }
    };
}
pub(in crate::store) use on_driver;

/// Defines a statement by its text, in which parameters have names and types.
macro_rules! statement {
    ($(#[$doc:meta])* $Name:ident { $($text:literal $parameter:ident: $Type:ty as $Sql:ty),+; $end:literal }) => {
        $(#[$doc])*
        struct $Name<'a> {
            $($parameter: &'a $Type,)+
        }

        impl $Name<'_> {
            /// Runs the statement, and returns the number of rows that it changed.
            fn execute(self, connection: &mut $crate::store::connection::AnyConnection) -> diesel::QueryResult<usize> {
                use diesel::query_dsl::methods::ExecuteDsl;
                $crate::store::prepared::on_driver!(connection, |driver| ExecuteDsl::execute(self, driver))
            }
        }

        impl diesel::query_builder::QueryId for $Name<'_> {
            type QueryId = $Name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl<DB> diesel::query_builder::QueryFragment<DB> for $Name<'_>
        where
            DB: diesel::backend::Backend + $(diesel::sql_types::HasSqlType<$Sql> +)+,
            $($Type: diesel::serialize::ToSql<$Sql, DB>,)+
        {
            fn walk_ast<'b>(&'b self, mut out: diesel::query_builder::AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($text);
                    out.push_bind_param::<$Sql, $Type>(self.$parameter)?;
                )+
                out.push_sql($end);
                Ok(())
            }
        }
    };
}
pub(in crate::store) use statement;

/// A statement without parameters.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Command(pub(in crate::store) &'static str);

impl QueryId for Command {
    type QueryId = ();
    /// The text is the key of the prepared statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend> QueryFragment<DB> for Command {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Command {}
impl RunQueryDsl<PgConnection> for Command {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::{InstrumentationEvent, SimpleConnection};
    use diesel::sql_types::{BigInt, Nullable, Text};

    use crate::config::Database;
    use crate::store::connection::{AnyConnection, ConnectionPurpose};

    statement! {
        Rename {
            "UPDATE t SET name = " name: Option<String> as Nullable<Text>,
            " WHERE id = " id: i64 as BigInt;
            ""
        }
    }

    #[test]
    fn an_update_is_prepared_once() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        let mut connection = AnyConnection::open(&database, ConnectionPurpose::Write).unwrap();
        connection
            .batch_execute("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, ''), (2, '')")
            .unwrap();
        let prepared = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&prepared);
        let AnyConnection::Sqlite(sqlite) = &mut connection else { unreachable!("the test uses SQLite") };
        diesel::Connection::set_instrumentation(sqlite, move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        for (id, name) in [(1, Some("a".to_owned())), (2, None), (3, None)] {
            let changed = Rename { name: &name, id: &id }.execute(&mut connection).unwrap();
            assert_eq!(changed, usize::from(id < 3));
        }
        assert_eq!(prepared.load(Ordering::Relaxed), 1);
    }
}
