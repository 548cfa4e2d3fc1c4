//! The second factor page: sets up and removes the second factor, and shows the recovery codes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::{Deserialize, Deserializer};

use super::qr_code::{QUIET_ZONE, QrCode};
use super::view::too_many_attempts_sentence;
use crate::actions::{ConfirmSecondFactorError, HashingQueue, OwnPasswordError};
use crate::domain::user::password::Password;
use crate::http::body::FormBody;
use crate::web::app::error::PageError;
use crate::web::app::flash::redirect_with_event;
use crate::web::app::guards::EnrollmentContext;
use crate::web::app::respond::{html_with_secret, see_other, too_many_attempts};
use crate::web::app::time::view::TimeView;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::Navigation;
use crate::web::paths::{ACCOUNT, SECOND_FACTOR};

#[derive(Template)]
#[template(path = "account/second_factor.html")]
pub struct SecondFactorPage {
    pub layout: PageLayout,
    pub state: SecondFactorState,
    /// The company requires a second factor, and this admin has none.
    pub is_required: bool,
}

pub enum SecondFactorState {
    Off {
        /// The account of the requested password, for password managers.
        email: String,
        /// `None` if the names are too long for a QR code.
        qr: Option<QrCode>,
        /// The secret of the QR code in base32, for typing.
        secret: String,
        password_error: Option<String>,
        code_error: Option<String>,
    },
    On {
        /// The account of the requested password, for password managers.
        email: String,
        since: TimeView,
        recovery_codes_left: u64,
        password_error: Option<String>,
    },
    /// Only the response that made them shows the recovery codes.
    JustSetUp { recovery_codes: Vec<String> },
}

impl SecondFactorPage {
    const NAVIGATION: Navigation = Navigation::Elsewhere;

    fn title(&self) -> String {
        let (failed, heading) = match &self.state {
            SecondFactorState::Off { password_error, code_error, .. } => {
                (password_error.is_some() || code_error.is_some(), "Second factor")
            }
            SecondFactorState::On { password_error, .. } => (password_error.is_some(), "Second factor"),
            SecondFactorState::JustSetUp { .. } => (false, "Save your recovery codes"),
        };
        let error = if failed { "Error: " } else { "" };
        format!("{error}{heading} – Your account – {}", self.layout.company)
    }

    fn with_password_error(mut self, sentence: String) -> Self {
        if let SecondFactorState::Off { password_error, .. } | SecondFactorState::On { password_error, .. } =
            &mut self.state
        {
            *password_error = Some(sentence);
        }
        self
    }

    fn with_code_error(mut self, sentence: String) -> Self {
        if let SecondFactorState::Off { code_error, .. } = &mut self.state {
            *code_error = Some(sentence);
        }
        self
    }

    /// Splits a secret into groups of four characters, which are easier to read.
    fn groups_of_four(secret: &str) -> Vec<String> {
        let characters: Vec<char> = secret.chars().collect();
        characters.chunks(4).map(|group| group.iter().collect()).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SecondFactorForm {
    /// Present, even if empty, only in the form that sets the second factor up.
    #[serde(deserialize_with = "deserialize_present")]
    code: Option<String>,
    current_password: String,
    /// `renew` asks for new recovery codes.
    recovery_codes: String,
}

fn deserialize_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

pub async fn show(user: EnrollmentContext) -> Result<HttpResponse, PageError> {
    html_with_secret(StatusCode::OK, &load(&user).await?)
}

/// Sets up the second factor if the form has a code, renews the recovery codes if it asks for that, else removes it.
pub async fn submit(user: EnrollmentContext, body: FormBody) -> Result<HttpResponse, PageError> {
    let form: SecondFactorForm = body.form().await?;
    let password = Password::presented(&form.current_password);
    let _permit = user.0.app.hashing_permit(HashingQueue::Reserved).await?;
    match form.code {
        Some(code) => confirm(&user, password, code).await,
        None if form.recovery_codes == "renew" => renew_codes(&user, password).await,
        None => remove(&user, password).await,
    }
}

async fn confirm(user: &EnrollmentContext, password: Password, code: String) -> Result<HttpResponse, PageError> {
    let cx = &user.0;
    let session = cx.user.session_id;
    let confirmed =
        cx.perform(move |actions, context| actions.confirm_second_factor(context, session, &password, &code));
    match confirmed.await? {
        Ok(recovery_codes) => show_codes(user, recovery_codes),
        Err(ConfirmSecondFactorError::AlreadySetUp) => Ok(see_other(SECOND_FACTOR)),
        Err(ConfirmSecondFactorError::Password(refusal)) => refuse_password(user, &refusal).await,
        Err(refusal) => {
            let page = load(user).await?.with_code_error(refusal.to_string());
            html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Shows new recovery codes, once.
fn show_codes(user: &EnrollmentContext, recovery_codes: Vec<String>) -> Result<HttpResponse, PageError> {
    let layout = PageLayout::new(&user.0.app, &user.0.user);
    let state = SecondFactorState::JustSetUp { recovery_codes };
    html_with_secret(StatusCode::CREATED, &SecondFactorPage { layout, state, is_required: false })
}

async fn renew_codes(user: &EnrollmentContext, password: Password) -> Result<HttpResponse, PageError> {
    let renewed = user.0.perform(move |actions, context| actions.renew_recovery_codes(context, &password)).await?;
    match renewed {
        Ok(Some(recovery_codes)) => show_codes(user, recovery_codes),
        Ok(None) => Ok(see_other(SECOND_FACTOR)),
        Err(refusal) => refuse_password(user, &refusal).await,
    }
}

async fn remove(user: &EnrollmentContext, password: Password) -> Result<HttpResponse, PageError> {
    let removed = user.0.perform(move |actions, context| actions.remove_second_factor(context, &password)).await?;
    match removed {
        Ok(event) => Ok(redirect_with_event(ACCOUNT, event)),
        Err(refusal) => refuse_password(user, &refusal).await,
    }
}

async fn refuse_password(user: &EnrollmentContext, refusal: &OwnPasswordError) -> Result<HttpResponse, PageError> {
    let page = load(user).await?;
    match refusal {
        OwnPasswordError::Throttled(wait) => {
            too_many_attempts(&page.with_password_error(too_many_attempts_sentence(*wait)), *wait)
        }
        _ => html_with_secret(StatusCode::UNPROCESSABLE_ENTITY, &page.with_password_error(refusal.to_string())),
    }
}

async fn load(user: &EnrollmentContext) -> Result<SecondFactorPage, PageError> {
    let cx = &user.0;
    let signed_in = cx.user.as_user();
    let (stored, second_factor) = cx
        .read(move |db| {
            let stored = db.users().by_id(signed_in.company_id, signed_in.user_id)?;
            Ok((stored, db.second_factors().of_user(signed_in.user_id)?))
        })
        .await?;
    let email = stored.map(|stored| stored.email).unwrap_or_default();
    let state = match second_factor {
        Some(second_factor) => SecondFactorState::On {
            email,
            since: cx.zone.date_time(second_factor.since),
            recovery_codes_left: u64::try_from(second_factor.recovery_codes_left).unwrap_or(0),
            password_error: None,
        },
        None => load_pending(user, &email).await?,
    };
    let layout = PageLayout::new(&cx.app, &cx.user);
    Ok(SecondFactorPage { layout, state, is_required: user.must_enroll_second_factor() })
}

/// Loads the secret of this session, which stays the same until a code confirms it.
async fn load_pending(user: &EnrollmentContext, email: &str) -> Result<SecondFactorState, PageError> {
    let cx = &user.0;
    let (signed_in, session) = (cx.user.as_user(), cx.user.session_id);
    let pending = cx.app.perform(move |actions| actions.pending_second_factor(signed_in, session)).await??;
    Ok(SecondFactorState::Off {
        email: email.to_owned(),
        qr: pending.otpauth_url(&cx.app.platform, email).and_then(|url| QrCode::of(&url)),
        secret: pending.expose_secret(),
        password_error: None,
        code_error: None,
    })
}
