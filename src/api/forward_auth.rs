//! `/v1/forward-auth`: a proxy asks with its client's own request whether to let it through. Headers answer: 200, 401 or
//! 503, and nothing else.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bearer::BearerKey;
use super::openapi::KeyRefused;
use super::presented::Desk;
use super::problem::Problem;

const COMPANY: HeaderName = HeaderName::from_static("x-keydesk-company");
const COMPANY_NAME: HeaderName = HeaderName::from_static("x-keydesk-company-name");
const SERVICE_ACCOUNT: HeaderName = HeaderName::from_static("x-keydesk-service-account");
const SERVICE_ACCOUNT_NAME: HeaderName = HeaderName::from_static("x-keydesk-service-account-name");
const KEY_ID: HeaderName = HeaderName::from_static("x-keydesk-key-id");

/// What RFC 3986 section 2.3 leaves as it is.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Should a proxy let this request through?
///
/// Every method and every path below this one is answered alike; no body is read.
#[utoipa::path(
    method(get, put, post, delete, options, head, patch, trace),
    path = "/v1/forward-auth",
    operation_id = "forward_auth",
    tag = "Keys",
    security(("api_key" = [])),
    responses(
        (
            status = 200,
            description = "The key is good; no body",
            headers(
                ("X-Keydesk-Company" = String, description = "The id of its company"),
                ("X-Keydesk-Company-Name" = String, description = "The name of that, percent-encoded UTF-8"),
                ("X-Keydesk-Service-Account" = String, description = "The id of its service account"),
                ("X-Keydesk-Service-Account-Name" = String, description = "The name of that, percent-encoded UTF-8"),
                ("X-Keydesk-Key-Id" = String, description = "The id of the key")
            )
        ),
        KeyRefused
    )
)]
pub(super) async fn answer(request: HttpRequest, key: BearerKey, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let key = desk.verify(&request, key.expose()).await?;
    let encoded = |name: &str| utf8_percent_encode(name, NAME).to_string();
    let said = [
        (COMPANY, key.company.id.to_string()),
        (COMPANY_NAME, encoded(&key.company.name)),
        (SERVICE_ACCOUNT, key.service_account_id.to_string()),
        (SERVICE_ACCOUNT_NAME, encoded(&key.service_account)),
        (KEY_ID, key.id.to_string()),
    ];
    let mut answer = HttpResponse::Ok();
    for (name, value) in said {
        let value = HeaderValue::try_from(value).map_err(|error| Problem::Unavailable(error.to_string()))?;
        answer.insert_header((name, value));
    }
    Ok(answer.finish())
}
