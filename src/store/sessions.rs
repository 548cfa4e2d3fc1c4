//! Sessions: a token's digest, whose it is, and when it was last seen. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::companies::Company;
use super::error::StoreError;
use super::schema::{companies, sessions, users};
use super::{Snapshot, Store, Transaction, read_back};
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::user::Role;

/// A session to be stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id, to be named in lists.
    pub id: SessionId,
    /// SHA-256 of its token.
    pub token_digest: [u8; 32],
    /// The company of whoever signed in.
    pub company_id: CompanyId,
    /// Who signed in.
    pub user_id: UserId,
    /// Now.
    pub created_at: Instant,
    /// The address they signed in from.
    pub client_address: Option<String>,
    /// What their browser calls itself.
    pub user_agent: Option<String>,
}

/// A session, with what is true of its user now.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The company.
    pub company: Company,
    /// Who signed in.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they signed in.
    pub created_at: Instant,
    /// When they were last seen, to the minute.
    pub last_seen_at: Instant,
}

impl Snapshot<'_> {
    /// The session of that token, however old; its user's name and role are those of now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn session(&mut self, token_digest: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        type Row = (String, i64, i64, String, String, Option<String>, String, String);
        let row: Option<Row> = sessions::table
            .inner_join(users::table.on(users::id.eq(sessions::user_id)))
            .inner_join(companies::table.on(companies::id.eq(sessions::company_id)))
            .filter(sessions::token_digest.eq(&token_digest[..]))
            .select((
                sessions::id,
                sessions::created_at,
                sessions::last_seen_at,
                sessions::user_id,
                users::role,
                users::name,
                companies::id,
                companies::name,
            ))
            .first(self.connection)
            .optional()?;
        let Some((id, created_at, last_seen_at, user_id, role, Some(name), company_id, company_name)) = row else {
            return Ok(None);
        };
        Ok(Some(Session {
            id: read_back("session id", SessionId::parse(&id))?,
            company: Company { id: read_back("company id", CompanyId::parse(&company_id))?, name: company_name },
            user_id: read_back("user id", UserId::parse(&user_id))?,
            name,
            role: read_back("role", Role::parse(&role))?,
            created_at: Instant::from_micros(created_at),
            last_seen_at: Instant::from_micros(last_seen_at),
        }))
    }
}

impl Transaction<'_> {
    /// Adds a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_session(&mut self, session: &NewSession) -> Result<(), StoreError> {
        diesel::insert_into(sessions::table)
            .values((
                sessions::id.eq(session.id.to_string()),
                sessions::token_digest.eq(&session.token_digest[..]),
                sessions::company_id.eq(session.company_id.to_string()),
                sessions::user_id.eq(session.user_id.to_string()),
                sessions::created_at.eq(session.created_at.as_micros()),
                sessions::last_seen_at.eq(session.created_at.as_micros()),
                sessions::client_address.eq(&session.client_address),
                sessions::user_agent.eq(&session.user_agent),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Forgets sessions that nobody can use any more: not seen since one instant, or begun before another.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete_sessions(&mut self, not_seen_since: Instant, begun_before: Instant) -> Result<(), StoreError> {
        let over =
            sessions::last_seen_at.lt(not_seen_since.as_micros()).or(sessions::created_at.lt(begun_before.as_micros()));
        diesel::delete(sessions::table.filter(over)).execute(self.connection)?;
        Ok(())
    }
}

impl Store {
    /// Notes that a session was seen now. One that was ended meanwhile stays ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn touch_session(&self, id: SessionId, now: Instant) -> Result<(), StoreError> {
        self.write(|transaction| {
            diesel::update(sessions::table.filter(sessions::id.eq(id.to_string())))
                .set(sessions::last_seen_at.eq(now.as_micros()))
                .execute(transaction.connection)?;
            Ok(())
        })
    }

    /// Ends the session of that token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_session(&self, token_digest: &[u8; 32]) -> Result<(), StoreError> {
        self.write(|transaction| {
            diesel::delete(sessions::table.filter(sessions::token_digest.eq(&token_digest[..])))
                .execute(transaction.connection)?;
            Ok(())
        })
    }
}
