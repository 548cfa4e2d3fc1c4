//! The outermost middleware: assigns request ids, adds the headers of every response, and logs pages.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::body::BodyRead;
use super::config::HttpConfig;
use super::connections::Connection;
use super::log_limit::LogLimit;
use super::request_id::RequestId;
use super::response_body;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const COMMON_HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For scanners and old browsers: the policy says the same.
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Handles every request.
///
/// # Errors
/// The error of an inner layer, as the complete response to it.
pub async fn middleware<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::new();
    let config = request.app_data::<web::Data<HttpConfig>>().cloned();
    let https = config.as_ref().is_some_and(|config| config.https);
    let has_body = request.headers().contains_key(header::TRANSFER_ENCODING)
        || request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let method = request.method().clone();
    let is_page = is_page(request.path());
    request.extensions_mut().insert(id);
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    if let Some(connection) = &connection {
        connection.on_request();
    }
    let on_response = |closes| {
        if let Some(connection) = &connection {
            connection.on_response(closes);
        }
    };
    let is_draining = || config.as_ref().is_some_and(|config| config.drain.has_begun());
    match next.call(request).await {
        Ok(mut response) => {
            let is_unread = has_body && !response.request().extensions().contains::<BodyRead>();
            let closes = is_unread || is_draining();
            add_headers(response.response_mut().head_mut().headers_mut(), id, https);
            if closes {
                close(response.response_mut());
            }
            on_response(closes);
            if is_page {
                let pattern = response.request().match_pattern();
                log(id, &method, pattern.as_deref().unwrap_or("unknown"), response.status(), started);
            }
            Ok(response.map_body(|_, body| response_body::watched(body, connection)))
        }
        Err(error) => {
            let mut response = error.error_response();
            add_headers(response.headers_mut(), id, https);
            let closes = has_body || is_draining();
            if closes {
                close(&mut response);
            }
            on_response(closes);
            log(id, &method, "refused", response.status(), started);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// Closes the connection after this response: the rest of an unread body could be parsed as the next request, and a
/// server that is about to stop expects none.
fn close<B>(response: &mut HttpResponse<B>) {
    response.head_mut().set_connection_type(ConnectionType::Close);
}

fn add_headers(headers: &mut HeaderMap, id: RequestId, https: bool) {
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    for (name, value) in COMMON_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if https {
        let one_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, one_year);
    }
}

/// Machine endpoints are not logged: a line for each request would cost a third of their throughput.
fn is_page(path: &str) -> bool {
    !(path.starts_with("/v1/") || path.starts_with("/assets/") || matches!(path, "/healthz" | "/readyz"))
}

thread_local! {
    /// Every client can request pages.
    static LINES: LogLimit = LogLimit::new();
}

/// Logs the pattern of the route, because a path or a query may hold secrets.
fn log(id: RequestId, method: &Method, pattern: &str, status: StatusCode, started: Instant) {
    let duration_ms = started.elapsed().as_millis();
    LINES.with(|lines| {
        lines.write(|suppressed| {
            let status = status.as_u16();
            tracing::info!(request = %id, %method, path = pattern, status, duration_ms, suppressed, "request completed");
        });
    });
}
