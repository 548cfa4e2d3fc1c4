//! The Key Policy page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;

use super::load::{self, days_field};
use super::view::KeyPolicyPage;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::text::name::CompanyName;
use crate::domain::trail::action::Action;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::{self, redirect_with_event};
use crate::web::app::guards::{Admin, PageContext};
use crate::web::app::query::Query;
use crate::web::app::respond::html;
use crate::web::components::field::Field;
use crate::web::paths::KEY_POLICY;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeyPolicyForm {
    company_name: String,
    default_expiry: String,
    maximum_lifetime: String,
    rotation_period: String,
    require_second_factor: String,
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
    let Some((company_name, policy)) = parsed.valid() else {
        return html(StatusCode::UNPROCESSABLE_ENTITY, &form.fill(&parsed, load::page(&cx).await?));
    };
    let require_second_factor = form.requires_second_factor();
    let changed = cx
        .perform(move |actions, context| actions.change_company(context, &company_name, require_second_factor, policy));
    match changed.await? {
        Ok(event) => Ok(redirect_with_event(KEY_POLICY, event)),
        Err(error) => {
            let company_name = Field::invalid(&form.company_name, error.to_string());
            let page = form.fill(&parsed, load::page(&cx).await?);
            html(StatusCode::UNPROCESSABLE_ENTITY, &KeyPolicyPage { company_name, ..page })
        }
    }
}
