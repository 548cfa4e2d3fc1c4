//! What handlers ask of a request besides who sent it: its query, and the zone it wants times in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::error::PageError;
use super::guards::SignedIn;
use super::time::Zone;
use crate::edge::body::Fields;

/// The parameters behind the question mark.
#[derive(Debug)]
pub struct Query(pub Fields);

impl FromRequest for Query {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Fields::decode(request.query_string().as_bytes()).map(Self).map_err(PageError::from))
    }
}

impl FromRequest for Zone {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(SignedIn::find(request).map(|signed_in| {
            let chosen = signed_in.and_then(|signed_in| signed_in.time_zone).and_then(|name| Self::named(&name));
            let cookie = request.cookie("tz");
            chosen.unwrap_or_else(|| Self::from_cookie(cookie.as_ref().map(actix_web::cookie::Cookie::value)))
        }))
    }
}
