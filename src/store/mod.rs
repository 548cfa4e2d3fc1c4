//! Stores everything in SQLite or PostgreSQL, through diesel. It makes no decisions of its own.

mod companies;
mod connection;
mod db;
mod error;
mod file_watch;
mod first_start;
mod gateways;
mod in_padded;
mod installation;
mod keys;
mod migrate;
mod name_keys;
mod pool;
mod schema;
mod service_accounts;
mod sign_in;
mod sql_types;
mod sqlite;
mod stored_rows;
mod trail;
mod usage;
mod users;
mod verification;

pub use companies::{Company, CompanySettings};
pub use db::{
    ApiKeys, Companies, Db, Gateways, Installations, Invitations, KnownDevices, PendingSignIns, ReadOnly, ReadWrite,
    RefusedSignIns, SecondFactors, ServiceAccounts, Sessions, SignInFailureCounts, StoredRows, Submissions, Trails,
    Usage, Users, WitnessedCheckpoints, WriteDb,
};
pub use error::StoreError;
pub use first_start::FirstStart;
pub use gateways::Gateway;
pub use installation::{Installation, StoredSecretCheck};
pub use keys::{
    CursorPosition, KeyCounts, KeyListItem, KeyListQuery, KeyListSlice, KeyRecord, KeyTab, NewKeyRecord, PageRequest,
    PolicyViolation, SortBy, SortKey, SortOrder,
};
pub use migrate::MigrationError;
pub use pool::Store;
pub use sign_in::{
    Invitation, NewSession, PendingSignIn, RefusedSignIn, SecondFactor, Session, SessionExpiry, SessionListItem,
    SignInFailures,
};
pub use stored_rows::Integrity;
pub use trail::{EventListItem, KeyActivityQuery, TrailPageRequest, UnwitnessedCheckpoint, WitnessedCheckpoint};
pub use usage::{EndedKey, KeyUsage, RecordedRequest, RefusalsAfterEnd, UnreportedRefusals};
pub use users::{Credentials, NewUserRecord, User, UserCursorPosition, UserNames, UserPageRequest};
pub use verification::{
    FoundIntrospection, IntrospectionRequest, KeyForVerification, ReadLocation, ThreadReader, wal_index_contradictions,
};
