//! The pages: which there are, what guards them, how they are drawn. No queries here, and no change without an action.

mod account;
mod assets;
mod at_hand;
pub mod audit_trail;
mod compression;
mod device;
mod done;
mod error;
pub mod guards;
mod home;
mod invitation;
mod key_policy;
pub mod keys;
mod message;
pub mod page;
pub mod paging;
pub mod paths;
pub mod rail;
mod request;
mod routes;
mod same_origin;
#[cfg(test)]
mod samples;
pub mod session;
mod setup;
mod sign_in;
mod sign_in_code;
pub mod time;
mod users;

use std::fmt::Display;
use std::time::Duration;

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_web::cookie::{Key, SameSite};
use actix_web::http::header::{ContentType, HeaderValue, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, web};
use askama::Template;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::at_hand::AtHand;
use self::compression::HoldsSecret;
use self::error::PageError;
use self::guards::SignedIn;
use self::page::{Field, OutsideShell, Person, Shell};
pub use self::routes::{Page, pages};
use self::session::StoredSessions;
use crate::actions::Actions;
use crate::config::PublicUrl;
use crate::edge::panics;
use crate::witness::Witnesses;

/// Argon2 takes 19 MiB and all of a core: more at once would only stop everything else.
const PASSWORDS_AT_ONCE: usize = 2;
/// Bytes of a full list: a page that outgrows the room it is drawn into is copied.
const LARGE_PAGE: usize = 96 * 1_024;
/// How long to wait is told to whoever a stop keeps out, too: what ended it may have happened by then.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
const LONGEST_WAIT_FOR_A_TURN: Duration = Duration::from_secs(10);

/// What every page draws from.
#[derive(Debug)]
pub struct Site {
    /// What can be done.
    pub actions: Actions,
    /// What the platform is called.
    pub platform: String,
    /// Where users find Keydesk.
    pub public_url: PublicUrl,
    /// The token in the set-up link of this start.
    pub setup_token: String,
    /// One permit for each password that may be hashed at once.
    pub passwords: Semaphore,
    /// Who is told of checkpoints.
    pub witnesses: Witnesses,
}

impl Site {
    /// A site with all its permits.
    #[must_use]
    pub fn new(
        actions: Actions,
        platform: String,
        public_url: PublicUrl,
        setup_token: String,
        witnesses: Witnesses,
    ) -> Self {
        let passwords = Semaphore::new(PASSWORDS_AT_ONCE);
        Self { actions, platform, public_url, setup_token, passwords, witnesses }
    }

    /// Browsers bind a cookie of this prefix to this host, TLS and all paths (RFC 6265bis section 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.public_url.is_https() { "__Host-keydesk" } else { "keydesk" }
    }

    /// The same for the cookie by which a browser is known again.
    fn device_cookie_name(&self) -> &'static str {
        if self.public_url.is_https() { "__Host-keydesk-device" } else { "keydesk-device" }
    }

    /// Whether a part of an address holds a key, which must then go nowhere else.
    fn shows_a_key(&self, address: &str) -> bool {
        let decoded = percent_encoding::percent_decode_str(address).decode_utf8_lossy();
        self.actions.key_format.occurs_in(&decoded)
    }

    /// What somebody typed as a name or an address, or the field with what is wrong with it. A key in its place would be
    /// kept and shown for ever: it is refused and not repeated.
    fn name_field<T, E: Display>(&self, typed: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Field> {
        if self.actions.key_format.occurs_in(typed) {
            return Err(Field::refused(
                "",
                "This looks like an API key. Enter something else here, and revoke the key if others may have seen it.",
            ));
        }
        parse(typed).map_err(|error| Field::refused(typed, error.to_string()))
    }

    /// Waits for a turn to hash a password; not longer than a person would.
    async fn permit_to_hash(&self) -> Result<SemaphorePermit<'_>, PageError> {
        match tokio::time::timeout(LONGEST_WAIT_FOR_A_TURN, self.passwords.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(PageError::TooManyAtOnce),
        }
    }

    fn shell(&self, signed_in: &SignedIn) -> Shell {
        Shell {
            company: signed_in.company.name.clone(),
            platform: self.platform.clone(),
            person: Person::named(&signed_in.name),
            theme: signed_in.theme,
            assets: assets::paths(),
        }
    }

    fn outside_shell(&self) -> OutsideShell {
        OutsideShell { platform: self.platform.clone(), assets: assets::paths() }
    }
}

/// Puts the pages, and the page that every other path is answered with, behind their guards.
pub fn configure(config: &mut ServiceConfig, site: &Data<Site>) {
    let at_hand = Data::new(AtHand::new(&site.actions.store));
    let sessions = StoredSessions::new(site.actions.store.clone(), site.actions.clock.clone(), Data::clone(&at_hand));
    let sessions = SessionMiddleware::builder(sessions, Key::from(site.actions.secrets.cookie_key()))
        .cookie_name(site.cookie_name().to_owned())
        .cookie_secure(site.public_url.is_https())
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .build();
    let mut scope = web::scope("").app_data(site.clone()).app_data(at_hand);
    for page in pages() {
        let allowed = page.methods().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let mut resource = web::resource(page.path);
        for (_, route) in page.routes {
            resource = resource.route(route);
        }
        let refuse = move || std::future::ready(Err::<HttpResponse, _>(PageError::WrongMethod(allowed.clone())));
        scope = scope.service(resource.default_service(web::to(refuse)));
    }
    let scope = scope
        .default_service(web::to(|| std::future::ready(Err::<HttpResponse, _>(PageError::NoPage))))
        .wrap(from_fn(panics::catch))
        .wrap(sessions)
        .wrap(from_fn(error::draw))
        .wrap(from_fn(compression::compress));
    config.app_data(site.clone()).service(scope);
}

/// Does what waits for the database or the processor on a thread that may wait.
async fn blocking<T: Send + 'static, E: Into<PageError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, PageError> {
    match web::block(work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(PageError::Internal("a thread that asked the database panicked".to_owned())),
    }
}

/// A page as an answer.
fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let mut text = String::with_capacity(LARGE_PAGE);
    page.render_into(&mut text)?;
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(text))
}

/// The same for a page that shows what is shown only once, or that holds what lets somebody in.
fn html_with_secret(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let mut answer = html(status, page)?;
    answer.extensions_mut().insert(HoldsSecret);
    Ok(answer)
}

/// A page that asks for patience; the header says for how long.
fn too_many_attempts(page: &impl Template, wait: Duration) -> Result<HttpResponse, PageError> {
    let mut answer = html(StatusCode::TOO_MANY_REQUESTS, page)?;
    let seconds = wait.as_millis().div_ceil(1_000).to_string();
    if let Ok(seconds) = HeaderValue::from_str(&seconds) {
        answer.headers_mut().insert(RETRY_AFTER, seconds);
    }
    Ok(answer)
}

/// A wait in whole minutes, as a page says it.
fn minutes(wait: Duration) -> u64 {
    wait.as_secs().div_ceil(60).max(1)
}

/// An answer that leads to another page here.
fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("Location", path)).finish()
}
