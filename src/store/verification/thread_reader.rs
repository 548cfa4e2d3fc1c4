//! A read connection that belongs to one thread.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::key_cache::{KeyCache, TrustedWalIndex};
use super::lookup::{KeyForVerification, find_on_postgres};
use crate::domain::key::digest::{DigestPair, KeyDigest, PresentedDigests};
use crate::domain::token::TokenDigest;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::connector::Connector;
use crate::store::db::{Db, ReadOnly};
use crate::store::error::StoreError;
use crate::store::gateways::Gateway;
use crate::store::metrics::StoreMetrics;
use crate::store::primary::Primary;

/// The number of keys that the caches of all threads hold together. A key takes about 700 bytes, with its response.
const MAX_CACHED_KEYS: usize = 256 * 1_024;

/// A failure within this time means that the connection was cut, not that the database is slow.
const FAST_FAILURE: Duration = Duration::from_millis(200);

/// Reads for one thread. The connection is opened at the start or by the first read, and again after it was cut.
pub struct ThreadReader {
    connector: Connector,
    open: Option<OpenReader>,
    max_cached: usize,
    metrics: StoreMetrics,
}

/// What a gateway presents to introspect a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionRequest {
    /// The gateway's credential.
    pub credential: TokenDigest,
    /// The key; `None` if the presented text cannot be a key.
    pub key: Option<PresentedDigests>,
}

/// The gateway and the key of an introspection, as far as they exist.
#[derive(Clone, Debug, Default)]
pub struct FoundIntrospection {
    pub gateway: Option<Gateway>,
    pub key: Option<Arc<KeyForVerification>>,
}

/// Where the reads of a [`ThreadReader`] take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadLocation {
    /// In this process, which reads a file.
    InProcess,
    /// On a server, whose responses the thread waits for.
    Remote,
}

pub(in crate::store) struct OpenReader(Box<Reader>);

struct Reader {
    connection: AnyConnection,
    primary: Arc<Primary>,
    cache: KeyCache,
}

impl ThreadReader {
    pub(in crate::store) fn new(connector: Connector, open: Option<OpenReader>, metrics: StoreMetrics) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { connector, open, max_cached: MAX_CACHED_KEYS / threads, metrics }
    }

    /// Returns the keys with these digests in the order of the digests, as they are after the call began.
    pub fn keys(&mut self, digests: &[PresentedDigests]) -> Result<Vec<Option<Arc<KeyForVerification>>>, StoreError> {
        let max_cached = self.max_cached;
        self.attempt(|open| open.keys(digests, max_cached))
    }

    /// Returns the gateway and the key of each request in the order of the requests, from one snapshot that is taken after
    /// the call began. A revoked gateway is missing.
    pub fn introspections(&mut self, requests: &[IntrospectionRequest]) -> Result<Vec<FoundIntrospection>, StoreError> {
        let max_cached = self.max_cached;
        self.attempt(|open| open.in_transaction(|open| open.introspections(requests, max_cached)))
    }

    /// Runs one query outside a transaction, like [`Store::query`](crate::store::Store::query).
    pub fn query<T>(&mut self, query: impl Fn(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let started = Instant::now();
        let result = self.attempt(|open| query(&mut Db::new(&mut open.connection)));
        self.metrics.observe_read(started);
        result
    }

    /// Runs queries in one read transaction, like [`Store::read`](crate::store::Store::read).
    pub fn read<T>(&mut self, queries: impl Fn(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let started = Instant::now();
        let result = self.attempt(|open| open.in_transaction(|open| queries(&mut Db::new(&mut open.connection))));
        self.metrics.observe_read(started);
        result
    }

    /// Reads what every answer needs: by a look-up, that the schema is up to date, and that an installation is in the
    /// database of a primary.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        // A digest that no key has, as SHA-256 has no known input for it.
        let digests = KeyDigest::from_stored(&[0; 32])
            .map(|none| PresentedDigests::from(DigestPair { of_key: none, of_sha256: none }));
        let max_cached = self.max_cached;
        self.attempt(|open| {
            open.keys(digests.as_slice(), max_cached)?;
            let mut db = Db::<'_, ReadOnly>::new(&mut open.connection);
            if db.is_standby()? {
                return Err(StoreError::standby());
            }
            if !db.is_up_to_date()? || db.installation().get()?.is_none() {
                return Err(StoreError::unavailable("the database is empty, or its schema is older than this program"));
            }
            Ok(())
        })
    }

    /// Runs a read on the open connection. If it fails at once, the connection may have been cut while it was idle, for
    /// example by a restart of the database, so the read runs again on a new connection.
    fn attempt<T>(&mut self, read: impl Fn(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.connector.files().ensure_present()?;
        let started = Instant::now();
        // A reader of a former primary is dropped.
        if let Some(open) = self.open.take().filter(|open| !open.0.primary.is_superseded()) {
            let result = self.run_on(open, &read);
            if result.is_ok() || started.elapsed() > FAST_FAILURE {
                return result;
            }
        }
        // Without a lease no answer is good, and a connection to a server that hangs takes seconds.
        self.connector.primaries().current().ensure_lease()?;
        self.open = None;
        let open = OpenReader::new(&self.connector)?;
        self.run_on(open, &read)
    }

    /// Runs a read on a connection, and keeps the connection if the read succeeds. After a panic it may still be in a
    /// transaction. After an error, one that PostgreSQL still serves is kept: its place may be taken before it is opened
    /// again.
    fn run_on<T>(
        &mut self,
        mut open: OpenReader,
        read: impl Fn(&mut Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = open.0.primary.ensure_lease() {
            self.open = Some(open);
            return Err(error);
        }
        let result = read(&mut open.0);
        if result.is_ok() || open.0.connection.is_usable_after_error() {
            self.open = Some(open);
        }
        result
    }
}

impl OpenReader {
    pub(in crate::store) fn new(connector: &Connector) -> Result<Self, StoreError> {
        let (mut connection, primary) = connector.open(ConnectionPurpose::Lookup)?;
        let wal_index = match &mut connection {
            // On Linux, a mapped file and its reads share the same pages of memory.
            AnyConnection::Sqlite(sqlite) if cfg!(target_os = "linux") => TrustedWalIndex::of(sqlite),
            AnyConnection::Sqlite(_) | AnyConnection::Postgres(_) => None,
        };
        Ok(Self(Box::new(Reader { connection, primary, cache: KeyCache::new(wal_index) })))
    }
}

impl Reader {
    /// Runs reads in one transaction. Fails if it cannot be ended: the connection would go on reading its snapshot.
    fn in_transaction<T>(&mut self, reads: impl Fn(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.connection.begin(ConnectionPurpose::Lookup)?;
        let result = reads(self);
        if !self.connection.roll_back() {
            return Err(StoreError::unavailable("a read transaction could not be ended"));
        }
        result
    }

    fn keys(
        &mut self,
        digests: &[PresentedDigests],
        max_cached: usize,
    ) -> Result<Vec<Option<Arc<KeyForVerification>>>, StoreError> {
        match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => self.cache.keys(sqlite, digests, max_cached),
            AnyConnection::Postgres(postgres) => {
                let found = find_on_postgres(postgres, digests)?;
                Ok(digests.iter().map(|presented| found.get(presented)).collect())
            }
        }
    }

    /// Returns what the requests name, inside a transaction.
    fn introspections(
        &mut self,
        requests: &[IntrospectionRequest],
        max_cached: usize,
    ) -> Result<Vec<FoundIntrospection>, StoreError> {
        let digests: Vec<PresentedDigests> = requests.iter().filter_map(|request| request.key.clone()).collect();
        // Keys come first: the cache relies on a snapshot that is no older than the header of the wal-index it has read.
        let mut keys = if digests.is_empty() { Vec::new() } else { self.keys(&digests, max_cached)? }.into_iter();
        let mut gateways = HashMap::new();
        for request in requests {
            // A few gateways send many requests.
            if let Entry::Vacant(unknown) = gateways.entry(request.credential) {
                unknown.insert(
                    Db::<'_, ReadOnly>::new(&mut self.connection).gateways().by_credential(&request.credential)?,
                );
            }
        }
        let found = requests.iter().map(|request| FoundIntrospection {
            gateway: gateways[&request.credential].clone(),
            key: request.key.as_ref().and_then(|_| keys.next().flatten()),
        });
        Ok(found.collect())
    }
}
