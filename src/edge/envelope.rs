//! The outermost layer: gives a request its id and an answer its headers, and logs pages, one line each.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::body::WasRead;
use super::connections::Connection;
use super::request_id::RequestId;
use super::{Edge, sending};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Wraps every request and answer.
///
/// # Errors
/// The answer to a request that an inner layer refused, as an error that carries it.
pub async fn wrap<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let id = RequestId::new();
    let https = request.app_data::<web::Data<Edge>>().is_some_and(|edge| edge.https);
    let has_body = request.headers().contains_key(header::TRANSFER_ENCODING)
        || request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let method = request.method().clone();
    let is_page = is_page(request.path());
    request.extensions_mut().insert(id);
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    if let Some(connection) = &connection {
        connection.begin();
    }
    let done = |is_last| {
        if let Some(connection) = &connection {
            connection.finish(is_last);
        }
    };
    match next.call(request).await {
        Ok(mut response) => {
            let unread = has_body && !response.request().extensions().contains::<WasRead>();
            finish(response.response_mut().head_mut().headers_mut(), id, https);
            if unread {
                close(response.response_mut());
            }
            done(unread);
            if is_page {
                let pattern = response.request().match_pattern();
                log(id, &method, pattern.as_deref().unwrap_or("unknown"), response.status(), began);
            }
            Ok(response.map_body(|_, body| sending::watched(body, connection)))
        }
        Err(error) => {
            let mut response = error.error_response();
            finish(response.headers_mut(), id, https);
            if has_body {
                close(&mut response);
            }
            done(has_body);
            log(id, &method, "refused", response.status(), began);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// What is left of an unread body could be read as the next request.
fn close<B>(response: &mut HttpResponse<B>) {
    response.head_mut().set_connection_type(ConnectionType::Close);
}

fn finish(headers: &mut HeaderMap, id: RequestId, https: bool) {
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if https {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
}

/// Machines ask thousands of times a second, and a line for each would cost a third of that.
fn is_page(path: &str) -> bool {
    !(path.starts_with("/v1/") || path.starts_with("/assets/") || matches!(path, "/healthz" | "/readyz"))
}

/// The route's pattern, not the path: whatever stands in a path or a query stays out of the log.
fn log(id: RequestId, method: &Method, pattern: &str, status: StatusCode, began: Instant) {
    let milliseconds = began.elapsed().as_millis();
    tracing::info!(request = %id, %method, path = pattern, status = status.as_u16(), milliseconds, "answered");
}
