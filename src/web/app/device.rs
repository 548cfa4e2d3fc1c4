//! The device cookie. It identifies a browser that a user has signed in with, so that failures elsewhere do not lock
//! that browser out. It does not sign a user in.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::error::PageError;
use super::state::{AppState, blocking};
use crate::actions::AuthenticatedUser;
use crate::domain::token::{Token, TokenDigest};
use crate::random;

const COOKIE_LIFETIME: Duration = Duration::from_hours(365 * 24);

/// The token of the request's device cookie.
#[derive(Clone)]
pub struct Device(Option<String>);

impl FromRequest for Device {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<AppState>>();
        let cookie = app.and_then(|app| request.cookie(app.device_cookie_name()));
        ready(Ok(Self(cookie.map(|cookie| cookie.value().to_owned()))))
    }
}

impl Device {
    /// The digest of the token, for the throttle.
    #[must_use]
    pub fn digest(&self) -> Option<TokenDigest> {
        self.0.as_deref().map(TokenDigest::of)
    }

    /// Records that the user has signed in with this browser, and sets the cookie. A failure is only logged: the user
    /// is signed in anyway.
    pub async fn remember(&self, app: &web::Data<AppState>, user: AuthenticatedUser, response: &mut HttpResponse) {
        let AuthenticatedUser { user, epoch } = user;
        let (store, now, cookie_token) = (app.actions.store.clone(), app.now(), self.0.clone());
        let new_token = Token::new(random::bytes());
        let token = blocking(move || {
            store.write(|tx| {
                // A new password forgets all devices, and holds this lock meanwhile.
                tx.trails().lock(user.company_id.into())?;
                if tx.users().sign_in_epoch(user.user_id)? != Some(epoch) {
                    return Ok(None);
                }
                // An attacker may have planted a token that this user has not signed in with.
                let known_token = match cookie_token {
                    Some(token) if tx.devices().is_known(user.user_id, &TokenDigest::of(&token))? => Some(token),
                    _ => None,
                };
                let token = known_token.unwrap_or_else(|| new_token.expose_secret().to_owned());
                let digest = TokenDigest::of(&token);
                tx.devices().remember(user.company_id, user.user_id, &digest, now, now - COOKIE_LIFETIME)?;
                Ok::<_, PageError>(Some(token))
            })
        });
        let result = token.await.map(|token| {
            let Some(token) = token else { return Ok(()) };
            let cookie = Cookie::build(app.device_cookie_name(), token)
                .path("/")
                .http_only(true)
                .secure(app.public_url.is_https())
                .same_site(SameSite::Lax)
                .max_age(CookieDuration::try_from(COOKIE_LIFETIME).unwrap_or(CookieDuration::MAX));
            response.add_cookie(&cookie.finish())
        });
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "device cookie not set"),
            Err(error) => tracing::warn!(%error, "device not remembered"),
        }
    }
}
