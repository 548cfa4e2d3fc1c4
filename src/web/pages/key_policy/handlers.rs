//! The Key Policy page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;

use super::load::{self, days_field};
use super::view::KeyPolicyPage;
use crate::actions::CompanyNameError;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::text::name::CompanyName;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::{self, redirect_with_event};
use crate::web::app::form_version::FormVersion;
use crate::web::app::guards::Admin;
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::components::field::Field;
use crate::web::components::versioned_form::Conflict;
use crate::web::paths::KEY_POLICY;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeyPolicyForm {
    company_name: String,
    default_expiry: String,
    maximum_lifetime: String,
    rotation_period: String,
    require_second_factor: String,
    version: String,
}

/// The fields after parsing: each a value, or the field with its error.
struct ParsedForm {
    company_name: Result<CompanyName, Field>,
    default_expiry: Result<Option<Days>, Field>,
    maximum_lifetime: Result<Option<Days>, Field>,
    rotation_period: Result<Option<Days>, Field>,
}

impl KeyPolicyForm {
    fn parse(&self, format: &KeyFormat) -> ParsedForm {
        ParsedForm {
            company_name: Field::parse(format, &self.company_name, CompanyName::parse),
            default_expiry: parse_days(&self.default_expiry),
            maximum_lifetime: parse_days(&self.maximum_lifetime),
            rotation_period: parse_days(&self.rotation_period),
        }
    }

    /// Fills the page with the submitted values and their errors.
    fn fill(&self, parsed: &ParsedForm, page: KeyPolicyPage) -> KeyPolicyPage {
        let days = |parsed: &Result<Option<Days>, Field>| parsed.clone().map_or_else(|field| field, days_field);
        let company_name = parsed.company_name.as_ref().err().cloned();
        KeyPolicyPage {
            company_name: company_name.unwrap_or_else(|| Field::new(&self.company_name)),
            default_expiry: days(&parsed.default_expiry),
            maximum_lifetime: days(&parsed.maximum_lifetime),
            rotation_period: days(&parsed.rotation_period),
            require_second_factor: self.requires_second_factor(),
            ..page
        }
    }

    fn requires_second_factor(&self) -> bool {
        self.require_second_factor == "yes"
    }

    /// The values in the order of [`load::version`].
    fn values(&self) -> [&str; 5] {
        [
            &self.company_name,
            &self.default_expiry,
            &self.maximum_lifetime,
            &self.rotation_period,
            if self.requires_second_factor() { "yes" } else { "" },
        ]
    }
}

impl ParsedForm {
    /// The company name and the policy, if no field has an error.
    fn valid(&self) -> Option<(CompanyName, KeyPolicy)> {
        let company_name = self.company_name.as_ref().ok()?.clone();
        let days = |parsed: &Result<Option<Days>, Field>| parsed.as_ref().ok().copied();
        let default_expiry = days(&self.default_expiry)?;
        let maximum_lifetime = days(&self.maximum_lifetime)?;
        Some((
            company_name,
            KeyPolicy { default_expiry, maximum_lifetime, rotation_period: days(&self.rotation_period)? },
        ))
    }
}

fn parse_days(typed: &str) -> Result<Option<Days>, Field> {
    let error = "Choose a number of days from 1 to 3,650, or none";
    KeyPolicy::parse_days(typed).ok_or_else(|| Field::invalid(typed, error))
}

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let event = flash::load(&cx, &query.0).await?;
    let banner_saved = event.is_some_and(|(action, _)| action == Action::CompanyChanged);
    html(StatusCode::OK, &KeyPolicyPage { banner_saved, ..load::page(&cx).await? })
}

pub async fn submit(Admin(cx): Admin, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: KeyPolicyForm = body.form().await?;
    let parsed = form.parse(&cx.app.actions.key_format);
    let version = FormVersion::parse(&form.version, &load::versioned_thing(cx.company_id()));
    let refuse = async |company_name: Option<Field>| {
        let page = form.fill(&parsed, load::page(&cx).await?);
        let company_name = company_name.unwrap_or(page.company_name);
        let edited = page.edited.after_error(version.as_ref());
        html(StatusCode::UNPROCESSABLE_ENTITY, &KeyPolicyPage { company_name, edited, ..page })
    };
    let (Some((company_name, policy)), Some(version)) = (parsed.valid(), &version) else {
        return refuse(None).await;
    };
    let (require_second_factor, expected) = (form.requires_second_factor(), Some(version.changes()));
    let changed = cx.perform(move |actions, context| {
        actions.change_company(context, expected, &company_name, require_second_factor, policy)
    });
    match changed.await? {
        Ok(event) => Ok(redirect_with_event(KEY_POLICY, event)),
        Err(CompanyNameError::Outdated) => refuse_outdated(&cx, &form, version).await,
        Err(error) => refuse(Some(Field::invalid(&form.company_name, error.to_string()))).await,
    }
}

/// Shows the saved values and the typed ones, with a form for another try.
async fn refuse_outdated(
    cx: &PageContext,
    form: &KeyPolicyForm,
    version: &FormVersion,
) -> Result<HttpResponse, PageError> {
    let page = load::page(cx).await?;
    let saved = page.values().map(str::to_owned);
    let saved = saved.each_ref().map(String::as_str);
    let merged = version.merge(form.values(), saved);
    let fields = KeyPolicyPage::conflicting_fields(saved, merged);
    let filter = TrailFilter { actions: vec![Action::CompanyChanged], ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, cx.company_id().to_string(), fields).await?;
    let [company_name, default_expiry, maximum_lifetime, rotation_period, require_second_factor] = merged;
    let page = KeyPolicyPage {
        company_name: Field::new(company_name),
        default_expiry: Field::new(default_expiry),
        maximum_lifetime: Field::new(maximum_lifetime),
        rotation_period: Field::new(rotation_period),
        require_second_factor: require_second_factor == "yes",
        edited: page.edited.after_conflict(conflict),
        ..page
    };
    html(StatusCode::CONFLICT, &page)
}
