//! The cookie by which a browser is known again that a user has signed in with: it lets nobody in, but strangers'
//! failures do not keep it out.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::error::PageError;
use super::{Site, blocking};
use crate::actions::{Attempter, SignedInUser};
use crate::domain::token::{Token, TokenDigest};
use crate::edge::caller::Caller;
use crate::random;

const A_YEAR: Duration = Duration::from_hours(365 * 24);

/// The browser that asks, as its cookie names it.
#[derive(Clone)]
pub struct Device(Option<String>);

impl FromRequest for Device {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let site = request.app_data::<web::Data<Site>>();
        let cookie = site.and_then(|site| request.cookie(site.device_cookie_name()));
        ready(Ok(Self(cookie.map(|cookie| cookie.value().to_owned()))))
    }
}

impl Device {
    /// Who tries to sign in, for the throttle.
    pub(super) fn as_attempter(&self, caller: &Caller) -> Attempter {
        Attempter { client: caller.address, device: self.0.as_deref().map(TokenDigest::of) }
    }

    /// Remembers, with the answer, that a user has signed in with this browser. Where that fails they are signed in all
    /// the same.
    pub(super) async fn remember(self, site: &web::Data<Site>, user: SignedInUser, answer: &mut HttpResponse) {
        let (store, now) = (site.actions.store.clone(), site.actions.clock.now());
        let new = Token::new(random::bytes());
        let presented = self.0;
        let remembered = blocking(move || {
            store.write(|transaction| {
                // A token that this user has not signed in with is not theirs: somebody else may have put it there.
                let known = match presented {
                    Some(token) if transaction.device_is_known(user.user_id, &TokenDigest::of(&token))? => Some(token),
                    _ => None,
                };
                let token = known.unwrap_or_else(|| new.reveal().to_owned());
                let digest = TokenDigest::of(&token);
                transaction.remember_device(user.company_id, user.user_id, &digest, now, now - A_YEAR)?;
                Ok::<_, PageError>(token)
            })
        });
        let kept = remembered.await.map(|token| {
            let cookie = Cookie::build(site.device_cookie_name(), token)
                .path("/")
                .http_only(true)
                .secure(site.public_url.is_https())
                .same_site(SameSite::Lax)
                .max_age(CookieDuration::try_from(A_YEAR).unwrap_or(CookieDuration::MAX));
            answer.add_cookie(&cookie.finish())
        });
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a browser could not be remembered"),
            Err(error) => tracing::warn!(%error, "a browser could not be remembered"),
        }
    }
}
