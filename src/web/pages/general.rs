//! The General page: the name of the company.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use crate::actions::CompanyNameError;
use crate::domain::ids::CompanyId;
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
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::versioned_form::{Conflict, VersionedForm, conflicting_fields};
use crate::web::paths::GENERAL;

#[derive(Template)]
#[template(path = "general/page.html")]
pub struct GeneralPage {
    pub layout: PageLayout,
    pub company_id: String,
    pub company_name: Field,
    /// True for admins. Auditors see the same values without a form.
    pub can_change: bool,
    pub banner_saved: bool,
    pub edited: VersionedForm,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct GeneralForm {
    company_name: String,
    version: String,
}

impl GeneralPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::General);

    fn title(&self) -> String {
        let has_error = self.edited.notice.is_some() || self.company_name.error.is_some();
        let error = if has_error { "Error: " } else { "" };
        format!("{error}General – Company Settings – {}", self.layout.company)
    }

    async fn load(cx: &PageContext) -> Result<Self, PageError> {
        let company_id = cx.company_id();
        let read = cx.read(move |db| Ok((db.companies().settings(company_id)?, db.companies().version(company_id)?)));
        let (settings, changes) = read.await?;
        let version = FormVersion::new(versioned_thing(company_id), changes, &[&settings.name]);
        Ok(Self {
            layout: PageLayout::new(&cx.app, &cx.user),
            company_id: company_id.to_string(),
            company_name: Field::new(settings.name),
            can_change: cx.can_change(),
            banner_saved: false,
            edited: VersionedForm::new(&version),
        })
    }
}

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let event = flash::load(&cx, &query.0).await?;
    let banner_saved = event.is_some_and(|(action, _)| action == Action::CompanyChanged);
    html(StatusCode::OK, &GeneralPage { banner_saved, ..GeneralPage::load(&cx).await? })
}

pub async fn submit(Admin(cx): Admin, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: GeneralForm = body.form().await?;
    let name = Field::parse(&cx.app.actions.key_format, &form.company_name, CompanyName::parse);
    let version = FormVersion::parse(&form.version, &versioned_thing(cx.company_id()));
    let refuse = async |company_name: Field| {
        let page = GeneralPage::load(&cx).await?;
        let edited = page.edited.after_error(version.as_ref());
        html(StatusCode::UNPROCESSABLE_ENTITY, &GeneralPage { company_name, edited, ..page })
    };
    let (name, version) = match (name, &version) {
        (Ok(name), Some(version)) => (name, version),
        (Ok(_), None) => return refuse(Field::new(form.company_name)).await,
        (Err(company_name), _) => return refuse(company_name).await,
    };
    let expected = Some(version.changes());
    match cx.perform(move |actions, context| actions.rename_company(context, expected, &name)).await? {
        Ok(event) => Ok(redirect_with_event(GENERAL, event)),
        Err(CompanyNameError::Outdated) => refuse_outdated(&cx, &form, version).await,
        Err(error) => refuse(Field::invalid(&form.company_name, error.to_string())).await,
    }
}

/// What the version of the form belongs to.
fn versioned_thing(company_id: CompanyId) -> String {
    format!("general-{company_id}")
}

/// Shows the saved name and the typed one, with a form for another try.
async fn refuse_outdated(
    cx: &PageContext,
    form: &GeneralForm,
    version: &FormVersion,
) -> Result<HttpResponse, PageError> {
    let page = GeneralPage::load(cx).await?;
    let saved = page.company_name.value.clone();
    let [merged] = version.merge([&form.company_name], [&saved]);
    let text = |_: usize, value: &str| value.to_owned();
    let fields = conflicting_fields(["Company name"], [&saved], [merged], text);
    let filter = TrailFilter { actions: vec![Action::CompanyChanged], ..TrailFilter::default() };
    let conflict = Conflict::load(cx, filter, cx.company_id().to_string(), fields).await?;
    let company_name = Field::new(merged);
    let edited = page.edited.after_conflict(conflict);
    html(StatusCode::CONFLICT, &GeneralPage { company_name, edited, ..page })
}
