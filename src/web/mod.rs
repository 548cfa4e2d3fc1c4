//! The web pages and their middleware.

pub mod app;
pub mod components;
pub mod pages;
pub mod paths;
mod routes;
#[cfg(test)]
mod samples;
pub mod url;

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_web::cookie::SameSite;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, web};

use self::app::compression;
use self::app::error::PageError;
use self::app::inline_reader::InlineReader;
use self::app::session::cookie::CookieSessionStore;
use self::app::session::cookie_keys;
use self::app::state::AppState;
use self::pages::errors;
pub use self::routes::{Page, route_table};
use crate::http::panics;

/// Registers the pages with their middleware. Any other path gets the “not found” page.
pub fn configure(config: &mut ServiceConfig, app: &Data<AppState>) {
    let inline_reader = Data::new(InlineReader::new(&app.actions.store));
    let sessions = CookieSessionStore::new(app.actions.store.clone());
    let sessions = SessionMiddleware::builder(sessions, app.session_key().clone())
        .cookie_name(app.cookie_name().to_owned())
        .cookie_secure(app.public_url.is_https())
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .build();
    let mut scope = web::scope("").app_data(app.clone()).app_data(inline_reader);
    for page in route_table() {
        let allowed = page.methods().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let mut resource = web::resource(page.path);
        for (_, route) in page.routes {
            resource = resource.route(route);
        }
        let method_not_allowed =
            move || std::future::ready(Err::<HttpResponse, _>(PageError::MethodNotAllowed(allowed.clone())));
        scope = scope.service(resource.default_service(web::to(method_not_allowed)));
    }
    let scope = scope
        .default_service(web::to(|| std::future::ready(Err::<HttpResponse, _>(PageError::PageNotFound))))
        .wrap(from_fn(panics::catch))
        .wrap(from_fn(errors::middleware::identify))
        .wrap(sessions)
        .wrap(from_fn(cookie_keys::translate))
        .wrap(from_fn(errors::middleware::render))
        .wrap(from_fn(compression::compress));
    config.app_data(app.clone()).service(scope);
}
