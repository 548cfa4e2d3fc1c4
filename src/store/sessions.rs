//! Sessions: a token's digest, whose it is, and when it was last seen. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::companies::Company;
use super::error::StoreError;
use super::schema::{companies, second_factors, sessions, sign_ins_awaiting_code, users};
use super::{Snapshot, Store, Transaction, read_back};
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::TokenDigest;
use crate::domain::user::{Role, Theme};

/// A session to be stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id, to be named in lists.
    pub id: SessionId,
    /// The digest of its token.
    pub token_digest: TokenDigest,
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
    /// The time zone they chose.
    pub time_zone: Option<String>,
    /// How pages look to them.
    pub theme: Theme,
    /// Their company requires a second factor of them, and they have none.
    pub owes_second_factor: bool,
    /// When they signed in.
    pub created_at: Instant,
    /// When they were last seen, to the minute.
    pub last_seen_at: Instant,
}

/// A session as a user sees it in a list of theirs.
#[derive(Clone, Debug)]
pub struct ListedSession {
    /// Its id.
    pub id: SessionId,
    /// When they signed in.
    pub created_at: Instant,
    /// When they were last seen, to the minute.
    pub last_seen_at: Instant,
    /// The address they signed in from.
    pub client_address: Option<String>,
    /// What their browser calls itself.
    pub user_agent: Option<String>,
}

/// When a session is over: not seen since one instant, or begun before another.
#[derive(Clone, Copy, Debug)]
pub struct Outlived {
    /// One that was not seen since is over.
    pub not_seen_since: Instant,
    /// One that began before is over.
    pub begun_before: Instant,
}

#[derive(Queryable)]
struct SessionRow {
    id: String,
    created_at: i64,
    last_seen_at: i64,
    user_id: String,
    role: String,
    name: Option<String>,
    time_zone: Option<String>,
    theme: String,
    company_id: String,
    company: String,
    requires_second_factor: bool,
    second_factor_since: Option<i64>,
}

impl Snapshot<'_> {
    /// The session of that token, however old; its user's name and role are those of now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn session(&mut self, token_digest: &TokenDigest) -> Result<Option<Session>, StoreError> {
        let row: Option<SessionRow> = sessions::table
            .inner_join(users::table.on(users::id.eq(sessions::user_id)))
            .inner_join(companies::table.on(companies::id.eq(sessions::company_id)))
            .left_join(second_factors::table.on(second_factors::user_id.eq(sessions::user_id)))
            .filter(sessions::token_digest.eq(&token_digest.as_bytes()[..]))
            .select((
                sessions::id,
                sessions::created_at,
                sessions::last_seen_at,
                sessions::user_id,
                users::role,
                users::name,
                users::time_zone,
                users::theme,
                companies::id,
                companies::name,
                companies::require_second_factor,
                second_factors::since.nullable(),
            ))
            .first(self.connection)
            .optional()?;
        let Some((row, name)) = row.and_then(|mut row| row.name.take().map(|name| (row, name))) else {
            return Ok(None);
        };
        let role = read_back("role", Role::parse(&row.role))?;
        Ok(Some(Session {
            id: read_back("session id", SessionId::parse(&row.id))?,
            company: Company { id: read_back("company id", CompanyId::parse(&row.company_id))?, name: row.company },
            user_id: read_back("user id", UserId::parse(&row.user_id))?,
            name,
            role,
            time_zone: row.time_zone,
            theme: read_back("theme", Theme::parse(&row.theme))?,
            owes_second_factor: row.requires_second_factor && role == Role::Admin && row.second_factor_since.is_none(),
            created_at: Instant::from_micros(row.created_at),
            last_seen_at: Instant::from_micros(row.last_seen_at),
        }))
    }

    /// The sessions of a user that are not over, the one seen last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sessions_of(&mut self, user_id: UserId, outlived: Outlived) -> Result<Vec<ListedSession>, StoreError> {
        type Row = (String, i64, i64, Option<String>, Option<String>);
        let rows: Vec<Row> = sessions::table
            .filter(sessions::user_id.eq(user_id.to_string()))
            .filter(sessions::last_seen_at.gt(outlived.not_seen_since.as_micros()))
            .filter(sessions::created_at.gt(outlived.begun_before.as_micros()))
            .order((sessions::last_seen_at.desc(), sessions::id.desc()))
            .select((
                sessions::id,
                sessions::created_at,
                sessions::last_seen_at,
                sessions::client_address,
                sessions::user_agent,
            ))
            .load(self.connection)?;
        let listed = rows.into_iter().map(|(id, created_at, last_seen_at, client_address, user_agent)| {
            Ok(ListedSession {
                id: read_back("session id", SessionId::parse(&id))?,
                created_at: Instant::from_micros(created_at),
                last_seen_at: Instant::from_micros(last_seen_at),
                client_address,
                user_agent,
            })
        });
        listed.collect()
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
                sessions::token_digest.eq(&session.token_digest.as_bytes()[..]),
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

    /// Forgets sessions that nobody can use any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete_sessions(&mut self, outlived: Outlived) -> Result<(), StoreError> {
        let over = sessions::last_seen_at
            .lt(outlived.not_seen_since.as_micros())
            .or(sessions::created_at.lt(outlived.begun_before.as_micros()));
        diesel::delete(sessions::table.filter(over)).execute(self.connection)?;
        Ok(())
    }

    /// Ends one session of a user; answers whether there was such a one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_session_of(&mut self, user_id: UserId, id: SessionId) -> Result<bool, StoreError> {
        let session =
            sessions::table.filter(sessions::user_id.eq(user_id.to_string())).filter(sessions::id.eq(id.to_string()));
        Ok(diesel::delete(session).execute(self.connection)? > 0)
    }

    /// Ends all sessions of a user, except one; answers how many. Whoever is about to sign in begins anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_sign_ins(&mut self, user_id: UserId, except: Option<SessionId>) -> Result<usize, StoreError> {
        let user_id = user_id.to_string();
        diesel::update(users::table.filter(users::id.eq(&user_id)))
            .set(users::sign_in_epoch.eq(users::sign_in_epoch + 1))
            .execute(self.connection)?;
        diesel::delete(sign_ins_awaiting_code::table.filter(sign_ins_awaiting_code::user_id.eq(&user_id)))
            .execute(self.connection)?;
        let kept = except.map(|id| id.to_string()).unwrap_or_default();
        let ended = sessions::table.filter(sessions::user_id.eq(&user_id)).filter(sessions::id.ne(kept));
        Ok(diesel::delete(ended).execute(self.connection)?)
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

    /// Ends what that token began: a session, or a sign-in that awaits its code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_session(&self, token_digest: &TokenDigest) -> Result<(), StoreError> {
        let digest = &token_digest.as_bytes()[..];
        self.write(|transaction| {
            diesel::delete(sessions::table.filter(sessions::token_digest.eq(digest)))
                .execute(transaction.connection)?;
            diesel::delete(sign_ins_awaiting_code::table.filter(sign_ins_awaiting_code::token_digest.eq(digest)))
                .execute(transaction.connection)?;
            Ok(())
        })
    }
}
