//! Stores everything in SQLite or PostgreSQL, through diesel. It makes no decisions of its own.

mod assessments;
mod companies;
mod connection;
mod connector;
mod db;
mod error;
mod file_watch;
mod first_start;
mod gateways;
mod group_commit;
mod in_padded;
mod inspect;
mod inspect_error;
mod installation;
mod keys;
mod metrics;
mod migrate;
mod migration_copy;
mod name_keys;
mod ownership;
mod pool;
mod prepared;
mod primary;
mod schema;
mod secret_sets;
mod service_accounts;
mod serving;
mod serving_lock;
mod sign_in;
mod sql_types;
mod sqlite;
mod stored_rows;
mod trail;
mod transfer;
mod upkeep;
mod usage;
mod users;
mod verification;
mod waiting;
mod write_health;
mod write_probe;

pub use assessments::{PracticeDay, PracticeState};
pub use companies::{Company, CompanySettings};
pub use db::{
    ApiKeys, Assessments, Companies, Db, Gateways, Installations, Invitations, KnownDevices, PendingSignIns, ReadOnly,
    ReadWrite, RefusedSignIns, SecondFactors, SecretSets, ServiceAccounts, Sessions, SetupLinks, SignInFailureCounts,
    StoredRows, Submissions, Trails, Usage, Users, WitnessedCheckpoints, WriteDb,
};
pub use error::StoreError;
pub use first_start::FirstStart;
pub use gateways::Gateway;
pub use inspect::{Inspection, TooFewConnections};
pub use inspect_error::InspectError;
pub use installation::{Installation, StoredSecretCheck};
pub use keys::{
    AccountKeysRequest, CursorPosition, ExpiryFilter, KeyCounts, KeyExportDetails, KeyFilter, KeyLifetime, KeyListItem,
    KeyListPage, KeyListQuery, KeyListSlice, KeyRecord, KeyScan, KeyStateCounts, KeyTab, NewKeyRecord, PageRequest,
    PolicyViolation, SortBy, SortKey, SortOrder, UsageFilter,
};
pub use metrics::{ConnectionCounts, store_errors};
pub use migrate::{MigrationError, Schema};
pub use migration_copy::MigrationCopyError;
pub use pool::Store;
pub use primary::{BeatConnection, LeaseState, ObservingConnection, PrimaryWatch};
pub use secret_sets::{AnnouncedServer, KeysOfSet, SecondFactorsOfSet};
pub use service_accounts::ServiceAccountRecord;
pub use serving::ServeError;
pub use sign_in::{
    Invitation, NewSecondFactor, NewSession, PendingSignIn, RefusedSignIn, SecondFactor, Session, SessionExpiry,
    SessionListItem, SignInFailures,
};
pub use sqlite::PageCount;
pub use stored_rows::Integrity;
pub use trail::{EventListItem, KeyActivityQuery, TrailPageRequest, UnwitnessedCheckpoint, WitnessedCheckpoint};
pub use transfer::{CopiedRows, CopyError, CopyStep};
pub use usage::{EndedKey, KeyUsage, RecordedRequest, RefusalsAfterEnd, UnreportedRefusals};
pub use users::{Credentials, NewUserRecord, User, UserCursorPosition, UserNames, UserPageRequest};
pub use verification::{
    FoundIntrospection, IntrospectionRequest, KeyForVerification, ReadLocation, RenewalMark, ThreadReader,
    wal_index_contradictions,
};
pub use waiting::{Attempt, wait_for};
pub use write_health::{WriteHealth, WriteTrouble};
