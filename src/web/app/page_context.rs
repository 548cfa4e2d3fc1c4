//! The context of a page: the signed-in user, and how the page reads and changes data as this user.

use actix_web::web::Data;

use super::error::PageError;
use super::state::AppState;
use super::time::zone::Zone;
use crate::actions::{ActionError, Actions, RequestContext, SessionClaim, SignedInUser};
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::profile::{Role, Theme};
use crate::store::{self, Company, Db, StoreError};

/// The signed-in user, read from the database with this request.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    pub session_id: SessionId,
    pub company: Company,
    pub user_id: UserId,
    pub name: String,
    pub role: Role,
    /// The time zone chosen on the account page.
    pub time_zone: Option<String>,
    pub theme: Theme,
    /// True if the company requires a second factor and this admin has none.
    pub(super) must_enroll_second_factor: bool,
    /// The user's sign-in epoch when the request arrived.
    sign_in_epoch: i64,
}

impl From<store::Session> for CurrentUser {
    fn from(session: store::Session) -> Self {
        Self {
            session_id: session.id,
            company: session.company,
            user_id: session.user_id,
            name: session.name,
            role: session.role,
            time_zone: session.time_zone,
            theme: session.theme,
            must_enroll_second_factor: session.must_enroll_second_factor,
            sign_in_epoch: session.sign_in_epoch,
        }
    }
}

impl CurrentUser {
    #[must_use]
    pub const fn as_user(&self) -> SignedInUser {
        SignedInUser { user_id: self.user_id, company_id: self.company.id }
    }
}

/// What a page works with: the signed-in user, their time zone, the client, and the shared state.
#[derive(Clone)]
pub struct PageContext {
    pub user: CurrentUser,
    pub zone: Zone,
    pub client: Client,
    pub app: Data<AppState>,
    /// The page to go to after sign-in, if the session ends during the request.
    pub(super) after_sign_in: String,
    /// The request submits a form, whose body may arrive long after its head.
    pub(super) is_submission: bool,
    /// The page is open to an admin who must still set up a second factor.
    pub(super) admits_unenrolled: bool,
}

impl PageContext {
    #[must_use]
    pub fn company_id(&self) -> CompanyId {
        self.user.company.id
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// Whether the user may change the company's data.
    #[must_use]
    pub fn can_change(&self) -> bool {
        self.user.role == Role::Admin
    }

    /// The context for changes by this user. Each change checks in its own transaction that the session still exists
    /// and that the role suffices: the guards only check the moment when the head of the request arrived.
    #[must_use]
    pub fn request_context(&self) -> RequestContext {
        let claim = SessionClaim {
            session_id: self.user.session_id,
            company_id: self.company_id(),
            user_id: self.user.user_id,
            epoch: self.user.sign_in_epoch,
        };
        let context = RequestContext::of_session(claim, self.client.clone());
        if self.admits_unenrolled { context.admitting_unenrolled() } else { context }
    }

    /// Runs one query, see [`AppState::query`].
    pub async fn query<T: Send + 'static>(
        &self,
        query: impl FnMut(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PageError> {
        if self.is_submission {
            let mut query = query;
            return self.read(move |db| Ok(query(db)?)).await;
        }
        self.app.query(query).await
    }

    /// Runs several queries on one snapshot, see [`AppState::read`]. For a form, the snapshot still has the session.
    pub async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Db<'_>) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let (context, now, is_submission) = (self.request_context(), self.now(), self.is_submission);
        let read = self.app.read(move |db| {
            if is_submission {
                context.confirm::<_, PageError>(db, now)?;
            }
            queries(db)
        });
        read.await.map_err(|error| self.return_here(error))
    }

    /// Runs an action as this user, see [`AppState::perform`].
    pub async fn perform<T: Send + 'static, E: ActionError + Send + 'static>(
        &self,
        action: impl FnOnce(&Actions, &RequestContext) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, PageError> {
        let context = self.request_context();
        let performed = self.app.perform(move |actions| action(actions, &context)).await;
        performed.map_err(|error| self.return_here(error))
    }

    /// If the session ended during the request, the sign-in page leads back to this page.
    fn return_here(&self, error: PageError) -> PageError {
        match error {
            PageError::SignInRequired(_) => PageError::SignInRequired(self.after_sign_in.clone()),
            other => other,
        }
    }
}
