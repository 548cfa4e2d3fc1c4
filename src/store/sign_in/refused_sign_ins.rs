//! Refused sign-ins whose event is still to be appended to the trail. Addresses without a user have rows too, so that a
//! refusal costs the same for them.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, RefusedSignIns};
use crate::store::error::StoreError;
use crate::store::schema::refused_sign_ins;

/// A refused sign-in that the trail has yet to report.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = refused_sign_ins)]
pub struct RefusedSignIn {
    /// The keyed digest of the email address.
    pub subject: Vec<u8>,
    pub refused_at: Timestamp,
    /// `None` if no user has the address.
    pub company_id: Option<CompanyId>,
    pub user_id: Option<UserId>,
    /// The number of refusals since the previous event.
    pub refusals: i64,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

impl<A> RefusedSignIns<'_, A> {
    /// Returns the companies with rows, and `None` if there are rows without a user.
    #[instrument(name = "db.refused_sign_ins.companies", level = "debug", skip_all)]
    pub fn companies(&mut self) -> Result<Vec<Option<CompanyId>>, StoreError> {
        Ok(refused_sign_ins::table.select(refused_sign_ins::company_id).distinct().load(self.connection)?)
    }

    /// Returns the refused sign-ins of a company's users, the oldest first.
    #[instrument(name = "db.refused_sign_ins.of_company", level = "debug", skip_all)]
    pub fn of_company(&mut self, company_id: CompanyId) -> Result<Vec<RefusedSignIn>, StoreError> {
        Ok(refused_sign_ins::table
            .filter(refused_sign_ins::company_id.eq(company_id))
            .order((refused_sign_ins::refused_at, refused_sign_ins::subject))
            .select(RefusedSignIn::as_select())
            .load(self.connection)?)
    }
}

impl RefusedSignIns<'_, ReadWrite> {
    /// Inserts a row. The statement has all columns, whichever values are missing.
    #[instrument(name = "db.refused_sign_ins.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, refused: &RefusedSignIn) -> Result<(), StoreError> {
        diesel::insert_into(refused_sign_ins::table)
            .values((
                refused_sign_ins::subject.eq(&refused.subject),
                refused_sign_ins::refused_at.eq(refused.refused_at),
                refused_sign_ins::company_id.eq(refused.company_id),
                refused_sign_ins::user_id.eq(refused.user_id),
                refused_sign_ins::refusals.eq(refused.refusals),
                refused_sign_ins::client_address.eq(&refused.client_address),
                refused_sign_ins::user_agent.eq(&refused.user_agent),
                refused_sign_ins::request_id.eq(&refused.request_id),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.refused_sign_ins.delete", level = "debug", skip_all)]
    pub fn delete(&mut self, refused: &RefusedSignIn) -> Result<(), StoreError> {
        let row = refused_sign_ins::table
            .filter(refused_sign_ins::subject.eq(&refused.subject))
            .filter(refused_sign_ins::refused_at.eq(refused.refused_at));
        diesel::delete(row).execute(self.connection)?;
        Ok(())
    }

    /// Deletes the rows of addresses that no user has.
    #[instrument(name = "db.refused_sign_ins.delete_without_user", level = "debug", skip_all)]
    pub fn delete_without_user(&mut self) -> Result<(), StoreError> {
        diesel::delete(refused_sign_ins::table.filter(refused_sign_ins::company_id.is_null()))
            .execute(self.connection)?;
        Ok(())
    }
}
