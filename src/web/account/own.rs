//! One's own name, preferences, password and sessions: what is loaded, what is sent.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::browser;
use super::page::{AccountBanner, AccountPage, SecondFactorSummary, SessionRow};
use crate::actions::OwnPasswordError;
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::ids::SessionId;
use crate::domain::name::PersonName;
use crate::domain::password::Password;
use crate::domain::user::Theme;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::StoreError;
use crate::web::device::Device;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::Field;
use crate::web::paths::{ACCOUNT, SIGN_IN};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html, minutes, see_other, session, too_many_attempts};

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let done = done::load(&site, &signed_in, &query.0).await?;
    let banner = done.and_then(|(action, event)| banner(action, &event));
    html(StatusCode::OK, &AccountPage { banner, ..load(&signed_in, &zone, &site).await? })
}

fn banner(action: Action, event: &Event) -> Option<AccountBanner> {
    match action {
        Action::UserProfileChanged => Some(AccountBanner::Saved),
        Action::UserPasswordChanged => Some(AccountBanner::PasswordChanged),
        Action::UserSessionEnded if event.detail("session_id").is_some() => Some(AccountBanner::SessionEnded),
        Action::UserSessionEnded => Some(AccountBanner::OtherSessionsEnded),
        Action::UserSecondFactorChanged => Some(AccountBanner::SecondFactorRemoved),
        _ => None,
    }
}

pub(in crate::web) async fn save(
    signed_in: SignedIn,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let typed = [fields.one("name")?, fields.one("time_zone")?, fields.one("theme")?];
    let name = site.name_field(typed[0], PersonName::parse);
    let time_zone = match typed[1] {
        "" => Ok(None),
        known if Zone::named(known).is_some() => Ok(Some(known.to_owned())),
        _ => Err(Field::refused("", "Choose a time zone from the list")),
    };
    // A form without the field asks for nothing special.
    let theme = if typed[2].is_empty() { Some(Theme::System) } else { Theme::parse(typed[2]) };
    let theme = theme.ok_or_else(|| Field::refused(Theme::System.as_str(), "Choose one of the themes"));
    let (name, time_zone, theme) = match (name, time_zone, theme) {
        (Ok(name), Ok(time_zone), Ok(theme)) => (name, time_zone, theme),
        (name, time_zone, theme) => {
            let kept = |field: Option<Field>, value: &str| field.unwrap_or_else(|| Field::kept(value));
            let page = AccountPage {
                name: kept(name.err(), typed[0]),
                time_zone: kept(time_zone.err(), typed[1]),
                theme: kept(theme.err(), typed[2]),
                ..load(&signed_in, &zone, &site).await?
            };
            return html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (actions, origin, user) = (site.actions.clone(), caller.as_origin(signed_in.actor()), signed_in.as_user());
    let changed = blocking(move || actions.change_profile(user, &name, time_zone.as_deref(), theme, &origin));
    Ok(done::lead_to(ACCOUNT, changed.await?))
}

pub(in crate::web) async fn change_password(
    signed_in: SignedIn,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    device: Device,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let current = Password::presented(fields.one("current_password")?);
    let new = fields.one("new_password")?.to_owned();
    let permit = site.permit_to_hash().await?;
    let (actions, origin, user) = (site.actions.clone(), caller.as_origin(signed_in.actor()), signed_in.as_user());
    let changed = blocking(move || match actions.change_password(user, &current, &new, &origin) {
        Err(OwnPasswordError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    })
    .await?;
    drop(permit);
    let error = match changed {
        Ok((event, admission)) => {
            session::begin(&session, admission, &caller)?;
            let mut answer = done::lead_to(ACCOUNT, Some(event));
            device.remember(&site, user, &mut answer).await;
            return Ok(answer);
        }
        Err(error) => error,
    };
    let page = load(&signed_in, &zone, &site).await?;
    match error {
        OwnPasswordError::Throttled(wait) => {
            let current_password_error = Some(super::too_many(minutes(wait)));
            too_many_attempts(&AccountPage { current_password_error, ..page }, wait)
        }
        OwnPasswordError::Password(_) => {
            let page = AccountPage { new_password_error: Some(error.to_string()), ..page };
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        OwnPasswordError::Hash(_) => Err(PageError::Internal(error.to_string())),
        _ => {
            let page = AccountPage { current_password_error: Some(error.to_string()), ..page };
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

pub(in crate::web) async fn end_session(
    signed_in: SignedIn,
    id: Path<String>,
    body: FormBody,
    caller: Caller,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let id = SessionId::parse(&id).ok_or(PageError::NoPage)?;
    let (actions, origin, user) = (site.actions.clone(), caller.as_origin(signed_in.actor()), signed_in.as_user());
    body.fields().await?;
    let ended = blocking(move || actions.end_session(user, id, &origin)).await?.ok_or(PageError::NoPage)?;
    if id == signed_in.session_id {
        session.purge();
        return Ok(see_other(SIGN_IN));
    }
    Ok(done::lead_to(ACCOUNT, Some(ended)))
}

pub(in crate::web) async fn end_other_sessions(
    signed_in: SignedIn,
    body: FormBody,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    body.fields().await?;
    let (actions, origin, user) = (site.actions.clone(), caller.as_origin(signed_in.actor()), signed_in.as_user());
    let ended = blocking(move || actions.end_other_sessions(user, signed_in.session_id, &origin)).await?;
    Ok(done::lead_to(ACCOUNT, ended))
}

async fn load(signed_in: &SignedIn, zone: &Zone, site: &Data<Site>) -> Result<AccountPage, PageError> {
    let (store, now, user) = (site.actions.store.clone(), site.actions.clock.now(), signed_in.as_user());
    let (found, second_factor, sessions) = blocking(move || {
        store.read(|questions| {
            let found = questions.user(user.company_id, user.user_id)?;
            let second_factor = questions.second_factor(user.user_id)?;
            let sessions = questions.sessions_of(user.user_id, session::outlived(now))?;
            Ok::<_, StoreError>((found, second_factor, sessions))
        })
    })
    .await?;
    let mut zones = Zone::names();
    zones.extend(signed_in.time_zone.iter().filter(|chosen| !zones.contains(chosen)).cloned().collect::<Vec<_>>());
    let rows = sessions.into_iter().map(|session| SessionRow {
        id: session.id.to_string(),
        browser: browser::name(session.user_agent.as_deref()),
        address: session.client_address,
        signed_in: zone.date_time(session.created_at),
        last_seen: zone.date_time(session.last_seen_at),
        is_this: session.id == signed_in.session_id,
    });
    Ok(AccountPage {
        shell: site.shell(signed_in),
        email: found.map(|found| found.email).unwrap_or_default(),
        role: signed_in.role,
        name: Field::kept(&signed_in.name),
        time_zone: Field::kept(signed_in.time_zone.clone().unwrap_or_default()),
        zones,
        theme: Field::kept(signed_in.theme.as_str()),
        current_password_error: None,
        new_password_error: None,
        second_factor: SecondFactorSummary {
            since: second_factor.as_ref().map(|stands| zone.date(stands.since)),
            recovery_codes_left: second_factor
                .map_or(0, |stands| u64::try_from(stands.recovery_codes_left).unwrap_or(0)),
        },
        sessions: rows.collect(),
        zone: zone.label(now),
        banner: None,
    })
}
