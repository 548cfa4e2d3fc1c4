//! The names of users.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::store::db::Users;
use crate::store::error::StoreError;
use crate::store::in_padded::{LOOKUP_BATCH, in_padded};
use crate::store::schema::users;

/// The names of users by id. Deleted users are missing.
pub type UserNames = HashMap<UserId, String>;

impl<A> Users<'_, A> {
    /// Returns the names of these users of a company.
    #[instrument(name = "db.users.names", level = "debug", skip_all)]
    pub fn names(
        &mut self,
        company_id: CompanyId,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<UserNames, StoreError> {
        // A page names a few users, each of them many times.
        let ids: HashSet<UserId> = ids.into_iter().collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let mut names = UserNames::new();
        for ids in ids.chunks(LOOKUP_BATCH) {
            let rows: Vec<(UserId, Option<String>)> = users::table
                .filter(users::company_id.eq(company_id))
                .filter(in_padded!(users::id, ids))
                .select((users::id, users::name))
                .load(self.connection)?;
            names.extend(rows.into_iter().filter_map(|(id, name)| Some((id, name?))));
        }
        Ok(names)
    }
}
