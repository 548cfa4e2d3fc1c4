//! Keys as verification asks for them: by fingerprint, with what ends them and whose they are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary};
use diesel::{PgConnection, SqliteConnection};

use super::companies::Company;
use super::error::StoreError;
use super::schema::{api_keys, companies, service_accounts};
use super::{Snapshot, is_one_of, read_back};
use crate::domain::api_key::KeyEnds;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId};
use crate::domain::instant::Instant;
use crate::domain::key_digest::KeyDigest;

/// What verification needs to know of a key.
#[derive(Clone, Debug)]
pub struct VerifiableKey {
    /// Its id.
    pub id: KeyId,
    /// Its service account.
    pub service_account_id: ServiceAccountId,
    /// The name of that.
    pub service_account: String,
    /// Its company.
    pub company: Company,
    /// When it was made.
    pub created_at: Instant,
    /// What ends it.
    pub ends: KeyEnds,
    /// What machines are told of all this, once somebody has written it: whoever remembers the key need not write it again.
    pub answer: OnceLock<Box<[u8]>>,
}

#[derive(Queryable, Selectable)]
struct VerifiableRow {
    #[diesel(select_expression = api_keys::id)]
    id: String,
    #[diesel(select_expression = service_accounts::id)]
    service_account_id: String,
    #[diesel(select_expression = service_accounts::name)]
    service_account: String,
    #[diesel(select_expression = companies::id)]
    company_id: String,
    #[diesel(select_expression = companies::name)]
    company: String,
    #[diesel(select_expression = api_keys::created_at)]
    created_at: i64,
    #[diesel(select_expression = api_keys::expires_at)]
    expires_at: Option<i64>,
    #[diesel(select_expression = api_keys::overlap_ends_at)]
    overlap_ends_at: Option<i64>,
    #[diesel(select_expression = api_keys::revoked_at)]
    revoked_at: Option<i64>,
}

impl VerifiableRow {
    fn into_key(self) -> Result<VerifiableKey, StoreError> {
        let [expires_at, overlap_ends_at, revoked_at] =
            [self.expires_at, self.overlap_ends_at, self.revoked_at].map(|end| end.map(Instant::from_micros));
        let account = ServiceAccountId::parse(&self.service_account_id);
        let company_id = read_back("company id", CompanyId::parse(&self.company_id))?;
        Ok(VerifiableKey {
            id: read_back("key id", KeyId::parse(&self.id))?,
            service_account_id: read_back("service account id", account)?,
            service_account: self.service_account,
            company: Company { id: company_id, name: self.company },
            created_at: Instant::from_micros(self.created_at),
            ends: KeyEnds { expires_at, overlap_ends_at, revoked_at },
            answer: OnceLock::new(),
        })
    }
}

/// Keys with their service accounts and companies.
#[diesel::dsl::auto_type]
fn with_names() -> _ {
    api_keys::table
        .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
        .inner_join(companies::table.on(companies::id.eq(api_keys::company_id)))
}

impl Snapshot<'_> {
    /// The key with that fingerprint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_by_digest(&mut self, digest: &KeyDigest) -> Result<Option<VerifiableKey>, StoreError> {
        let row: Option<VerifiableRow> = with_names()
            .filter(api_keys::digest.eq(&digest.as_bytes()[..]))
            .select(VerifiableRow::as_select())
            .first(self.connection)
            .optional()?;
        row.map(VerifiableRow::into_key).transpose()
    }
}

/// The keys with these fingerprints, by one statement; at least one is asked for, and at most [`VALUES_AT_ONCE`](super::VALUES_AT_ONCE).
pub(super) fn several_verifiable_keys(
    connection: &mut SqliteConnection,
    digests: &[KeyDigest],
) -> Result<HashMap<KeyDigest, Arc<VerifiableKey>>, StoreError> {
    let digests: Vec<Vec<u8>> = digests.iter().map(|digest| digest.as_bytes().to_vec()).collect();
    let keys = with_names().filter(is_one_of!(api_keys::digest, digests));
    by_digest(keys.select((api_keys::digest, VerifiableRow::as_select())).load(connection)?)
}

/// The keys with these fingerprints, however many, by one statement. Many who ask at once ask for the same key: each is looked
/// for once.
pub(super) fn verifiable_keys(
    connection: &mut PgConnection,
    digests: &[KeyDigest],
) -> Result<HashMap<KeyDigest, Arc<VerifiableKey>>, StoreError> {
    let digests: HashSet<&KeyDigest> = digests.iter().collect();
    let digests = digests.into_iter().map(|digest| digest.as_bytes().to_vec()).collect();
    by_digest(KeysOfDigests { digests, columns: VerifiableRow::as_select() }.load(connection)?)
}

/// A join with the fingerprints, one by one: PostgreSQL looks for `digest = ANY (…)` in indexes that are trees alone, whose
/// depth grows with the number of keys.
#[derive(QueryId)]
struct KeysOfDigests {
    digests: Vec<Vec<u8>>,
    columns: AsSelect<VerifiableRow, Pg>,
}

impl Query for KeysOfDigests {
    type SqlType = (Binary, SqlTypeOf<AsSelect<VerifiableRow, Pg>>);
}

impl RunQueryDsl<PgConnection> for KeysOfDigests {}

impl QueryFragment<Pg> for KeysOfDigests {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT asked.digest, ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.digests)?;
        out.push_sql(
            "::bytea[]) AS asked (digest) JOIN api_keys ON api_keys.digest = asked.digest \
             JOIN service_accounts ON service_accounts.id = api_keys.service_account_id \
             JOIN companies ON companies.id = api_keys.company_id",
        );
        Ok(())
    }
}

fn by_digest(rows: Vec<(Vec<u8>, VerifiableRow)>) -> Result<HashMap<KeyDigest, Arc<VerifiableKey>>, StoreError> {
    let keys = rows.into_iter().map(|(digest, row)| {
        let digest = read_back("digest", KeyDigest::from_stored(&digest))?;
        Ok((digest, Arc::new(row.into_key()?)))
    });
    keys.collect()
}
