//! Look-ups of keys by digest, with everything that verification needs.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary, Bool};
use diesel::{PgConnection, SqliteConnection};
use tracing::instrument;

use crate::domain::ids::{KeyId, ServiceAccountId};
use crate::domain::key::digest::{DigestPair, KeyDigest, PresentedDigests};
use crate::domain::key::lifecycle::KeyEnds;
use crate::domain::timestamp::Timestamp;
use crate::store::companies::Company;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::in_padded::{LOOKUP_BATCH, in_padded};
use crate::store::keys::EndColumns;
use crate::store::schema::{api_keys, companies, service_accounts};

/// A key as verification needs it.
#[derive(Clone, Debug)]
pub struct KeyForVerification {
    pub id: KeyId,
    pub service_account_id: ServiceAccountId,
    /// The name of the service account.
    pub service_account: String,
    pub company: Company,
    pub created_at: Timestamp,
    pub ends: KeyEnds,
    /// The digest under which the key was read.
    pub digest: KeyDigest,
    /// Whether its digest is renewed under another pepper, see [`RenewalMark`].
    pub renewal: RenewalMark,
    /// The response to an introspection, once it was serialized: a cached key keeps it.
    pub answer: OnceLock<Box<[u8]>>,
}

/// The keyring under which the renewal of a key's digest was requested last: a cached key requests it once.
#[derive(Debug, Default)]
pub struct RenewalMark(AtomicU64);

impl Clone for RenewalMark {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl RenewalMark {
    /// Whether the renewal is yet to be requested under this keyring.
    #[must_use]
    pub fn is_due(&self, keyring: u64) -> bool {
        self.0.load(Ordering::Relaxed) != keyring
    }

    /// Remembers that the renewal was requested.
    pub fn set(&self, keyring: u64) {
        self.0.store(keyring, Ordering::Relaxed);
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct KeyRow {
    id: KeyId,
    #[diesel(select_expression = service_accounts::id)]
    service_account_id: ServiceAccountId,
    #[diesel(select_expression = service_accounts::name)]
    service_account: String,
    #[diesel(embed)]
    company: Company,
    created_at: Timestamp,
    #[diesel(embed)]
    ends: EndColumns,
}

impl From<(KeyDigest, KeyRow)> for KeyForVerification {
    fn from((digest, row): (KeyDigest, KeyRow)) -> Self {
        Self {
            id: row.id,
            service_account_id: row.service_account_id,
            service_account: row.service_account,
            company: row.company,
            created_at: row.created_at,
            ends: row.ends.into(),
            digest,
            renewal: RenewalMark::default(),
            answer: OnceLock::new(),
        }
    }
}

#[diesel::dsl::auto_type]
fn keys_with_names() -> _ {
    api_keys::table
        .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
        .inner_join(companies::table.on(companies::id.eq(api_keys::company_id)))
}

impl<A> ApiKeys<'_, A> {
    /// Returns the key with one of these digests.
    #[instrument(name = "db.keys.by_digest", level = "debug", skip_all)]
    pub fn by_digest(&mut self, digests: &PresentedDigests) -> Result<Option<Arc<KeyForVerification>>, StoreError> {
        let keys = keys_with_names()
            .filter(api_keys::digest.eq_any(digests.pairs().flat_map(|pair| [pair.of_key, pair.of_sha256])))
            .select((api_keys::digest, KeyRow::as_select()));
        Ok(by_digest(keys.load(self.connection)?).get(digests))
    }
}

/// Keys by the digests under which they are stored.
pub(super) struct FoundKeys(HashMap<KeyDigest, Arc<KeyForVerification>>);

impl FoundKeys {
    /// Returns the key that was presented. If it is stored under several digests, the row that refuses it first counts: a
    /// revocation of any ends the key.
    pub(super) fn get(&self, presented: &PresentedDigests) -> Option<Arc<KeyForVerification>> {
        let digests = presented.pairs().flat_map(|pair| [&pair.of_key, &pair.of_sha256]);
        let stored = digests.filter_map(|digest| self.0.get(digest));
        stored.min_by_key(|key| key.ends.refused_from()).cloned()
    }
}

/// Returns how many keys one statement looks up, each under so many peppers.
pub(super) const fn keys_per_statement(peppers: usize) -> usize {
    if peppers < LOOKUP_BATCH { LOOKUP_BATCH / peppers } else { 1 }
}

fn all_pairs(presented: &[PresentedDigests]) -> impl Iterator<Item = &DigestPair> {
    presented.iter().flat_map(PresentedDigests::pairs)
}

/// Looks up keys with one statement, by the digests of their SHA-256 as well if any is stored. They have 1 to
/// [`LOOKUP_BATCH`] digests, see [`keys_per_statement`].
pub(super) fn find_on_sqlite(
    connection: &mut SqliteConnection,
    presented: &[PresentedDigests],
    is_any_imported: bool,
) -> Result<FoundKeys, StoreError> {
    let of_keys: Vec<KeyDigest> = all_pairs(presented).map(|pair| pair.of_key).collect();
    let keys = keys_with_names().select((api_keys::digest, KeyRow::as_select()));
    let is_presented = in_padded!(api_keys::digest, of_keys);
    Ok(by_digest(if is_any_imported {
        let of_sha256: Vec<KeyDigest> = all_pairs(presented).map(|pair| pair.of_sha256).collect();
        keys.filter(is_presented.or(in_padded!(api_keys::digest, of_sha256))).load(connection)?
    } else {
        keys.filter(is_presented).load(connection)?
    }))
}

/// Whether any key is stored by the digest of its SHA-256.
pub(super) fn is_any_imported(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    // The kind is a literal, as in the condition of the index that answers this.
    let imported = api_keys::table.filter(diesel::dsl::sql::<Bool>("digest_kind = 'sha256'"));
    Ok(diesel::select(diesel::dsl::exists(imported)).get_result(connection)?)
}

/// Looks up any number of keys with one statement. A digest that occurs several times is sent once.
pub(super) fn find_on_postgres(
    connection: &mut PgConnection,
    presented: &[PresentedDigests],
) -> Result<FoundKeys, StoreError> {
    let unique = |digest: fn(&DigestPair) -> KeyDigest| -> Vec<KeyDigest> {
        all_pairs(presented).map(digest).collect::<HashSet<_>>().into_iter().collect()
    };
    let (of_keys, of_sha256) = (unique(|pair| pair.of_key), unique(|pair| pair.of_sha256));
    let query = KeysByDigest { of_keys, of_sha256, columns: KeyRow::as_select() };
    let rows: Vec<(KeyDigest, bool, KeyRow)> = query.load(connection)?;
    if rows.iter().any(|(_, is_standby, _)| *is_standby) {
        return Err(StoreError::standby());
    }
    Ok(by_digest(rows.into_iter().map(|(digest, _, row)| (digest, row)).collect()))
}

fn by_digest(rows: Vec<(KeyDigest, KeyRow)>) -> FoundKeys {
    FoundKeys(rows.into_iter().map(|(digest, row)| (digest, Arc::new((digest, row).into()))).collect())
}

/// A join with an array of digests. For `digest = ANY (…)`, PostgreSQL uses only B-tree indexes, which get slower
/// with the number of keys; for a join it uses the hash index. Each row says whether the server is a standby, as a
/// primary may have become one since the connection was opened.
///
/// Digests of SHA-256 are looked for only if any is stored, which the same snapshot tells by one look at an index.
#[derive(QueryId)]
struct KeysByDigest {
    of_keys: Vec<KeyDigest>,
    of_sha256: Vec<KeyDigest>,
    columns: AsSelect<KeyRow, Pg>,
}

impl Query for KeysByDigest {
    type SqlType = (Binary, Bool, SqlTypeOf<AsSelect<KeyRow, Pg>>);
}

impl RunQueryDsl<PgConnection> for KeysByDigest {}

impl QueryFragment<Pg> for KeysByDigest {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT requested.digest, pg_is_in_recovery(), ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM (SELECT unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.of_keys)?;
        out.push_sql("::bytea[]) AS digest UNION ALL SELECT unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.of_sha256)?;
        out.push_sql(
            "::bytea[]) WHERE EXISTS (SELECT 1 FROM api_keys WHERE digest_kind = 'sha256')) AS requested JOIN api_keys ON api_keys.digest = requested.digest \
             JOIN service_accounts ON service_accounts.id = api_keys.service_account_id \
             JOIN companies ON companies.id = api_keys.company_id",
        );
        Ok(())
    }
}
