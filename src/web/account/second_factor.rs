//! The second factor: setting it up, its recovery codes, turning it off.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use crate::actions::{ConfirmSecondFactorError, OwnPasswordError};
use crate::domain::password::Password;
use crate::edge::body::FormBody;
use crate::edge::caller::Caller;
use crate::store::StoreError;
use crate::web::account::qr_code::{QUIET_ZONE, QrCode};
use crate::web::error::PageError;
use crate::web::guards::SessionHolder;
use crate::web::page::{Shell, ShownTime};
use crate::web::paths::{ACCOUNT, SECOND_FACTOR};
use crate::web::rail::Rail;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html_with_secret, minutes, see_other, too_many_attempts};

#[derive(Template)]
#[template(path = "account/second_factor.html")]
pub struct SecondFactorPage {
    pub shell: Shell,
    pub state: SecondFactorState,
    /// The company requires it, and this admin has none.
    pub is_required: bool,
}

pub enum SecondFactorState {
    Off {
        qr: QrCode,
        /// What the code holds, for typing: base32.
        secret: String,
        code_error: Option<String>,
    },
    On {
        /// Whose password is asked for.
        email: String,
        since: ShownTime,
        recovery_codes_left: u64,
        password_error: Option<String>,
    },
    /// Shown in this one answer.
    JustSetUp { recovery_codes: Vec<String> },
}

impl SecondFactorPage {
    const RAIL: Rail = Rail::Elsewhere;

    fn title(&self) -> String {
        let (failed, heading) = match &self.state {
            SecondFactorState::Off { code_error, .. } => (code_error.is_some(), "Second factor"),
            SecondFactorState::On { password_error, .. } => (password_error.is_some(), "Second factor"),
            SecondFactorState::JustSetUp { .. } => (false, "Save your recovery codes"),
        };
        let error = if failed { "Error: " } else { "" };
        format!("{error}{heading} – Your account – {}", self.shell.company)
    }

    /// A secret in groups of four, for reading.
    fn in_fours(secret: &str) -> Vec<String> {
        let characters: Vec<char> = secret.chars().collect();
        characters.chunks(4).map(|group| group.iter().collect()).collect()
    }
}

pub(in crate::web) async fn show(
    holder: SessionHolder,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    html_with_secret(StatusCode::OK, &load(&holder, &zone, &site).await?)
}

/// A code sets the second factor up, the current password removes it.
pub(in crate::web) async fn submit(
    holder: SessionHolder,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    match fields.given("current_password")? {
        Some(password) => remove(Password::presented(password), &holder, &zone, &caller, &site).await,
        None => confirm(fields.one("code")?.to_owned(), &holder, &zone, &caller, &site).await,
    }
}

async fn confirm(
    typed: String,
    holder: &SessionHolder,
    zone: &Zone,
    caller: &Caller,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let signed_in = &holder.0;
    let (actions, origin) = (site.actions.clone(), caller.as_origin(signed_in.actor()));
    let (user, session) = (signed_in.as_user(), signed_in.session_id);
    let confirmed = blocking(move || match actions.confirm_second_factor(user, session, &typed, &origin) {
        Err(ConfirmSecondFactorError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match confirmed.await? {
        Ok(recovery_codes) => {
            let state = SecondFactorState::JustSetUp { recovery_codes };
            let page = SecondFactorPage { shell: site.shell(signed_in), state, is_required: false };
            html_with_secret(StatusCode::CREATED, &page)
        }
        Err(ConfirmSecondFactorError::AlreadySetUp) => Ok(see_other(SECOND_FACTOR)),
        Err(wrong) => {
            let mut page = load(holder, zone, site).await?;
            if let SecondFactorState::Off { code_error, .. } = &mut page.state {
                *code_error = Some(wrong.to_string());
            }
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

async fn remove(
    password: Password,
    holder: &SessionHolder,
    zone: &Zone,
    caller: &Caller,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let permit = site.permit_to_hash().await?;
    let signed_in = &holder.0;
    let (actions, origin, user) = (site.actions.clone(), caller.as_origin(signed_in.actor()), signed_in.as_user());
    let removed = blocking(move || match actions.remove_second_factor(user, &password, &origin) {
        Err(OwnPasswordError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    })
    .await?;
    drop(permit);
    let error = match removed {
        Ok(event) => return Ok(done::lead_to(ACCOUNT, event)),
        Err(error) => error,
    };
    let mut page = load(holder, zone, site).await?;
    let mut say = |sentence: String| {
        if let SecondFactorState::On { password_error, .. } = &mut page.state {
            *password_error = Some(sentence);
        }
    };
    match error {
        OwnPasswordError::Throttled(wait) => {
            say(super::too_many(minutes(wait)));
            too_many_attempts(&page, wait)
        }
        other => {
            say(other.to_string());
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

async fn load(holder: &SessionHolder, zone: &Zone, site: &Data<Site>) -> Result<SecondFactorPage, PageError> {
    let signed_in = &holder.0;
    let (actions, user, session) = (site.actions.clone(), signed_in.as_user(), signed_in.session_id);
    let (stands, email, pending) = blocking(move || {
        let (stands, found) = actions.store.read(|questions| {
            let found = questions.user(user.company_id, user.user_id)?;
            Ok::<_, StoreError>((questions.second_factor(user.user_id)?, found))
        })?;
        let pending = if stands.is_none() { Some(actions.pending_second_factor(user, session)?) } else { None };
        Ok::<_, PageError>((stands, found.map(|found| found.email).unwrap_or_default(), pending))
    })
    .await?;
    let state = match (stands, pending) {
        (Some(stands), _) => SecondFactorState::On {
            email,
            since: zone.date_time(stands.since),
            recovery_codes_left: u64::try_from(stands.recovery_codes_left).unwrap_or(0),
            password_error: None,
        },
        (None, pending) => {
            let pending = pending.ok_or_else(|| PageError::Internal("there is no secret to show".to_owned()))?;
            let qr = pending.address(&site.platform, &email).and_then(|address| QrCode::of(&address));
            SecondFactorState::Off {
                qr: qr.ok_or_else(|| PageError::Internal("the secret does not fit into a QR code".to_owned()))?,
                secret: pending.reveal(),
                code_error: None,
            }
        }
    };
    Ok(SecondFactorPage { shell: site.shell(signed_in), state, is_required: holder.owes_second_factor() })
}
