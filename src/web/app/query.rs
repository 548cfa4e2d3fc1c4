//! Extracts the parameters of the query string.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::error::PageError;
use crate::http::body::Fields;

#[derive(Debug)]
pub struct Query(pub Fields);

impl FromRequest for Query {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Fields::decode(request.query_string().as_bytes()).map(Self).map_err(PageError::from))
    }
}
