//! The Key Policy page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;

use super::load::{self, days_field};
use super::view::KeyPolicyPage;
use crate::actions::{CompanyNameError, CompanyRules};
use crate::domain::key::api_key::KeyFormat;
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::policy::reasons::{PolicyReason, PolicyReasons};
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
use crate::web::components::versioned_form::{Conflict, ConflictingField};
use crate::web::paths::KEY_POLICY;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeyPolicyForm {
    /// The General page has the field. Here it is optional.
    company_name: Option<String>,
    default_expiry: String,
    default_expiry_reason: String,
    maximum_lifetime: String,
    maximum_lifetime_reason: String,
    rotation_period: String,
    rotation_period_reason: String,
    idle_end_days: String,
    idle_end_reason: String,
    require_second_factor: String,
    version: String,
}

/// The fields after parsing: each a value, or the field with its error.
struct ParsedForm {
    company_name: Result<Option<CompanyName>, Field>,
    days: [Result<Option<Days>, Field>; 4],
    reasons: [Result<Option<PolicyReason>, Field>; 4],
}

impl KeyPolicyForm {
    fn parse(&self, format: &KeyFormat) -> ParsedForm {
        let name = self.company_name.as_ref().map(|name| Field::parse(format, name, CompanyName::parse));
        let mut days = self.days().map(parse_days);
        days[3] = parse_idle_end(&self.idle_end_days);
        ParsedForm {
            company_name: name.transpose(),
            days,
            reasons: self.reasons().map(|reason| Field::parse(format, reason, PolicyReason::parse)),
        }
    }

    fn days(&self) -> [&str; 4] {
        [&self.default_expiry, &self.maximum_lifetime, &self.rotation_period, &self.idle_end_days]
    }

    fn reasons(&self) -> [&str; 4] {
        [
            &self.default_expiry_reason,
            &self.maximum_lifetime_reason,
            &self.rotation_period_reason,
            &self.idle_end_reason,
        ]
    }

    /// Fills the page with the submitted values and their errors.
    fn fill(&self, parsed: &ParsedForm, page: KeyPolicyPage) -> KeyPolicyPage {
        let mut page = page.with_values(self.values());
        for (index, period) in page.periods.iter_mut().enumerate() {
            period.days = parsed.days[index].clone().map_or_else(|field| field, days_field);
            if let Err(field) = &parsed.reasons[index] {
                period.reason = field.clone();
            }
        }
        let company_name = parsed.company_name.as_ref().err().cloned();
        KeyPolicyPage { company_name: company_name.or_else(|| self.company_name.as_ref().map(Field::new)), ..page }
    }

    fn requires_second_factor(&self) -> bool {
        self.require_second_factor == "yes"
    }

    /// The values in the order of [`KeyPolicyPage::values`].
    fn values(&self) -> [&str; 9] {
        let ([default, maximum, rotation, idle], [why_default, why_maximum, why_rotation, why_idle]) =
            (self.days(), self.reasons());
        let second_factor = if self.requires_second_factor() { "yes" } else { "" };
        [default, maximum, rotation, idle, why_default, why_maximum, why_rotation, why_idle, second_factor]
    }
}

impl ParsedForm {
    /// The new company name, the periods and their reasons, if no field has an error.
    fn valid(&self) -> Option<(Option<CompanyName>, KeyPolicy, PolicyReasons)> {
        let company_name = self.company_name.as_ref().ok()?.clone();
        let days = |period: usize| self.days[period].as_ref().ok().copied();
        let reason = |period: usize| self.reasons[period].as_ref().ok().cloned();
        let key_policy = KeyPolicy {
            default_expiry: days(0)?,
            maximum_lifetime: days(1)?,
            rotation_period: days(2)?,
            idle_end: days(3)?,
        };
        let reasons = PolicyReasons {
            default_expiry: reason(0)?,
            maximum_lifetime: reason(1)?,
            rotation_period: reason(2)?,
            idle_end: reason(3)?,
        };
        Some((company_name, key_policy, reasons))
    }
}

fn parse_days(typed: &str) -> Result<Option<Days>, Field> {
    let error = "Enter 1 to 3,650 days, or choose no limit";
    KeyPolicy::parse_days(typed).ok_or_else(|| Field::invalid(typed, error))
}

fn parse_idle_end(typed: &str) -> Result<Option<Days>, Field> {
    KeyPolicy::parse_idle_end(typed).ok_or_else(|| Field::invalid(typed, "Enter 30 to 365 days, or choose Off"))
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
        let company_name = company_name.or(page.company_name);
        let edited = page.edited.after_error(version.as_ref());
        html(StatusCode::UNPROCESSABLE_ENTITY, &KeyPolicyPage { company_name, edited, ..page })
    };
    let (Some((company_name, key_policy, reasons)), Some(version)) = (parsed.valid(), &version) else {
        return refuse(None).await;
    };
    let expected = Some(version.changes());
    let rules = CompanyRules { require_second_factor: form.requires_second_factor(), key_policy, reasons };
    let changed =
        cx.perform(move |actions, context| actions.change_company(context, expected, company_name.as_ref(), &rules));
    match changed.await? {
        Ok(event) => Ok(redirect_with_event(KEY_POLICY, event)),
        Err(CompanyNameError::Outdated) => refuse_outdated(&cx, &form, version).await,
        Err(error) => {
            refuse(Some(Field::invalid(form.company_name.clone().unwrap_or_default(), error.to_string()))).await
        }
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
    let mut fields = KeyPolicyPage::conflicting_fields(saved, merged);
    if let Some(typed) = form.company_name.as_ref().filter(|name| **name != page.layout.company) {
        fields.insert(0, ConflictingField::new("Company name", &page.layout.company, typed));
    }
    let filter = TrailFilter { actions: vec![Action::CompanyChanged], ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, cx.company_id().to_string(), fields).await?;
    let page = page.with_values(merged);
    let company_name = form.company_name.as_ref().map(Field::new);
    let edited = page.edited.after_conflict(conflict);
    html(StatusCode::CONFLICT, &KeyPolicyPage { company_name, edited, ..page })
}
