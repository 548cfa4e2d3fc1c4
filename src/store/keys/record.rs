//! Single API keys.

use diesel::prelude::*;
use tracing::instrument;

use super::endings::{CreatorColumns, ReplacementColumns, RevocationColumns};
use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::api_key::Preview;
use crate::domain::key::digest::{DigestKind, KeyDigest};
use crate::domain::key::lifecycle::{KeyEnd, KeyEnds, KeyState, Revocation};
use crate::domain::key::rotation::Replacement;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{Columns, columns};
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::{api_keys, service_accounts};

/// A stored key, with the current name of its service account.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct KeyRecord {
    pub id: KeyId,
    pub company_id: CompanyId,
    pub service_account_id: ServiceAccountId,
    #[diesel(select_expression = service_accounts::name)]
    pub name: String,
    /// What the service account is for; empty if not given, like the department and the contact.
    #[diesel(select_expression = service_accounts::purpose)]
    pub purpose: String,
    #[diesel(select_expression = service_accounts::department)]
    pub department: String,
    #[diesel(select_expression = service_accounts::contact)]
    pub contact: String,
    pub preview: String,
    pub created_at: Timestamp,
    #[diesel(
        select_expression = columns::<CreatorColumns>(),
        select_expression_type = Columns<CreatorColumns>,
        deserialize_as = CreatorColumns,
    )]
    pub created_by: Actor,
    /// The creator, or the user whom a command named, until the key is transferred.
    pub owner: UserId,
    /// How often the key's owner and expiry and its account's name and details were changed, together.
    #[diesel(select_expression = api_keys::version + service_accounts::version)]
    pub version: i64,
    pub expires_at: Option<Timestamp>,
    /// Whether the trail holds the expiry, or the end of the overlap.
    pub end_recorded: bool,
    /// The key that replaces this one, now or after the overlap.
    #[diesel(
        select_expression = columns::<ReplacementColumns>(),
        select_expression_type = Columns<ReplacementColumns>,
        deserialize_as = ReplacementColumns,
    )]
    pub replacement: Option<Replacement>,
    #[diesel(
        select_expression = columns::<RevocationColumns>(),
        select_expression_type = Columns<RevocationColumns>,
        deserialize_as = RevocationColumns,
    )]
    pub revocation: Option<Revocation>,
}

impl KeyRecord {
    #[must_use]
    pub fn ends(&self) -> KeyEnds {
        KeyEnds {
            expires_at: self.expires_at,
            overlap_ends_at: self.replacement.as_ref().and_then(|replacement| replacement.overlap_ends_at),
            revoked_at: self.revocation.as_ref().map(|revocation| revocation.at),
            is_recorded: self.end_recorded,
        }
    }

    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        self.ends().state(now)
    }

    /// How the key ended, if it has ended by `now`.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<KeyEnd> {
        let rotated_by = self.replacement.as_ref().map(|replacement| replacement.rotated_by);
        self.ends().end(rotated_by, self.revocation.as_ref(), now)
    }

    /// The users that the record names.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let revoked_by = self.revocation.as_ref().and_then(|revocation| revocation.by.user());
        let rotated_by = self.replacement.as_ref().map(|replacement| replacement.rotated_by);
        [self.created_by.user(), Some(self.owner), revoked_by, rotated_by].into_iter().flatten()
    }
}

/// The values of a new key.
#[derive(Clone, Debug)]
pub struct NewKeyRecord<'a> {
    pub id: KeyId,
    pub company_id: CompanyId,
    pub service_account_id: ServiceAccountId,
    pub digest: KeyDigest,
    pub digest_kind: DigestKind,
    /// The pepper that the digest was made with.
    pub pepper_id: &'a str,
    pub preview: &'a Preview,
    pub created_at: Timestamp,
    pub created_by: Actor,
    pub owner: UserId,
    pub expires_at: Option<Timestamp>,
}

impl<A> ApiKeys<'_, A> {
    /// Returns a key of any company, for commands. Pages use [`ApiKeys::by_id`].
    #[instrument(name = "db.keys.find", level = "debug", skip_all)]
    pub fn find(&mut self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let key = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::id.eq(id));
        let key = on_driver!(self.connection, |driver| key.select(KeyRecord::as_select()).first(driver));
        Ok(key.optional()?)
    }

    /// Returns a key of the company; `None` also for a key of another company.
    #[instrument(name = "db.keys.by_id", level = "debug", skip_all)]
    pub fn by_id(&mut self, company_id: CompanyId, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.find(id)?.filter(|key| key.company_id == company_id))
    }

    /// Returns the key that this key replaced.
    #[instrument(name = "db.keys.replaced_by", level = "debug", skip_all)]
    pub fn replaced_by(&mut self, company_id: CompanyId, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let key = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::replaced_by.eq(id))
            .select(KeyRecord::as_select());
        Ok(key.first(self.connection).optional()?)
    }
}
