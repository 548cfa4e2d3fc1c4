//! The set-up page: the first company and its first admin, for whoever has the link that the start printed.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use subtle::ConstantTimeEq;

use super::device::Device;
use super::error::PageError;
use super::request::Query;
use super::{Site, blocking, html_with_secret, sign_in};
use crate::actions::{SetUp, SetUpError, SignIn};
use crate::domain::actor::Actor;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::web::keys::address::with_query;
use crate::web::page::{Field, OutsideShell};

#[derive(Template)]
#[template(path = "setup/page.html")]
pub struct SetupPage {
    pub shell: OutsideShell,
    /// The one-time token of the printed link.
    pub token: String,
    pub company_name: Field,
    pub name: Field,
    pub email: Field,
    /// The password is never kept, only what is wrong with it.
    pub password_error: Option<String>,
}

impl SetupPage {
    fn title(&self) -> String {
        let failed = self.company_name.error.is_some()
            || self.name.error.is_some()
            || self.email.error.is_some()
            || self.password_error.is_some();
        format!("{}Set up {} administration", if failed { "Error: " } else { "" }, self.shell.platform)
    }

    fn action(&self) -> String {
        with_query("/setup", &[("token", &self.token)])
    }

    /// The field to start from: the first that is wrong, else the first.
    fn focus(&self) -> &'static str {
        if self.company_name.error.is_some() {
            "company_name"
        } else if self.name.error.is_some() {
            "name"
        } else if self.email.error.is_some() {
            "email"
        } else if self.password_error.is_some() {
            "password"
        } else {
            "company_name"
        }
    }
}

pub(super) async fn show(query: Query, site: Data<Site>) -> Result<HttpResponse, PageError> {
    admit(&query, &site).await?;
    html_with_secret(StatusCode::OK, &form(&site))
}

pub(super) async fn submit(
    query: Query,
    body: FormBody,
    caller: Caller,
    device: Device,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    admit(&query, &site).await?;
    let fields = body.fields().await?;
    let [company_name, name, email, password] = [
        fields.one("company_name")?.to_owned(),
        fields.one("name")?.to_owned(),
        fields.one("email")?.to_owned(),
        fields.one("password")?.to_owned(),
    ];
    let mut page = form(&site);
    page.company_name = Field::kept(&company_name);
    page.name = Field::kept(&name);
    page.email = Field::kept(&email);
    let permit = site.permit_to_hash().await?;
    let actions = site.actions.clone();
    // Who acts is known once there is a user: the action puts them in the place of the system.
    let origin = caller.as_origin(Actor::System);
    let set_up = blocking(move || {
        let typed = SetUp { company_name: &company_name, name: &name, email: &email, password: &password };
        Ok::<_, PageError>(actions.set_up(&typed, &origin))
    });
    let set_up = set_up.await?;
    drop(permit);
    match set_up {
        Ok(admission) => sign_in::go_on(SignIn::Complete(admission), None, &caller, device, &session, &site).await,
        Err(SetUpError::Refused(refused)) => {
            page.company_name.error = refused.company_name;
            page.name.error = refused.name.map(|error| error.to_string());
            page.email.error = refused.email.map(|error| error.to_string());
            page.password_error = refused.password.map(|error| error.to_string());
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(SetUpError::Closed) => Err(PageError::NoPage),
        Err(SetUpError::Store(error)) => Err(error.into()),
        Err(SetUpError::Hash(error)) => Err(PageError::Internal(error.to_string())),
    }
}

fn form(site: &Site) -> SetupPage {
    SetupPage {
        shell: site.outside_shell(),
        token: site.setup_token.clone(),
        company_name: Field::default(),
        name: Field::default(),
        email: Field::default(),
        password_error: None,
    }
}

/// Set-up is open while there is no user, to whoever has the token.
async fn admit(query: &Query, site: &Data<Site>) -> Result<(), PageError> {
    let store = site.actions.store.clone();
    if blocking(move || store.ask(|questions| questions.any_user_exists())).await? {
        return Err(PageError::NoPage);
    }
    let token = query.0.one("token")?;
    let fits = bool::from(token.as_bytes().ct_eq(site.setup_token.as_bytes()));
    if fits { Ok(()) } else { Err(PageError::SetupLinkNeeded) }
}
