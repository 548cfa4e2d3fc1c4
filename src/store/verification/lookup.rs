//! Look-ups of keys by digest, with everything that verification needs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary, Bool};
use diesel::{PgConnection, SqliteConnection};
use tracing::instrument;

use crate::domain::ids::{KeyId, ServiceAccountId};
use crate::domain::key::digest::{KeyDigest, PresentedDigests};
use crate::domain::key::lifecycle::KeyEnds;
use crate::domain::timestamp::Timestamp;
use crate::store::companies::Company;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::in_padded::in_padded;
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
    /// The response to an introspection, once it was serialized: a cached key keeps it.
    pub answer: OnceLock<Box<[u8]>>,
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

impl From<KeyRow> for KeyForVerification {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            service_account_id: row.service_account_id,
            service_account: row.service_account,
            company: row.company,
            created_at: row.created_at,
            ends: row.ends.into(),
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
            .filter(api_keys::digest.eq(digests.of_key).or(api_keys::digest.eq(digests.of_sha256)))
            .select((api_keys::digest, KeyRow::as_select()));
        Ok(by_digest(keys.load(self.connection)?).get(digests))
    }
}

/// Keys by the digests under which they are stored.
pub(super) struct FoundKeys(HashMap<KeyDigest, Arc<KeyForVerification>>);

impl FoundKeys {
    /// Returns the key that was presented. If it is stored under both digests, the row that refuses it first counts: a
    /// revocation of either ends the key.
    pub(super) fn get(&self, presented: &PresentedDigests) -> Option<Arc<KeyForVerification>> {
        let stored = [presented.of_key, presented.of_sha256].into_iter().filter_map(|digest| self.0.get(&digest));
        stored.min_by_key(|key| key.ends.refused_from()).cloned()
    }
}

/// Looks up 1 to [`LOOKUP_BATCH`](crate::store::in_padded::LOOKUP_BATCH) keys with one statement, by the digests of
/// their SHA-256 as well if any is stored.
pub(super) fn find_on_sqlite(
    connection: &mut SqliteConnection,
    presented: &[PresentedDigests],
    is_any_imported: bool,
) -> Result<FoundKeys, StoreError> {
    let of_keys: Vec<KeyDigest> = presented.iter().map(|digests| digests.of_key).collect();
    let keys = keys_with_names().select((api_keys::digest, KeyRow::as_select()));
    let is_presented = in_padded!(api_keys::digest, of_keys);
    Ok(by_digest(if is_any_imported {
        let of_sha256: Vec<KeyDigest> = presented.iter().map(|digests| digests.of_sha256).collect();
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
    let unique = |digest: fn(&PresentedDigests) -> KeyDigest| -> Vec<KeyDigest> {
        presented.iter().map(digest).collect::<HashSet<_>>().into_iter().collect()
    };
    let (of_keys, of_sha256) = (unique(|digests| digests.of_key), unique(|digests| digests.of_sha256));
    let query = KeysByDigest { of_keys, of_sha256, columns: KeyRow::as_select() };
    let rows: Vec<(KeyDigest, bool, KeyRow)> = query.load(connection)?;
    if rows.iter().any(|(_, is_standby, _)| *is_standby) {
        return Err(StoreError::standby());
    }
    Ok(by_digest(rows.into_iter().map(|(digest, _, row)| (digest, row)).collect()))
}

fn by_digest(rows: Vec<(KeyDigest, KeyRow)>) -> FoundKeys {
    FoundKeys(rows.into_iter().map(|(digest, row)| (digest, Arc::new(row.into()))).collect())
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
