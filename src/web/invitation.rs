//! The page that an invitation link opens: whoever has it chooses their password.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::device::Device;
use super::error::PageError;
use super::request::Query;
use super::{Site, blocking, html_with_secret, sign_in};
use crate::actions::AcceptInvitationError;
use crate::domain::actor::Actor;
use crate::domain::token::TokenDigest;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::User;
use crate::web::keys::address::with_query;
use crate::web::page::OutsideShell;
use crate::web::paths::INVITATION;

#[derive(Template)]
#[template(path = "invitation/page.html")]
pub struct InvitationPage {
    pub shell: OutsideShell,
    pub email: String,
    /// The one-time token of the link.
    pub token: String,
    /// The password is never kept, only what is wrong with it.
    pub password_error: Option<String>,
}

impl InvitationPage {
    fn title(&self) -> String {
        let error = if self.password_error.is_some() { "Error: " } else { "" };
        format!("{error}Welcome – {} administration", self.shell.platform)
    }

    fn action(&self) -> String {
        with_query(INVITATION, &[("token", &self.token)])
    }
}

pub(super) async fn show(query: Query, site: Data<Site>) -> Result<HttpResponse, PageError> {
    let token = query.0.one("token")?;
    let user = invited(&site, token).await?;
    html_with_secret(StatusCode::OK, &page(&site, &user, token))
}

pub(super) async fn submit(
    query: Query,
    body: FormBody,
    caller: Caller,
    device: Device,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let token = query.0.one("token")?;
    let user = invited(&site, token).await?;
    let fields = body.fields().await?;
    let password = fields.one("password")?.to_owned();
    let permit = site.permit_to_hash().await?;
    let (actions, digest) = (site.actions.clone(), TokenDigest::of(token));
    // Who acts is known by the link: the action puts them in the place of the system.
    let origin = caller.as_origin(Actor::System);
    let accepted = blocking(move || Ok::<_, PageError>(actions.accept_invitation(&digest, &password, &origin))).await?;
    drop(permit);
    match accepted {
        Ok(sign_in) => sign_in::go_on(sign_in, None, &caller, device, &session, &site).await,
        Err(AcceptInvitationError::Password(error)) => {
            let page = InvitationPage { password_error: Some(error.to_string()), ..page(&site, &user, token) };
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn invited(site: &Data<Site>, token: &str) -> Result<User, PageError> {
    let (actions, digest) = (site.actions.clone(), TokenDigest::of(token));
    blocking(move || actions.invited(&digest)).await
}

fn page(site: &Site, user: &User, token: &str) -> InvitationPage {
    InvitationPage {
        shell: site.outside_shell(),
        email: user.email.clone(),
        token: token.to_owned(),
        password_error: None,
    }
}

impl From<AcceptInvitationError> for PageError {
    fn from(error: AcceptInvitationError) -> Self {
        match error {
            AcceptInvitationError::Dead => Self::DeadInvitation,
            AcceptInvitationError::Store(error) => error.into(),
            AcceptInvitationError::Hash(_) | AcceptInvitationError::Password(_) => Self::Internal(error.to_string()),
        }
    }
}
