//! Keys to assess, and the facts about them.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::key::lifecycle::KeyEnds;
use crate::domain::practice::clients::ClientUse;
use crate::domain::practice::finding::Findings;
use crate::domain::practice::rules::{KeyFacts, Owner};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{Columns, columns};
use crate::store::db::Assessments;
use crate::store::error::StoreError;
use crate::store::keys::EndColumns;
use crate::store::schema::{
    api_keys, assessment_queue, key_assessments, key_clients, key_usage, service_accounts, users,
};

/// A key to assess.
#[derive(Clone, Debug)]
pub struct KeyToAssess {
    pub id: KeyId,
    pub facts: KeyFacts,
    /// The findings so far. `None` if the key was never assessed.
    pub known: Option<Findings>,
}

/// Keys that are due, and the entries of the queue that name them.
#[derive(Clone, Debug, Default)]
pub struct DueKeys {
    pub keys: Vec<KeyId>,
    pub(super) queued: Vec<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct FactColumns {
    id: KeyId,
    #[diesel(select_expression = service_accounts::name)]
    name: String,
    #[diesel(select_expression = service_accounts::purpose)]
    purpose: String,
    created_at: Timestamp,
    #[diesel(
        select_expression = columns::<EndColumns>(),
        select_expression_type = Columns<EndColumns>,
        deserialize_as = EndColumns,
    )]
    ends: KeyEnds,
}

/// The owner's creation, deletion and last sign-in. All absent for an owner who is no user.
type OwnerColumns = (Option<Timestamp>, Option<Timestamp>, Option<Timestamp>);

impl<A> Assessments<'_, A> {
    /// Returns keys of a company that must be assessed: those in the queue, and those whose time has come.
    #[instrument(name = "db.assessments.due", level = "debug", skip_all)]
    pub fn due(&mut self, company_id: CompanyId, now: Timestamp, limit: i64) -> Result<DueKeys, StoreError> {
        let queued: Vec<(String, KeyId)> = assessment_queue::table
            .filter(assessment_queue::company_id.eq(company_id))
            .order(assessment_queue::id)
            .limit(limit)
            .select((assessment_queue::id, assessment_queue::key_id))
            .load(self.connection)?;
        let by_time: Vec<KeyId> = key_assessments::table
            .filter(key_assessments::company_id.eq(company_id))
            .filter(key_assessments::due_at.le(now))
            .order(key_assessments::due_at)
            .limit(limit)
            .select(key_assessments::key_id)
            .load(self.connection)?;
        let mut keys: Vec<KeyId> = queued.iter().map(|(_, key)| *key).chain(by_time).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(DueKeys { keys, queued: queued.into_iter().map(|(entry, _)| entry).collect() })
    }

    /// Returns what is known about these keys of a company. Clients count since `clients_since`.
    #[instrument(name = "db.assessments.facts", level = "debug", skip_all)]
    pub fn facts(
        &mut self,
        company_id: CompanyId,
        ids: &[KeyId],
        now: Timestamp,
        client_period: Duration,
    ) -> Result<Vec<KeyToAssess>, StoreError> {
        let mut clients = self.clients_of(ids, now - client_period)?;
        let owner = (users::created_at.nullable(), users::deleted_at.nullable(), users::last_signed_in_at.nullable());
        let rows: Vec<(FactColumns, OwnerColumns, Option<i64>, Option<i64>)> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .left_join(users::table.on(users::id.eq(api_keys::owner)))
            .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .left_join(key_assessments::table.on(key_assessments::key_id.eq(api_keys::id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::id.eq_any(ids))
            .select((
                FactColumns::as_select(),
                owner,
                key_usage::last_used_at.nullable(),
                key_assessments::findings.nullable(),
            ))
            .load(self.connection)?;
        let key = |(key, owner, last_used, known): (FactColumns, OwnerColumns, Option<i64>, Option<i64>)| KeyToAssess {
            facts: KeyFacts {
                name: key.name,
                has_purpose: !key.purpose.is_empty(),
                created_at: key.created_at,
                ends: key.ends,
                owner: owner_of(owner),
                last_used_at: last_used.filter(|at| *at > 0).map(Timestamp::from_micros),
                clients: clients.remove(&key.id).unwrap_or_default(),
            },
            id: key.id,
            known: known.map(Findings::from_bits),
        };
        Ok(rows.into_iter().map(key).collect())
    }

    fn clients_of(&mut self, ids: &[KeyId], since: Timestamp) -> Result<HashMap<KeyId, Vec<ClientUse>>, StoreError> {
        let rows: Vec<(KeyId, Timestamp, String, String)> = key_clients::table
            .filter(key_clients::key_id.eq_any(ids))
            .filter(key_clients::last_seen_at.gt(since))
            .select((key_clients::key_id, key_clients::last_seen_at, key_clients::address, key_clients::client))
            .load(self.connection)?;
        let mut clients: HashMap<KeyId, Vec<ClientUse>> = HashMap::new();
        for (key, at, address, client) in rows {
            clients.entry(key).or_default().push(ClientUse { at, address: address.parse().ok(), client });
        }
        Ok(clients)
    }
}

fn owner_of((created_at, deleted_at, last_signed_in_at): OwnerColumns) -> Owner {
    match (deleted_at, last_signed_in_at.or(created_at)) {
        (None, Some(last_seen)) => Owner::LastSeen(last_seen),
        _ => Owner::Deleted,
    }
}
