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
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::user::password::Password;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::{self, redirect_with_event};
use crate::web::app::page_context::PageContext;
use crate::web::app::query::Query;
use crate::web::app::respond::{html, see_other, too_many_attempts};
use crate::web::app::session::start::{self, Browser};
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
            browser.device.remember(&cx.app, user, &mut response).await;
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
