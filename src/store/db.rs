//! Database handles: `Db` groups queries by subject. A handle for reading has no methods that write.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use tracing::instrument;

use crate::domain::timestamp::Timestamp;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;

/// Marks a handle that reads.
pub struct ReadOnly;

/// Marks a handle that also writes, inside a transaction.
pub struct ReadWrite;

/// A connection in use. Its methods return groups of queries: `db.keys().by_id(company_id, id)`.
pub struct Db<'c, A = ReadOnly> {
    pub(in crate::store) connection: &'c mut AnyConnection,
    access: PhantomData<A>,
}

/// The handle of a write transaction.
pub type WriteDb<'c> = Db<'c, ReadWrite>;

impl<'c, A> Db<'c, A> {
    pub(in crate::store) fn new(connection: &'c mut AnyConnection) -> Self {
        Self { connection, access: PhantomData }
    }
}

impl<A> Db<'_, A> {
    /// Returns the time of the database's own clock. `None` on SQLite, which has the clock of this machine.
    #[instrument(name = "db.clock", level = "debug", skip_all)]
    pub fn clock(&mut self) -> Result<Option<Timestamp>, StoreError> {
        #[derive(QueryableByName)]
        struct Now {
            #[diesel(sql_type = BigInt)]
            micros: i64,
        }
        let AnyConnection::Postgres(postgres) = &mut *self.connection else { return Ok(None) };
        let now: Now = diesel::sql_query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros")
            .get_result(postgres)?;
        Ok(Some(Timestamp::from_micros(now.micros)))
    }
}

impl<A> Db<'_, A> {
    /// Whether the server is a standby of PostgreSQL, which may lag behind its primary.
    #[instrument(name = "db.is_standby", level = "debug", skip_all)]
    pub fn is_standby(&mut self) -> Result<bool, StoreError> {
        #[derive(QueryableByName)]
        struct Standby {
            #[diesel(sql_type = Bool)]
            is_standby: bool,
        }
        let AnyConnection::Postgres(postgres) = &mut *self.connection else { return Ok(false) };
        let standby: Standby = diesel::sql_query("SELECT pg_is_in_recovery() AS is_standby").get_result(postgres)?;
        Ok(standby.is_standby)
    }
}

/// Defines the groups. Each public method of a group opens a debug span named after it, such as `db.keys.list`, so
/// that the time of a slow page can be split into its queries. A disabled span costs one atomic load and a branch.
/// The look-ups of verification have no spans, as they serve every verified request: a histogram measures them.
macro_rules! query_groups {
    ($($(#[$doc:meta])* $method:ident: $Group:ident,)+) => {
        $(
            $(#[$doc])*
            pub struct $Group<'c, A = ReadOnly> {
                pub(in crate::store) connection: &'c mut AnyConnection,
                access: PhantomData<A>,
            }
        )+

        impl<A> Db<'_, A> {
            $(
                $(#[$doc])*
                pub fn $method(&mut self) -> $Group<'_, A> {
                    $Group { connection: self.connection, access: PhantomData }
                }
            )+
        }
    };
}

query_groups! {
    /// API keys.
    keys: ApiKeys,
    /// Service accounts.
    service_accounts: ServiceAccounts,
    /// The usage of keys.
    usage: Usage,
    /// What good practice finds about keys.
    assessments: Assessments,
    /// Companies and their settings.
    companies: Companies,
    /// Users.
    users: Users,
    /// Links with which users choose a password.
    invitations: Invitations,
    /// Sessions.
    sessions: Sessions,
    /// Sign-ins that wait for the code of a second factor.
    pending_sign_ins: PendingSignIns,
    /// Second factors and recovery codes.
    second_factors: SecondFactors,
    /// Counters of failed sign-ins.
    sign_in_failures: SignInFailureCounts,
    /// Refused sign-ins that the trail has yet to report.
    refused_sign_ins: RefusedSignIns,
    /// Browsers that users signed in with.
    devices: KnownDevices,
    /// Used one-time tokens of forms.
    submissions: Submissions,
    /// Links that open set-up.
    setup_links: SetupLinks,
    /// Gateways.
    gateways: Gateways,
    /// Audit trails: heads and events.
    trails: Trails,
    /// Rows as they are stored, to compare them with the audit trails.
    stored_rows: StoredRows,
    /// The latest checkpoint that each witness holds.
    witnessed: WitnessedCheckpoints,
    /// The installation's own row.
    installation: Installations,
    /// Sets of secrets, and the servers that have them.
    secret_sets: SecretSets,
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt};

    use crate::config::Database;
    use crate::store::Store;

    /// Collects the names of new spans.
    #[derive(Clone, Default)]
    struct SpanNames(Arc<Mutex<Vec<&'static str>>>);

    impl<S: tracing::Subscriber> Layer<S> for SpanNames {
        fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            self.0.lock().unwrap().push(attributes.metadata().name());
        }
    }

    #[test]
    fn a_query_opens_a_span_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        Store::migrate(&database).unwrap();
        let store = Store::connect(&database).unwrap();
        let names = SpanNames::default();
        let subscriber = tracing_subscriber::registry().with(names.clone());
        tracing::subscriber::with_default(subscriber, || store.read(|db| db.companies().all())).unwrap();
        assert_eq!(*names.0.lock().unwrap(), ["db.companies.all"]);
    }
}
