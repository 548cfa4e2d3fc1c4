//! Keys as they are stored.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::TrailId;
use crate::domain::trail::replay::StoredKey;
use crate::store::connection::AnyConnection;
use crate::store::db::StoredRows;
use crate::store::error::StoreError;
use crate::store::schema::api_keys;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct KeyRow {
    id: String,
    service_account_id: String,
    digest: Vec<u8>,
    digest_kind: String,
    pepper_id: String,
    preview: String,
    preview_folded: String,
    created_at: i64,
    created_by_type: String,
    created_by: String,
    owner: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by_type: Option<String>,
    revoked_by: Option<String>,
    revocation_reason: Option<String>,
    revocation_comment: Option<String>,
    replaced_by: Option<String>,
    rotated_by: Option<String>,
    overlap_ends_at: Option<i64>,
    overlap_extended: bool,
    end_recorded: bool,
    ended_at: i64,
    refused_from: i64,
}

impl From<KeyRow> for StoredKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            service_account_id: row.service_account_id,
            digest: row.digest,
            digest_kind: row.digest_kind,
            pepper_id: row.pepper_id,
            preview: row.preview,
            preview_folded: row.preview_folded,
            created_at: row.created_at,
            created_by_type: row.created_by_type,
            created_by: row.created_by,
            owner: row.owner,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            revoked_by_type: row.revoked_by_type,
            revoked_by: row.revoked_by,
            revocation_reason: row.revocation_reason,
            revocation_comment: row.revocation_comment,
            replaced_by: row.replaced_by,
            rotated_by: row.rotated_by,
            overlap_ends_at: row.overlap_ends_at,
            overlap_extended: row.overlap_extended,
            end_recorded: row.end_recorded,
            ended_at: row.ended_at,
            refused_from: row.refused_from,
        }
    }
}

impl<A> StoredRows<'_, A> {
    /// Returns keys of a company with larger ids than `after`, in the order of ids.
    #[instrument(name = "db.stored_rows.keys", level = "debug", skip_all)]
    pub fn keys(&mut self, company: TrailId, after: &str, limit: i64) -> Result<Vec<StoredKey>, StoreError> {
        let keys = api_keys::table
            .filter(api_keys::company_id.eq(company))
            .filter(api_keys::id.gt(after))
            .order(api_keys::id)
            .limit(limit);
        // The driver's own connection reads faster, and there may be a million keys.
        let rows: Vec<KeyRow> = match self.connection {
            AnyConnection::Sqlite(sqlite) => keys.select(KeyRow::as_select()).load(sqlite)?,
            AnyConnection::Postgres(postgres) => keys.select(KeyRow::as_select()).load(postgres)?,
        };
        Ok(rows.into_iter().map(StoredKey::from).collect())
    }
}
