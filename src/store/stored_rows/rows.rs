//! Companies, users, service accounts and gateways as they are stored.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::TrailId;
use crate::domain::trail::replay::{Difference, StoredAccount, StoredCompany, StoredGateway, StoredUser, SubjectKind};
use crate::store::connection::AnyConnection;
use crate::store::db::StoredRows;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, audit_trails, companies, gateways, second_factors, service_accounts, users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_accounts)]
struct AccountRow {
    id: String,
    name: String,
    name_folded: String,
    created_at: i64,
    purpose: String,
    department: String,
    contact: String,
}

impl From<AccountRow> for StoredAccount {
    fn from(row: AccountRow) -> Self {
        let AccountRow { id, name, name_folded, created_at, purpose, department, contact } = row;
        Self { id, name, name_folded, created_at, purpose, department, contact }
    }
}

impl<A> StoredRows<'_, A> {
    /// Returns the ids of all trails, with the names of their companies, in the order of the names. The installation's
    /// own trail has no company, nor has one whose company was removed by hand; both come last.
    #[instrument(name = "db.stored_rows.trails", level = "debug", skip_all)]
    pub fn trails(&mut self) -> Result<Vec<(TrailId, Option<String>)>, StoreError> {
        Ok(audit_trails::table
            .left_join(companies::table.on(companies::id.eq(audit_trails::id)))
            .order((companies::id.nullable().is_null(), companies::name_folded.nullable(), audit_trails::id))
            .select((audit_trails::id, companies::name.nullable()))
            .load(self.connection)?)
    }

    /// Returns the company of a trail.
    #[instrument(name = "db.stored_rows.company", level = "debug", skip_all)]
    pub fn company(&mut self, trail: TrailId) -> Result<Option<StoredCompany>, StoreError> {
        type Days = (Option<i32>, Option<i32>, Option<i32>, Option<i32>);
        type Reasons = (Option<String>, Option<String>, Option<String>, Option<String>);
        type Row = (String, String, String, i64, bool, Days, Reasons);
        let row: Option<Row> = companies::table
            .filter(companies::id.eq(trail))
            .select((
                companies::id,
                companies::name,
                companies::name_folded,
                companies::created_at,
                companies::require_second_factor,
                (
                    companies::default_expiry_days,
                    companies::maximum_lifetime_days,
                    companies::rotation_period_days,
                    companies::idle_end_days,
                ),
                (
                    companies::default_expiry_reason,
                    companies::maximum_lifetime_reason,
                    companies::rotation_period_reason,
                    companies::idle_end_reason,
                ),
            ))
            .first(self.connection)
            .optional()?;
        Ok(row.map(|(id, name, name_folded, created_at, require_second_factor, days, reasons)| StoredCompany {
            id,
            name,
            name_folded,
            created_at,
            require_second_factor,
            default_expiry_days: days.0,
            maximum_lifetime_days: days.1,
            rotation_period_days: days.2,
            default_expiry_reason: reasons.0,
            maximum_lifetime_reason: reasons.1,
            rotation_period_reason: reasons.2,
            idle_end_days: days.3,
            idle_end_reason: reasons.3,
        }))
    }

    /// Returns users of a company with larger ids than `after`, in the order of ids.
    #[instrument(name = "db.stored_rows.users", level = "debug", skip_all)]
    pub fn users(&mut self, company: TrailId, after: &str, limit: i64) -> Result<Vec<StoredUser>, StoreError> {
        type Row = (String, String, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company))
            .filter(users::id.gt(after))
            .order(users::id)
            .limit(limit)
            .select((users::id, users::role, users::created_at, users::deleted_at, second_factors::since.nullable()))
            .load(self.connection)?;
        let user = |(id, role, created_at, deleted_at, second_factor_since)| StoredUser {
            id,
            role,
            created_at,
            deleted_at,
            second_factor_since,
        };
        Ok(rows.into_iter().map(user).collect())
    }

    /// Returns service accounts of a company with larger ids than `after`, in the order of ids.
    #[instrument(name = "db.stored_rows.accounts", level = "debug", skip_all)]
    pub fn accounts(&mut self, company: TrailId, after: &str, limit: i64) -> Result<Vec<StoredAccount>, StoreError> {
        let accounts = service_accounts::table
            .filter(service_accounts::company_id.eq(company))
            .filter(service_accounts::id.gt(after))
            .order(service_accounts::id)
            .limit(limit);
        let rows: Vec<AccountRow> = match self.connection {
            AnyConnection::Sqlite(sqlite) => accounts.select(AccountRow::as_select()).load(sqlite)?,
            AnyConnection::Postgres(postgres) => accounts.select(AccountRow::as_select()).load(postgres)?,
        };
        Ok(rows.into_iter().map(StoredAccount::from).collect())
    }

    /// Returns gateways with larger ids than `after`, in the order of ids.
    #[instrument(name = "db.stored_rows.gateways", level = "debug", skip_all)]
    pub fn gateways(&mut self, after: &str, limit: i64) -> Result<Vec<StoredGateway>, StoreError> {
        let rows: Vec<(String, String, String, i64, Option<i64>)> = gateways::table
            .filter(gateways::id.gt(after))
            .order(gateways::id)
            .limit(limit)
            .select((gateways::id, gateways::name, gateways::name_folded, gateways::created_at, gateways::revoked_at))
            .load(self.connection)?;
        let gateway = |(id, name, name_folded, created_at, revoked_at)| StoredGateway {
            id,
            name,
            name_folded,
            created_at,
            revoked_at,
        };
        Ok(rows.into_iter().map(gateway).collect())
    }

    /// Returns rows that no trail can account for: of companies without a trail, or of no company.
    #[instrument(name = "db.stored_rows.strays", level = "debug", skip_all)]
    pub fn strays(&mut self, limit: i64) -> Result<Vec<Difference>, StoreError> {
        macro_rules! of_no_company {
            ($table:ident) => {
                $table::table
                    .left_join(companies::table.on(companies::id.eq($table::company_id)))
                    .filter(companies::id.nullable().is_null())
                    .order($table::id)
                    .limit(limit)
                    .select($table::id)
                    .load::<String>(self.connection)?
            };
        }
        let companies = companies::table
            .left_join(audit_trails::table.on(audit_trails::id.eq(companies::id)))
            .filter(audit_trails::id.nullable().is_null())
            .order(companies::id)
            .limit(limit)
            .select(companies::id)
            .load::<String>(self.connection)?;
        let strays = [
            (SubjectKind::Company, companies),
            (SubjectKind::User, of_no_company!(users)),
            (SubjectKind::ServiceAccount, of_no_company!(service_accounts)),
            (SubjectKind::ApiKey, of_no_company!(api_keys)),
        ];
        let all = strays.into_iter().flat_map(|(kind, ids)| ids.into_iter().map(move |id| (kind, id)));
        Ok(all.map(|(kind, id)| Difference::unrecorded(kind, id)).collect())
    }
}
