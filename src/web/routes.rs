//! The route table: every page there is, the methods it takes, and what guards those that change or record something.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, Route, web};

use super::account::{own, second_factor};
use super::{
    assets, audit_trail, home, invitation, key_policy, keys, paths, same_origin, setup, sign_in, sign_in_code, users,
};

/// A page's path and the methods it takes: the route table is made of these.
pub struct Page {
    /// The path, with its parameters in braces.
    pub path: &'static str,
    pub(super) routes: Vec<(Method, Route)>,
}

impl Page {
    fn at(path: &'static str) -> Self {
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

    /// The page's reading is an event: another site must not be able to have browsers cause it.
    fn recorded(mut self) -> Self {
        let guarded = |(method, route): (Method, Route)| (method, route.wrap(from_fn(same_origin::guard_reading)));
        self.routes = self.routes.into_iter().map(guarded).collect();
        self
    }

    fn post<H, A>(mut self, handler: H) -> Self
    where
        H: Handler<A>,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        self.routes.push((Method::POST, web::post().to(handler).wrap(from_fn(same_origin::guard))));
        self
    }

    /// The methods that the page takes.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().map(|(method, _)| method)
    }
}

/// Every page there is.
#[must_use]
pub fn pages() -> Vec<Page> {
    vec![
        Page::at("/").get(home::show),
        Page::at(paths::SETUP).get(setup::show).post(setup::submit),
        Page::at(paths::SIGN_IN).get(sign_in::show).post(sign_in::submit),
        Page::at(paths::SIGN_IN_CODE).get(sign_in_code::show).post(sign_in_code::submit),
        Page::at(paths::SIGN_OUT).post(sign_in::sign_out),
        Page::at(paths::INVITATION).get(invitation::show).post(invitation::submit),
        Page::at(paths::ACCOUNT).get(own::show).post(own::save),
        Page::at(paths::OWN_PASSWORD).post(own::change_password),
        Page::at(paths::SECOND_FACTOR).get(second_factor::show).post(second_factor::submit),
        Page::at(paths::END_OTHER_SESSIONS).post(own::end_other_sessions),
        Page::at(paths::END_SESSION).post(own::end_session),
        Page::at(paths::API_KEYS).get(keys::listing::show).post(keys::create::submit),
        Page::at(paths::ADD_API_KEY).get(keys::create::show),
        Page::at(paths::KEY_AUDIT_TRAIL).get(keys::trail::show),
        Page::at(paths::REVOKE_API_KEYS).get(keys::revoke_several::show).post(keys::revoke_several::submit),
        Page::at(paths::IDENTIFY_API_KEY).post(keys::identify::submit),
        Page::at(paths::API_KEY).get(keys::one_key::show),
        Page::at(paths::EDIT_API_KEY).get(keys::edit::show).post(keys::edit::submit),
        Page::at(paths::ROTATE_API_KEY).get(keys::rotate::show).post(keys::rotate::submit),
        Page::at(paths::KEY_OVERLAP).post(keys::one_key::change_overlap),
        Page::at(paths::REVOKE_API_KEY).get(keys::revoke::show).post(keys::revoke::submit),
        Page::at(paths::KEY_POLICY).get(key_policy::show).post(key_policy::submit),
        Page::at(paths::AUDIT_TRAIL).get(audit_trail::listing::show),
        Page::at(paths::EXPORT_CSV).get(audit_trail::export::csv).recorded(),
        Page::at(paths::EXPORT_JSON_LINES).get(audit_trail::export::json_lines).recorded(),
        Page::at(paths::CHECKPOINT).get(audit_trail::checkpoint::download),
        Page::at(paths::CHECKPOINT_KEY).get(audit_trail::checkpoint::public_key),
        Page::at(paths::EVENT).get(audit_trail::listing::show_event),
        Page::at(paths::USERS).get(users::listing::show).post(users::invite::submit),
        Page::at(paths::ADD_USER).get(users::invite::show),
        Page::at(paths::USER_ROLE).get(users::change_role::show).post(users::change_role::submit),
        Page::at(paths::DELETE_USER).get(users::delete::show).post(users::delete::submit),
        Page::at(paths::USER_INVITATION).post(users::invite::renew),
        Page::at("/assets/{file}").get(assets::serve),
    ]
}
