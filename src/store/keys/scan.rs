//! All keys of a company, read page by page.

use diesel::prelude::*;
use tracing::instrument;

use super::list_item::{KeyColumns, KeyListItem, UsageColumns};
use crate::domain::ids::{CompanyId, KeyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::AnyConnection;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_usage, service_accounts};

/// A page of a company's keys, from the newest to the oldest.
#[derive(Clone, Debug)]
pub struct KeyScan {
    pub company_id: CompanyId,
    /// Only keys of this owner.
    pub owner: Option<UserId>,
    /// Only keys that are refused from a time in this range, both ends included.
    pub refused_from: (Timestamp, Timestamp),
    /// Only keys that are older than this one.
    pub after: Option<(Timestamp, KeyId)>,
    pub limit: i64,
}

/// Loads on the driver's own connection, which reads faster: there may be a million keys.
macro_rules! load {
    ($connection:expr, $query:expr) => {
        match $connection {
            AnyConnection::Sqlite(sqlite) => {
                $query.select((KeyColumns::as_select(), Option::<UsageColumns>::as_select())).load(sqlite)?
            }
            AnyConnection::Postgres(postgres) => {
                $query.select((KeyColumns::as_select(), Option::<UsageColumns>::as_select())).load(postgres)?
            }
        }
    };
}

impl<A> ApiKeys<'_, A> {
    /// Returns a page of keys. A page costs the same wherever it is.
    #[instrument(name = "db.keys.scan", level = "debug", skip_all)]
    pub fn scan(&mut self, scan: &KeyScan) -> Result<Vec<KeyListItem>, StoreError> {
        // No key was created at the end of time.
        let (at, id) =
            scan.after.unwrap_or((Timestamp::from_micros(i64::MAX), KeyId::new(Timestamp::from_micros(0), &[0; 10])));
        let (first, last) = scan.refused_from;
        let keys = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(api_keys::company_id.eq(scan.company_id))
            .filter(api_keys::created_at.le(at).and(api_keys::created_at.lt(at).or(api_keys::id.lt(id))))
            .filter(api_keys::refused_from.between(first, last))
            .order((api_keys::created_at.desc(), api_keys::id.desc()))
            .limit(scan.limit);
        let rows: Vec<(KeyColumns, Option<UsageColumns>)> =
            self.connection.with_index_order(|connection| match scan.owner {
                None => Ok(load!(connection, keys)),
                Some(owner) => Ok(load!(connection, keys.filter(api_keys::owner.eq(owner)))),
            })?;
        Ok(rows.into_iter().map(|(key, usage)| KeyListItem::new(key, usage.unwrap_or_default())).collect())
    }
}
