//! Storage of domain types: diesel binds and reads them as they are, on both databases.

use std::any::type_name;
use std::error::Error;
use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use diesel::sqlite::{Sqlite, SqliteValue};

use crate::domain::ids::{
    CompanyId, EventId, GatewayId, InstallationId, KeyId, ServiceAccountId, SessionId, TrailId, UserId,
};
use crate::domain::key::digest::KeyDigest;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::key::submission::SubmissionId;
use crate::domain::policy::key_policy::Days;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::domain::trail::action::Action;
use crate::domain::user::profile::{Role, Theme};
use crate::domain::user::second_factor::Step;
use crate::store::connection::{MultiBackend, MultiRawValue};

/// The error for a column that does not hold a `T`. It goes to the log, so it leaves the value out.
fn unreadable<T>() -> Box<dyn Error + Send + Sync> {
    let path = type_name::<T>();
    format!("a stored {} cannot be read", path.rsplit("::").next().unwrap_or(path)).into()
}

/// Lets a type be compared with columns of an SQL type and assigned to them.
macro_rules! expression {
    ($Type:ty as $Sql:ty) => {
        const _: () = {
            #[derive(AsExpression)]
            #[diesel(foreign_derive, sql_type = $Sql)]
            #[expect(dead_code, reason = "names the type for the derive")]
            struct Proxy($Type);
        };
    };
}

/// Lets a type be read from columns of an SQL type.
macro_rules! column {
    ($Type:ty) => {
        const _: () = {
            #[derive(FromSqlRow)]
            #[diesel(foreign_derive)]
            #[expect(dead_code, reason = "names the type for the derive")]
            struct Proxy($Type);
        };
    };
}

/// Binds and reads a type on a connection to either database by its implementations for both.
macro_rules! bind_on_either {
    ($Type:ty as $Sql:ident) => {
        impl ToSql<$Sql, MultiBackend> for $Type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($Sql, self));
                Ok(IsNull::No)
            }
        }
    };
}

macro_rules! read_on_either {
    ($Type:ty as $Sql:ident) => {
        impl FromSql<$Sql, MultiBackend> for $Type {
            fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, $Sql>()
            }
        }
    };
}

/// Reads types with a `parse` function from text, which is not copied.
macro_rules! parsed {
    ($Type:ty) => {
        column!($Type);
        read_on_either!($Type as Text);

        impl FromSql<Text, Pg> for $Type {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Self::parse(std::str::from_utf8(value.as_bytes())?).ok_or_else(unreadable::<Self>)
            }
        }

        impl FromSql<Text, Sqlite> for $Type {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Self::parse(value.read_text()).ok_or_else(unreadable::<Self>)
            }
        }
    };
}

macro_rules! ids {
    ($($Type:ty),+ $(,)?) => {$(
        expression!($Type as Text);
        bind_on_either!($Type as Text);
        parsed!($Type);

        impl ToSql<Text, Pg> for $Type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                write!(out, "{self}")?;
                Ok(IsNull::No)
            }
        }

        impl ToSql<Text, Sqlite> for $Type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.to_string());
                Ok(IsNull::No)
            }
        }
    )+};
}

ids!(CompanyId, EventId, GatewayId, InstallationId, KeyId, ServiceAccountId, SessionId, TrailId, UserId);

macro_rules! words {
    ($($Type:ty),+ $(,)?) => {$(
        expression!($Type as Text);
        parsed!($Type);

        impl<DB: Backend> ToSql<Text, DB> for $Type
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.as_str().to_sql(out)
            }
        }
    )+};
}

words!(Action, RevocationReason, Role, Theme);

macro_rules! digests {
    ($($Type:ty),+ $(,)?) => {$(
        expression!($Type as Binary);

        impl<DB: Backend> ToSql<Binary, DB> for $Type
        where
            [u8]: ToSql<Binary, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.as_bytes()[..].to_sql(out)
            }
        }
    )+};
}

digests!(KeyDigest, SubmissionId, TokenDigest);

column!(KeyDigest);
read_on_either!(KeyDigest as Binary);

impl FromSql<Binary, Pg> for KeyDigest {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::from_stored(value.as_bytes()).ok_or_else(unreadable::<Self>)
    }
}

impl FromSql<Binary, Sqlite> for KeyDigest {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Self::from_stored(value.read_blob()).ok_or_else(unreadable::<Self>)
    }
}

/// Stores types as integers, by the function that writes them and the one that reads them.
macro_rules! numbers {
    ($($Type:ty as $Sql:ident($int:ty): $write:expr, $read:expr;)+) => {$(
        expression!($Type as $Sql);
        column!($Type);
        bind_on_either!($Type as $Sql);

        impl ToSql<$Sql, Pg> for $Type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<$Sql, Pg>::to_sql(&$write(*self), &mut out.reborrow())
            }
        }

        impl ToSql<$Sql, Sqlite> for $Type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value($write(*self));
                Ok(IsNull::No)
            }
        }

        impl<DB: Backend> FromSql<$Sql, DB> for $Type
        where
            $int: FromSql<$Sql, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let read: fn($int) -> Option<Self> = $read;
                read(<$int>::from_sql(value)?).ok_or_else(unreadable::<Self>)
            }
        }
    )+};
}

numbers! {
    Timestamp as BigInt(i64): Timestamp::as_micros, |micros| Some(Self::from_micros(micros));
    Step as BigInt(i64): |step: Step| step.0, |step| Some(Self(step));
    Days as Integer(i32): |days: Days| i32::from(days.count()), Self::new;
}
