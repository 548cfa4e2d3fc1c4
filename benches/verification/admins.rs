//! The admins of the seeded companies, who change keys through the actions.

use anyhow::{Context, Result};
use keydesk::actions::{Actions, AuthenticatedUser, NewKeyRequest, RequestContext, SessionClaim, SignedInUser};
use keydesk::domain::client::Client;
use keydesk::domain::ids::{KeyId, SessionId};
use keydesk::domain::key::account_details::Purpose;
use keydesk::domain::key::submission::KeyForm;
use keydesk::domain::policy::key_policy::RequestedExpiry;
use keydesk::domain::text::name::ServiceAccountName;
use keydesk::random;
use keydesk::web::app::session::store::Sessions;

use crate::seed;

/// Returns the context of a company's admin.
pub fn admin(actions: &Actions, company: u64) -> Result<RequestContext> {
    let found = actions.store.query(|db| db.users().credentials(&seed::email(company)))?;
    let user = found.context("the admin is not stored")?;
    let user = AuthenticatedUser { user: SignedInUser::from(&user), epoch: user.sign_in_epoch };
    let sessions = Sessions { store: actions.store.clone(), clock: actions.clock.clone() };
    let token = sessions.begin(user, &Client::none())?;
    let session = actions.store.query(|db| db.sessions().by_token(&token.digest()))?;
    Ok(RequestContext::of_session(SessionClaim::from(&session.context("the admin has no session")?), Client::none()))
}

/// Creates a key under a new name.
pub fn create(actions: &Actions, admin: &RequestContext) -> Result<KeyId> {
    let now = actions.clock.now();
    let session = SessionId::new(now, &random::bytes());
    let secrets = actions.secrets.active();
    let submissions = &secrets.submissions;
    let opened = submissions.issue(KeyForm::Create, session, now, random::bytes());
    let sent = submissions.check(&opened, KeyForm::Create, session, now).context("the form is not valid")?;
    let name = ServiceAccountName::parse(&format!("Short-lived {}", random::hex::<8>()))?;
    let request = NewKeyRequest { name, expiry: RequestedExpiry::Default, purpose: Purpose::default() };
    Ok(actions.create_key(admin, &request, sent)?.id)
}
