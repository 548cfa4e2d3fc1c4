//! The route table: all pages with their methods, handlers and cross-site guards.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, Route, web};

use super::app::{assets, same_origin};
use super::pages::{
    account, api_keys, audit_trail, evidence, general, home, invitation, key_policy, practice, setup, sign_in, users,
};
use super::paths;

/// An entry of the route table.
pub struct Page {
    /// The path, with its parameters in braces.
    pub path: &'static str,
    pub routes: Vec<(Method, Route)>,
}

impl Page {
    fn new(path: &'static str) -> Self {
        Self { path, routes: Vec::new() }
    }

    fn get<H, A>(mut self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.routes.push((Method::GET, web::get().to(handler.clone())));
        self.routes.push((Method::HEAD, web::head().to(handler)));
        self
    }

    /// For pages whose reads are recorded as events. Another site must not be able to make a browser cause such events.
    fn refuse_cross_site(mut self) -> Self {
        let guarded = |(method, route): (Method, Route)| (method, route.wrap(from_fn(same_origin::refuse_cross_site)));
        self.routes = self.routes.into_iter().map(guarded).collect();
        self
    }

    fn post<H, A>(mut self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.routes.push((Method::POST, web::post().to(handler).wrap(from_fn(same_origin::require_same_origin))));
        self
    }

    /// The allowed methods.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }
}

#[must_use]
pub fn route_table() -> Vec<Page> {
    vec![
        Page::new("/").get(home::show),
        Page::new(paths::SETUP).get(setup::show).post(setup::submit),
        Page::new(paths::SIGN_IN).get(sign_in::password::show).post(sign_in::password::submit),
        Page::new(paths::SIGN_IN_CODE).get(sign_in::code::show).post(sign_in::code::submit),
        Page::new(paths::SIGN_OUT).post(sign_in::password::sign_out),
        Page::new(paths::INVITATION).get(invitation::show).post(invitation::submit),
        Page::new(paths::ACCOUNT).get(account::handlers::show).post(account::preferences::save),
        Page::new(paths::OWN_PASSWORD).post(account::handlers::change_password),
        Page::new(paths::SECOND_FACTOR).get(account::second_factor::show).post(account::second_factor::submit),
        Page::new(paths::END_OTHER_SESSIONS).post(account::handlers::end_other_sessions),
        Page::new(paths::END_SESSION).post(account::handlers::end_session),
        Page::new(paths::API_KEYS).get(api_keys::list::handlers::show).post(api_keys::create::submit),
        Page::new(paths::ADD_API_KEY).get(api_keys::create::show),
        Page::new(paths::KEY_AUDIT_TRAIL).get(api_keys::activity::handlers::show),
        Page::new(paths::REVOKE_API_KEYS).get(api_keys::revoke_several::show).post(api_keys::revoke_several::submit),
        Page::new(paths::IDENTIFY_API_KEY).post(api_keys::identify::submit),
        Page::new(paths::EXPORT_API_KEYS).get(api_keys::list::export::csv).refuse_cross_site(),
        Page::new(paths::API_KEY).get(api_keys::show::handlers::show),
        Page::new(paths::EDIT_API_KEY).get(api_keys::edit::handlers::show).post(api_keys::edit::handlers::submit),
        Page::new(paths::ROTATE_API_KEY).get(api_keys::rotate::show).post(api_keys::rotate::submit),
        Page::new(paths::END_API_KEY).get(api_keys::end::show),
        Page::new(paths::KEY_OVERLAP).post(api_keys::show::handlers::change_overlap),
        Page::new(paths::KEY_USAGE).get(api_keys::usage::export::csv),
        Page::new(paths::FIRST_REQUEST).get(api_keys::usage::first_request::show),
        Page::new(paths::SERVICE_ACCOUNT).get(api_keys::service_account::handlers::show),
        Page::new(paths::REVOKE_API_KEY).get(api_keys::revoke::show).post(api_keys::revoke::submit),
        Page::new(paths::KEY_POLICY).get(key_policy::handlers::show).post(key_policy::handlers::submit),
        Page::new(paths::PRACTICE).get(practice::handlers::show),
        Page::new(paths::AUDIT_TRAIL).get(audit_trail::handlers::show),
        Page::new(paths::EXPORT_CSV).get(evidence::export::handlers::csv).refuse_cross_site(),
        Page::new(paths::EXPORT_JSON_LINES).get(evidence::export::handlers::json_lines).refuse_cross_site(),
        Page::new(paths::CHECKPOINT).get(evidence::checkpoint::download),
        Page::new(paths::CHECKPOINT_KEY).get(evidence::checkpoint::public_key),
        Page::new(paths::EVENT).get(audit_trail::handlers::show_event),
        Page::new(paths::EVIDENCE).get(evidence::handlers::show),
        Page::new(paths::GENERAL).get(general::show).post(general::submit),
        Page::new(paths::USERS).get(users::handlers::show).post(users::invite::submit),
        Page::new(paths::ADD_USER).get(users::invite::show),
        Page::new(paths::USER_ROLE).get(users::change_role::show).post(users::change_role::submit),
        Page::new(paths::DELETE_USER).get(users::delete::show).post(users::delete::submit),
        Page::new(paths::USER_INVITATION).get(users::invitation::show).post(users::invitation::submit),
        Page::new("/assets/{file}").get(assets::serve),
    ]
}
