//! The form for the user's name, time zone and theme.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;

use super::load;
use super::view::AccountPage;
use crate::actions::ChangeProfileError;
use crate::domain::actor::Actor;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::text::name::PersonName;
use crate::domain::trail::action::Action;
use crate::domain::trail::filter::TrailFilter;
use crate::domain::user::profile::Theme;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::form_version::FormVersion;
use crate::web::app::page_context::PageContext;
use crate::web::app::respond::html;
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;
use crate::web::components::versioned_form::{Conflict, conflicting_fields};
use crate::web::paths::ACCOUNT;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PreferencesForm {
    name: String,
    time_zone: String,
    theme: String,
    version: String,
}

/// The fields as submitted, with their errors.
struct InvalidPreferences {
    name: Field,
    time_zone: Field,
    theme: Field,
}

impl PreferencesForm {
    /// The values in the order of the version.
    fn values(&self) -> [&str; 3] {
        [&self.name, &self.time_zone, if self.theme.is_empty() { Theme::System.as_str() } else { &self.theme }]
    }

    fn parse(&self, format: &KeyFormat) -> Result<(PersonName, Option<String>, Theme), Box<InvalidPreferences>> {
        let name = Field::parse(format, &self.name, PersonName::parse);
        let time_zone = match self.time_zone.as_str() {
            "" => Ok(None),
            zone if Zone::named(zone).is_some() => Ok(Some(zone.to_owned())),
            _ => Err(Field::invalid("", "Choose a time zone from the list")),
        };
        // A missing theme means the system theme.
        let theme = if self.theme.is_empty() { Some(Theme::System) } else { Theme::parse(&self.theme) };
        let theme = theme.ok_or_else(|| Field::invalid(Theme::System.as_str(), "Select a theme"));
        match (name, time_zone, theme) {
            (Ok(name), Ok(time_zone), Ok(theme)) => Ok((name, time_zone, theme)),
            (name, time_zone, theme) => Err(Box::new(InvalidPreferences {
                name: name.err().unwrap_or_else(|| Field::new(&self.name)),
                time_zone: time_zone.err().unwrap_or_else(|| Field::new(&self.time_zone)),
                theme: theme.err().unwrap_or_else(|| Field::new(&self.theme)),
            })),
        }
    }
}

pub async fn save(cx: PageContext, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: PreferencesForm = body.form().await?;
    let version = FormVersion::parse(&form.version, &load::versioned_thing(cx.user.user_id));
    let (name, time_zone, theme, version) = match (form.parse(&cx.app.actions.key_format), version) {
        (Ok((name, time_zone, theme)), Some(version)) => (name, time_zone, theme, version),
        (parsed, version) => return refuse(load::page(&cx).await?, &form, parsed.err(), version.as_ref()),
    };
    let expected = version.changes();
    let changed = cx
        .perform(move |actions, context| actions.change_profile(context, expected, &name, time_zone.as_deref(), theme));
    match changed.await? {
        Ok(event) => Ok(redirect_with_event(ACCOUNT, event)),
        Err(ChangeProfileError::Denied(denied)) => Err(denied.into()),
        Err(ChangeProfileError::Store(error)) => Err(error.into()),
        Err(ChangeProfileError::Outdated) => refuse_outdated(&cx, &form, &version).await,
    }
}

/// Shows the form again, with the errors of its fields or without a readable version.
fn refuse(
    page: AccountPage,
    form: &PreferencesForm,
    invalid: Option<Box<InvalidPreferences>>,
    version: Option<&FormVersion>,
) -> Result<HttpResponse, PageError> {
    let edited = page.edited.after_error(version);
    let [name, time_zone, theme] = form.values().map(Field::new);
    let valid = || Box::new(InvalidPreferences { name, time_zone, theme });
    let InvalidPreferences { name, time_zone, theme } = *invalid.unwrap_or_else(valid);
    html(StatusCode::UNPROCESSABLE_ENTITY, &AccountPage { name, time_zone, theme, edited, ..page })
}

/// Shows the saved values and the typed ones, with a form for another try.
async fn refuse_outdated(
    cx: &PageContext,
    form: &PreferencesForm,
    version: &FormVersion,
) -> Result<HttpResponse, PageError> {
    let page = load::page(cx).await?;
    let saved = page.preferences().map(str::to_owned);
    let saved = saved.each_ref().map(String::as_str);
    let merged = version.merge(form.values(), saved);
    let user_id = cx.user.user_id;
    let actions = vec![Action::UserProfileChanged];
    let filter = TrailFilter { actor: Some(Actor::User(user_id)), actions, ..TrailFilter::default() };
    let fields = conflicting_fields(LABELS, saved, merged, value_text);
    let conflict = Conflict::load(cx, filter, user_id.to_string(), fields).await?;
    let [name, time_zone, theme] = merged.map(Field::new);
    let edited = page.edited.after_conflict(conflict);
    html(StatusCode::CONFLICT, &AccountPage { name, time_zone, theme, edited, ..page })
}

const LABELS: [&str; 3] = ["Name", "Time zone", "Theme"];

/// A value of the form as the user reads it.
fn value_text(index: usize, value: &str) -> String {
    match index {
        1 if value.is_empty() => "The browser’s time zone".to_owned(),
        2 => Theme::parse(value).map_or("", Theme::label).to_owned(),
        _ => value.to_owned(),
    }
}
