//! The account page: the user's name, preferences, password and sessions.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::Deserialize;

use super::load;
use super::view::{AccountBanner, AccountPage, too_many_attempts_sentence};
use crate::actions::{HashingQueue, OwnPasswordError};
use crate::domain::ids::SessionId;
use crate::domain::key::api_key::KeyFormat;
use crate::domain::text::name::PersonName;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::user::password::Password;
use crate::domain::user::profile::Theme;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::{self, redirect_with_event};
use crate::web::app::guards::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::{html, see_other, too_many_attempts};
use crate::web::app::session::start::{self, Browser};
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;
use crate::web::paths::{ACCOUNT, SIGN_IN};

pub async fn show(cx: PageContext, query: Query) -> Result<HttpResponse, PageError> {
    let banner = flash::load(&cx, &query.0).await?.and_then(|(action, event)| banner(action, &event));
    html(StatusCode::OK, &AccountPage { banner, ..load::page(&cx).await? })
}

fn banner(action: Action, event: &Event) -> Option<AccountBanner> {
    match action {
        Action::UserProfileChanged => Some(AccountBanner::Saved),
        Action::UserPasswordChanged => Some(AccountBanner::PasswordChanged),
        Action::UserSessionEnded => Some(match event.detail() {
            EventDetail::UserSessionEnded { .. } => AccountBanner::SessionEnded,
            _ => AccountBanner::OtherSessionsEnded,
        }),
        Action::UserSecondFactorChanged => Some(AccountBanner::SecondFactorRemoved),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PreferencesForm {
    name: String,
    time_zone: String,
    theme: String,
}

/// The fields as submitted, with their errors.
struct InvalidPreferences {
    name: Field,
    time_zone: Field,
    theme: Field,
}

impl PreferencesForm {
    fn parse(&self, format: &KeyFormat) -> Result<(PersonName, Option<String>, Theme), Box<InvalidPreferences>> {
        let name = Field::parse(format, &self.name, PersonName::parse);
        let time_zone = match self.time_zone.as_str() {
            "" => Ok(None),
            zone if Zone::named(zone).is_some() => Ok(Some(zone.to_owned())),
            _ => Err(Field::invalid("", "Choose a time zone from the list")),
        };
        // A missing theme means the system theme.
        let theme = if self.theme.is_empty() { Some(Theme::System) } else { Theme::parse(&self.theme) };
        let theme = theme.ok_or_else(|| Field::invalid(Theme::System.as_str(), "Choose one of the themes"));
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
    match form.parse(&cx.app.actions.key_format) {
        Ok((name, time_zone, theme)) => {
            let changed =
                cx.perform(move |actions, context| actions.change_profile(context, &name, time_zone.as_deref(), theme));
            Ok(redirect_with_event(ACCOUNT, changed.await??))
        }
        Err(invalid) => {
            let InvalidPreferences { name, time_zone, theme } = *invalid;
            let page = AccountPage { name, time_zone, theme, ..load::page(&cx).await? };
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    current_password: String,
    new_password: String,
}

pub async fn change_password(cx: PageContext, body: FormBody, browser: Browser) -> Result<HttpResponse, PageError> {
    let form: PasswordForm = body.form().await?;
    let permit = cx.app.hashing_permit(HashingQueue::Reserved).await?;
    let changed = cx.perform(move |actions, context| {
        actions.change_password(context, &Password::presented(&form.current_password), &form.new_password)
    });
    let changed = changed.await?;
    drop(permit);
    match changed {
        Ok((event, user)) => {
            start::begin_session(&cx.app, user, &browser).await?;
            let mut response = redirect_with_event(ACCOUNT, Some(event));
            browser.device.remember(&cx.app, user.user, &mut response).await;
            Ok(response)
        }
        Err(error) => refuse_password(load::page(&cx).await?, &error),
    }
}

fn refuse_password(page: AccountPage, error: &OwnPasswordError) -> Result<HttpResponse, PageError> {
    let sentence = Some(error.to_string());
    match error {
        OwnPasswordError::Throttled(wait) => {
            let current_password_error = Some(too_many_attempts_sentence(*wait));
            too_many_attempts(&AccountPage { current_password_error, ..page }, *wait)
        }
        OwnPasswordError::Hash(_) => Err(PageError::Internal(error.to_string())),
        OwnPasswordError::Password(_) => {
            html(StatusCode::UNPROCESSABLE_ENTITY, &AccountPage { new_password_error: sentence, ..page })
        }
        _ => html(StatusCode::UNPROCESSABLE_ENTITY, &AccountPage { current_password_error: sentence, ..page }),
    }
}

pub async fn end_session(
    cx: PageContext,
    id: Path<String>,
    body: FormBody,
    session: Session,
) -> Result<HttpResponse, PageError> {
    let id = SessionId::parse(&id).ok_or(PageError::PageNotFound)?;
    body.discard().await?;
    let ended = cx.perform(move |actions, context| actions.end_session(context, id)).await??;
    let event = ended.ok_or(PageError::PageNotFound)?;
    if id == cx.user.session_id {
        session.purge();
        return Ok(see_other(SIGN_IN));
    }
    Ok(redirect_with_event(ACCOUNT, Some(event)))
}

pub async fn end_other_sessions(cx: PageContext, body: FormBody) -> Result<HttpResponse, PageError> {
    body.discard().await?;
    let current = cx.user.session_id;
    let ended = cx.perform(move |actions, context| actions.end_other_sessions(context, current)).await??;
    Ok(redirect_with_event(ACCOUNT, ended))
}
