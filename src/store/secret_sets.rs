//! The sets of secrets, the servers that have them, and what hangs on each.

use diesel::dsl::{count, count_star, max};
use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId, UserId};
use crate::domain::secret_set::{SecretSetRecord, SecretSetRecords};
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, SecretSets};
use crate::store::error::StoreError;
use crate::store::schema::{
    api_keys, key_usage, recovery_codes, second_factors, secret_checks, secret_servers, secret_sets,
};

/// A running server, and the sets in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedServer {
    pub id: String,
    pub set_ids: Vec<String>,
}

/// The active keys whose digest belongs to a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysOfSet {
    pub set_id: String,
    pub active: i64,
    /// The last use of one of them.
    pub last_used_at: Option<Timestamp>,
}

/// The second factors that belong to a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondFactorsOfSet {
    /// Users whose authenticator's secret needs the set.
    pub authenticators: i64,
    /// Users whose recovery codes need it.
    pub with_recovery_codes: i64,
}

impl<A> SecretSets<'_, A> {
    /// Returns all sets, retired ones included.
    #[instrument(name = "db.secret_sets.records", level = "debug", skip_all)]
    pub fn records(&mut self) -> Result<SecretSetRecords, StoreError> {
        type Row = (String, Timestamp, Option<Timestamp>, Option<Timestamp>);
        let columns = (secret_sets::id, secret_sets::created_at, secret_sets::activated_at, secret_sets::retired_at);
        let rows: Vec<Row> = secret_sets::table.select(columns).load(self.connection)?;
        let record = |(id, created_at, activated_at, retired_at): Row| SecretSetRecord {
            id,
            created_at,
            activated_at,
            retired_at,
        };
        Ok(SecretSetRecords::new(rows.into_iter().map(record).collect()))
    }

    /// Returns the servers that announced themselves after this time.
    #[instrument(name = "db.secret_sets.servers", level = "debug", skip_all)]
    pub fn servers(&mut self, seen_after: Timestamp) -> Result<Vec<AnnouncedServer>, StoreError> {
        let rows: Vec<(String, String)> = secret_servers::table
            .filter(secret_servers::seen_at.gt(seen_after))
            .order(secret_servers::id)
            .select((secret_servers::id, secret_servers::set_ids))
            .load(self.connection)?;
        let server = |(id, ids): (String, String)| AnnouncedServer {
            id,
            set_ids: ids.split_whitespace().map(str::to_owned).collect(),
        };
        Ok(rows.into_iter().map(server).collect())
    }

    /// Counts the active keys of each set. Reads every key.
    #[instrument(name = "db.secret_sets.keys", level = "debug", skip_all)]
    pub fn keys(&mut self, now: Timestamp) -> Result<Vec<KeysOfSet>, StoreError> {
        let rows: Vec<(String, i64, Option<i64>)> = api_keys::table
            .left_join(key_usage::table.on(key_usage::key_id.eq(api_keys::id)))
            .filter(api_keys::refused_from.gt(now))
            .group_by(api_keys::pepper_id)
            .select((api_keys::pepper_id, count_star(), max(key_usage::last_used_at.nullable())))
            .load(self.connection)?;
        let keys = |(set_id, active, last): (String, i64, Option<i64>)| KeysOfSet {
            set_id,
            active,
            last_used_at: last.filter(|at| *at > 0).map(Timestamp::from_micros),
        };
        Ok(rows.into_iter().map(keys).collect())
    }

    /// Returns some active keys whose digest belongs to a set.
    #[instrument(name = "db.secret_sets.active_keys", level = "debug", skip_all)]
    pub fn active_keys(
        &mut self,
        set_id: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<(CompanyId, KeyId)>, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::pepper_id.eq(set_id))
            .filter(api_keys::refused_from.gt(now))
            .order((api_keys::company_id, api_keys::id))
            .select((api_keys::company_id, api_keys::id))
            .limit(limit)
            .load(self.connection)?)
    }

    /// Counts the second factors of a set.
    #[instrument(name = "db.secret_sets.second_factors", level = "debug", skip_all)]
    pub fn second_factors(&mut self, set_id: &str) -> Result<SecondFactorsOfSet, StoreError> {
        let authenticators =
            second_factors::table.filter(second_factors::set_id.eq(set_id)).count().get_result(self.connection)?;
        let with_recovery_codes = recovery_codes::table
            .filter(recovery_codes::set_id.eq(set_id))
            .select(count(recovery_codes::user_id).aggregate_distinct())
            .get_result(self.connection)?;
        Ok(SecondFactorsOfSet { authenticators, with_recovery_codes })
    }

    /// Returns some users whose authenticator's secret needs a set.
    #[instrument(name = "db.secret_sets.users", level = "debug", skip_all)]
    pub fn users(&mut self, set_id: &str, limit: i64) -> Result<Vec<(CompanyId, UserId)>, StoreError> {
        Ok(second_factors::table
            .filter(second_factors::set_id.eq(set_id))
            .order((second_factors::company_id, second_factors::user_id))
            .select((second_factors::company_id, second_factors::user_id))
            .limit(limit)
            .load(self.connection)?)
    }
}

impl SecretSets<'_, ReadWrite> {
    /// Adds a set.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one with this id.
    #[instrument(name = "db.secret_sets.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, record: &SecretSetRecord) -> Result<(), StoreError> {
        diesel::insert_into(secret_sets::table)
            .values((
                secret_sets::id.eq(&record.id),
                secret_sets::created_at.eq(record.created_at),
                secret_sets::activated_at.eq(record.activated_at),
                secret_sets::retired_at.eq(record.retired_at),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Names the first set in second factors that a server of an older version has stored.
    #[instrument(name = "db.secret_sets.name_first", level = "debug", skip_all)]
    pub fn name_first(&mut self, first: &str) -> Result<(), StoreError> {
        diesel::update(second_factors::table.filter(second_factors::set_id.eq("")))
            .set(second_factors::set_id.eq(first))
            .execute(self.connection)?;
        diesel::update(recovery_codes::table.filter(recovery_codes::set_id.eq("")))
            .set(recovery_codes::set_id.eq(first))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores from when on a set is used for what is new.
    #[instrument(name = "db.secret_sets.activate", level = "debug", skip_all)]
    pub fn activate(&mut self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        diesel::update(secret_sets::table.filter(secret_sets::id.eq(id)))
            .set(secret_sets::activated_at.eq(at))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores that a set is not accepted any more. Deletes what recognizes its secrets, and its recovery codes.
    #[instrument(name = "db.secret_sets.retire", level = "debug", skip_all)]
    pub fn retire(&mut self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        diesel::delete(secret_checks::table.filter(secret_checks::id.eq(id))).execute(self.connection)?;
        diesel::delete(recovery_codes::table.filter(recovery_codes::set_id.eq(id))).execute(self.connection)?;
        diesel::update(secret_sets::table.filter(secret_sets::id.eq(id)))
            .set(secret_sets::retired_at.eq(at))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores that a server runs and which sets its file holds. Deletes servers that were not seen since `oldest`.
    #[instrument(name = "db.secret_sets.announce", level = "debug", skip_all)]
    pub fn announce(&mut self, server: &AnnouncedServer, now: Timestamp, oldest: Timestamp) -> Result<(), StoreError> {
        diesel::delete(secret_servers::table.filter(secret_servers::seen_at.lt(oldest))).execute(self.connection)?;
        self.withdraw(&server.id)?;
        diesel::insert_into(secret_servers::table)
            .values((
                secret_servers::id.eq(&server.id),
                secret_servers::set_ids.eq(server.set_ids.join(" ")),
                secret_servers::seen_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Forgets a server, which has stopped.
    #[instrument(name = "db.secret_sets.withdraw", level = "debug", skip_all)]
    pub fn withdraw(&mut self, server: &str) -> Result<(), StoreError> {
        diesel::delete(secret_servers::table.filter(secret_servers::id.eq(server))).execute(self.connection)?;
        Ok(())
    }
}
