//! The outermost middleware: assigns request ids, adds the headers of every response, and logs pages.

use std::net::IpAddr;
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
use super::client_address;
use super::config::HttpConfig;
use super::connections::Connection;
use super::log_limit::LogLimit;
use super::request_counts::RouteClass;
use super::request_id::RequestId;
use super::request_user::RequestUser;
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
    let class = RouteClass::of(request.path());
    let is_page = class == RouteClass::Page;
    let client = is_page.then(|| client_address::address_of(request.request())).flatten();
    request.extensions_mut().insert(id);
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    if let Some(connection) = &connection {
        connection.on_request();
    }
    let on_response = |status, closes| {
        if let Some(config) = &config {
            config.request_counts.add(class, status);
        }
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
            on_response(response.status(), closes);
            if is_page {
                let pattern = response.request().match_pattern();
                let route = pattern.as_deref().unwrap_or("unknown");
                let user = RequestUser::of(response.request());
                log(&RequestLine { id, method: &method, route, status: response.status(), started, client, user });
            }
            let drain = config.map(|config| config.drain.clone());
            Ok(response.map_body(|_, body| response_body::watched(body, connection, drain)))
        }
        Err(error) => {
            let mut response = error.error_response();
            add_headers(response.headers_mut(), id, https);
            let closes = has_body || is_draining();
            if closes {
                close(&mut response);
            }
            on_response(response.status(), closes);
            let (status, route) = (response.status(), "refused");
            log(&RequestLine { id, method: &method, route, status, started, client, user: None });
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

thread_local! {
    /// Every client can request pages.
    static LINES: LogLimit = LogLimit::new();
}

/// The log line of a request.
struct RequestLine<'a> {
    id: RequestId,
    method: &'a Method,
    /// The pattern of the route, because a path or a query may hold secrets.
    route: &'a str,
    status: StatusCode,
    started: Instant,
    client: Option<IpAddr>,
    user: Option<RequestUser>,
}

/// Logs requests of pages. A line for each request of a machine endpoint would cost a third of their throughput.
fn log(line: &RequestLine<'_>) {
    let RequestLine { id: request, method, route, .. } = *line;
    let milliseconds = u64::try_from(line.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = line.status.as_u16();
    let client_address = line.client.map(tracing::field::display);
    let user_id = line.user.map(|user| tracing::field::display(user.user_id));
    let company_id = line.user.map(|user| tracing::field::display(user.company_id));
    LINES.with(|lines| {
        lines.write(|suppressed| {
            tracing::info!(
                %request, %method, route, status, milliseconds, client_address, user_id, company_id, suppressed,
                "request completed"
            );
        });
    });
}
