//! The Key Policy page: what the company is called, and what it asks of its administrators.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::error::PageError;
use super::guards::{Admin, SignedIn};
use super::request::Query;
use super::{Site, blocking, done, html};
use crate::actions::CompanyNameError;
use crate::domain::action::Action;
use crate::domain::name::CompanyName;
use crate::domain::user::Role;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::StoreError;
use crate::web::page::{Field, Shell, counted};
use crate::web::paths::KEY_POLICY;
use crate::web::rail::{Rail, RailLink};

#[derive(Template)]
#[template(path = "key_policy/page.html")]
pub struct KeyPolicyPage {
    pub shell: Shell,
    pub company_name: Field,
    pub require_second_factor: bool,
    /// Admins change it; auditors see the same as facts.
    pub can_change: bool,
    /// How many admins have no second factor.
    pub admins_without: u64,
    pub banner_saved: bool,
}

impl KeyPolicyPage {
    const RAIL: Rail = Rail::On(RailLink::KeyPolicy);

    fn title(&self) -> String {
        let error = if self.company_name.error.is_some() { "Error: " } else { "" };
        format!("{error}Key Policy – Company Settings – {}", self.shell.company)
    }

    fn second_factor_hint(&self) -> String {
        let without = match self.admins_without {
            0 => "All administrators have one.".to_owned(),
            count => {
                let admins = counted(count, "administrator has", "administrators have");
                format!("{admins} none now.")
            }
        };
        format!("Whoever has none is led to set it up at the next page they open. {without}")
    }
}

pub(super) async fn show(signed_in: SignedIn, query: Query, site: Data<Site>) -> Result<HttpResponse, PageError> {
    let done = done::load(&site, &signed_in, &query.0).await?;
    let banner_saved = done.is_some_and(|(action, _)| action == Action::CompanyChanged);
    html(StatusCode::OK, &KeyPolicyPage { banner_saved, ..load(&site, &signed_in).await? })
}

pub(super) async fn submit(
    Admin(admin): Admin,
    body: FormBody,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed = fields.one("company_name")?;
    let require_second_factor = fields.one("require_second_factor")? == "yes";
    let company_name = match site.name_field(typed, CompanyName::parse) {
        Ok(company_name) => company_name,
        Err(field) => return refuse(field, require_second_factor, &admin, &site).await,
    };
    let (actions, origin, company_id) = (site.actions.clone(), caller.as_origin(admin.actor()), admin.company.id);
    let changed =
        blocking(move || match actions.change_company(company_id, &company_name, require_second_factor, &origin) {
            Err(CompanyNameError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        });
    match changed.await? {
        Ok(event) => Ok(done::lead_to(KEY_POLICY, event)),
        Err(taken) => refuse(Field::refused(typed, taken.to_string()), require_second_factor, &admin, &site).await,
    }
}

async fn refuse(
    company_name: Field,
    require_second_factor: bool,
    admin: &SignedIn,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let page = KeyPolicyPage { company_name, require_second_factor, ..load(site, admin).await? };
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn load(site: &Data<Site>, signed_in: &SignedIn) -> Result<KeyPolicyPage, PageError> {
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let (settings, admins_without) = blocking(move || {
        store.read(|questions| {
            let settings = questions.company_settings(company_id)?;
            Ok::<_, StoreError>((settings, questions.count_admins_without_second_factor(company_id)?))
        })
    })
    .await?;
    Ok(KeyPolicyPage {
        shell: site.shell(signed_in),
        company_name: Field::kept(settings.name),
        require_second_factor: settings.require_second_factor,
        can_change: signed_in.role == Role::Admin,
        admins_without: u64::try_from(admins_without).unwrap_or(0),
        banner_saved: false,
    })
}
