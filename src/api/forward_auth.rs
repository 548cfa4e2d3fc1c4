//! `/v1/forward-auth`: a proxy sends the head of its client's request and learns whether to forward it. Responds with 200,
//! 401 or 503 only.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::authenticate::KeyAuthenticator;
use super::bearer::BearerKey;
use super::problem::Problem;
use super::schema::KeyRefused;

const COMPANY: HeaderName = HeaderName::from_static("x-keydesk-company");
const COMPANY_NAME: HeaderName = HeaderName::from_static("x-keydesk-company-name");
const SERVICE_ACCOUNT: HeaderName = HeaderName::from_static("x-keydesk-service-account");
const SERVICE_ACCOUNT_NAME: HeaderName = HeaderName::from_static("x-keydesk-service-account-name");
const KEY_ID: HeaderName = HeaderName::from_static("x-keydesk-key-id");

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const ENCODED_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Decide whether a proxy forwards a request.
///
/// Every method and every path below this one behaves the same; the body is not read.
#[utoipa::path(
    method(get, put, post, delete, options, head, patch, trace),
    path = "/v1/forward-auth",
    operation_id = "forward_auth",
    tag = "Keys",
    security(("api_key" = [])),
    responses(
        (
            status = 200,
            description = "The key is active; no body",
            headers(
                ("X-Keydesk-Company" = String, description = "The id of the company"),
                ("X-Keydesk-Company-Name" = String, description = "The name of the company, percent-encoded UTF-8"),
                ("X-Keydesk-Service-Account" = String, description = "The id of the service account"),
                ("X-Keydesk-Service-Account-Name" = String, description = "The name of the service account, percent-encoded UTF-8"),
                ("X-Keydesk-Key-Id" = String, description = "The id of the key")
            )
        ),
        KeyRefused
    )
)]
pub(super) async fn any(
    request: HttpRequest,
    key: BearerKey,
    authenticator: Data<KeyAuthenticator>,
) -> Result<HttpResponse, Problem> {
    let key = authenticator.verify(&request, key.expose()).await?;
    let encoded = |name: &str| utf8_percent_encode(name, ENCODED_IN_NAMES).to_string();
    let headers = [
        (COMPANY, key.company.id.to_string()),
        (COMPANY_NAME, encoded(&key.company.name)),
        (SERVICE_ACCOUNT, key.service_account_id.to_string()),
        (SERVICE_ACCOUNT_NAME, encoded(&key.service_account)),
        (KEY_ID, key.id.to_string()),
    ];
    let mut response = HttpResponse::Ok();
    for (name, value) in headers {
        let value = HeaderValue::try_from(value).map_err(|error| Problem::Unavailable(error.to_string()))?;
        response.insert_header((name, value));
    }
    Ok(response.finish())
}
