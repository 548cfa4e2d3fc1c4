//! Sessions, by the digest of their tokens. They are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::domain::user::profile::{Role, Theme};
use crate::store::companies::Company;
use crate::store::db::{ReadWrite, Sessions};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::prepared::on_driver;
use crate::store::schema::{companies, second_factors, sessions, sign_ins_awaiting_code, users};

/// The values of a new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Identifies the session in lists.
    pub id: SessionId,
    pub token_digest: TokenDigest,
    pub company_id: CompanyId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
}

/// A session, with the current data of its user.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub company: Company,
    pub user_id: UserId,
    pub name: String,
    pub role: Role,
    pub time_zone: Option<String>,
    pub theme: Theme,
    /// The company requires a second factor of admins, and this admin has none.
    pub must_enroll_second_factor: bool,
    /// The user's sign-in epoch: a new password or role, or a deletion, starts the next one.
    pub sign_in_epoch: i64,
    pub created_at: Timestamp,
    /// Accurate to the minute.
    pub last_seen_at: Timestamp,
}

/// A session in the list of a user's own sessions.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionListItem {
    pub id: SessionId,
    pub created_at: Timestamp,
    /// Accurate to the minute.
    pub last_seen_at: Timestamp,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
}

/// The limits after which a session has expired.
#[derive(Clone, Copy, Debug)]
pub struct SessionExpiry {
    /// A session that was not seen since this time has expired.
    pub not_seen_since: Timestamp,
    /// A session that began before this time has expired.
    pub begun_before: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: SessionId,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    user_id: UserId,
    #[diesel(select_expression = users::role)]
    role: Role,
    #[diesel(select_expression = users::name)]
    name: Option<String>,
    #[diesel(select_expression = users::time_zone)]
    time_zone: Option<String>,
    #[diesel(select_expression = users::theme)]
    theme: Theme,
    #[diesel(select_expression = users::sign_in_epoch)]
    sign_in_epoch: i64,
    #[diesel(embed)]
    company: Company,
    #[diesel(select_expression = companies::require_second_factor)]
    requires_second_factor: bool,
    #[diesel(select_expression = second_factors::since.nullable().is_not_null())]
    has_second_factor: bool,
}

impl SessionRow {
    /// `None` if the user was deleted.
    fn into_session(self) -> Option<Session> {
        let is_admin = self.role == Role::Admin;
        Some(Session {
            id: self.id,
            company: self.company,
            user_id: self.user_id,
            name: self.name?,
            role: self.role,
            time_zone: self.time_zone,
            theme: self.theme,
            must_enroll_second_factor: self.requires_second_factor && is_admin && !self.has_second_factor,
            sign_in_epoch: self.sign_in_epoch,
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
        })
    }
}

/// Sessions with their users, companies and second factors.
#[diesel::dsl::auto_type]
fn with_user() -> _ {
    let user = users::table.on(users::id.eq(sessions::user_id));
    let company = companies::table.on(companies::id.eq(sessions::company_id));
    let second_factor = second_factors::table.on(second_factors::user_id.eq(sessions::user_id));
    sessions::table.inner_join(user).inner_join(company).left_join(second_factor)
}

impl<A> Sessions<'_, A> {
    /// Returns the session with this token, of any age, unless its user was deleted.
    #[instrument(name = "db.sessions.by_token", level = "debug", skip_all)]
    pub fn by_token(&mut self, token_digest: &TokenDigest) -> Result<Option<Session>, StoreError> {
        let of_token = with_user().filter(sessions::token_digest.eq(token_digest));
        let row =
            on_driver!(self.connection, |driver| of_token.select(SessionRow::as_select()).first(driver)).optional()?;
        Ok(row.and_then(SessionRow::into_session))
    }

    /// Returns the session with this id, of any age, unless its user was deleted.
    #[instrument(name = "db.sessions.by_id", level = "debug", skip_all)]
    pub fn by_id(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let of_id = with_user().filter(sessions::id.eq(id));
        let row =
            on_driver!(self.connection, |driver| of_id.select(SessionRow::as_select()).first(driver)).optional()?;
        Ok(row.and_then(SessionRow::into_session))
    }

    /// Returns the sessions of a user that have not expired, the most recently seen first.
    #[instrument(name = "db.sessions.of_user", level = "debug", skip_all)]
    pub fn of_user(&mut self, user_id: UserId, expiry: SessionExpiry) -> Result<Vec<SessionListItem>, StoreError> {
        Ok(sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::last_seen_at.gt(expiry.not_seen_since))
            .filter(sessions::created_at.gt(expiry.begun_before))
            .order((sessions::last_seen_at.desc(), sessions::id.desc()))
            .select(SessionListItem::as_select())
            .load(self.connection)?)
    }

    /// Counts the sessions of all users that have not expired.
    #[instrument(name = "db.sessions.count_active", level = "debug", skip_all)]
    pub fn count_active(&mut self, expiry: SessionExpiry) -> Result<i64, StoreError> {
        Ok(sessions::table
            .filter(sessions::last_seen_at.gt(expiry.not_seen_since))
            .filter(sessions::created_at.gt(expiry.begun_before))
            .count()
            .get_result(self.connection)?)
    }
}

impl Sessions<'_, ReadWrite> {
    #[instrument(name = "db.sessions.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, session: &NewSession) -> Result<(), StoreError> {
        diesel::insert_into(sessions::table)
            .values((
                sessions::id.eq(session.id),
                sessions::token_digest.eq(session.token_digest),
                sessions::company_id.eq(session.company_id),
                sessions::user_id.eq(session.user_id),
                sessions::created_at.eq(session.created_at),
                sessions::last_seen_at.eq(session.created_at),
                sessions::client_address.eq(&session.client_address),
                sessions::user_agent.eq(&session.user_agent),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes all expired sessions.
    #[instrument(name = "db.sessions.delete_expired", level = "debug", skip_all)]
    pub fn delete_expired(&mut self, expiry: SessionExpiry) -> Result<(), StoreError> {
        let expired = sessions::last_seen_at.lt(expiry.not_seen_since).or(sessions::created_at.lt(expiry.begun_before));
        diesel::delete(sessions::table.filter(expired)).execute(self.connection)?;
        Ok(())
    }

    /// Ends a session of a user. Returns whether it existed.
    #[instrument(name = "db.sessions.end", level = "debug", skip_all)]
    pub fn end(&mut self, user_id: UserId, id: SessionId) -> Result<bool, StoreError> {
        let session = sessions::table.filter(sessions::user_id.eq(user_id)).filter(sessions::id.eq(id));
        Ok(diesel::delete(session).execute(self.connection)? > 0)
    }

    /// Ends the sessions of a user, except one, and the sign-ins that wait for a code. Returns the number of ended
    /// sessions.
    #[instrument(name = "db.sessions.end_all", level = "debug", skip_all)]
    pub fn end_all(&mut self, user_id: UserId, except: Option<SessionId>) -> Result<usize, StoreError> {
        diesel::update(users::table.filter(users::id.eq(user_id)))
            .set(users::sign_in_epoch.eq(users::sign_in_epoch + 1))
            .execute(self.connection)?;
        diesel::delete(sign_ins_awaiting_code::table.filter(sign_ins_awaiting_code::user_id.eq(user_id)))
            .execute(self.connection)?;
        let mut ended = diesel::delete(sessions::table.filter(sessions::user_id.eq(user_id))).into_boxed();
        if let Some(kept) = except {
            ended = ended.filter(sessions::id.ne(kept));
        }
        Ok(ended.execute(self.connection)?)
    }
}

impl Store {
    /// Stores that a session was seen. A session that was ended in the meantime stays ended.
    pub fn touch_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            diesel::update(sessions::table.filter(sessions::id.eq(id)))
                .set(sessions::last_seen_at.eq(now))
                .execute(tx.connection)?;
            Ok(())
        })
    }

    /// Ends the session, or the sign-in that waits for a code, with this token.
    pub fn end_session(&self, token_digest: &TokenDigest) -> Result<(), StoreError> {
        self.write(|tx| {
            diesel::delete(sessions::table.filter(sessions::token_digest.eq(token_digest))).execute(tx.connection)?;
            let pending = sign_ins_awaiting_code::token_digest.eq(token_digest);
            diesel::delete(sign_ins_awaiting_code::table.filter(pending)).execute(tx.connection)?;
            Ok(())
        })
    }
}
