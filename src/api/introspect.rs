//! `POST /v1/introspect`: a gateway verifies a key that a client presented to it (RFC 7662).

use std::borrow::Cow;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};

use super::authenticate::KeyAuthenticator;
use super::gateway_credential::GatewayCredential;
use super::problem::Problem;
use super::schema::{self, FormRefused, IntrospectionForm, KeyRefused, TokenForm};
use crate::config::PublicUrl;
use crate::domain::timestamp::Timestamp;
use crate::http::body::FormBody;
use crate::verify::VerifyError;

/// An active key (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct ActiveToken {
    #[schema(schema_with = schema::constant::<true>)]
    active: bool,
    iss: String,
    sub: String,
    client_id: String,
    key_id: String,
    company_id: String,
    /// The name of the service account.
    service_account: String,
    /// Seconds since 1970 (RFC 7519 section 2).
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    token_type: &'static str,
}

/// Any other token; the response does not say why (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
pub(super) struct InactiveToken {
    #[schema(schema_with = schema::constant::<false>)]
    active: bool,
}

/// The result of an introspection.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Introspection {
    Active(ActiveToken),
    Inactive(InactiveToken),
}

impl utoipa::PartialSchema for Introspection {
    /// `anyOf`, although only one can match: clients that openapi-generator makes do not compare constants.
    fn schema() -> RefOr<Schema> {
        let either = AnyOfBuilder::new().description(Some("The result of an introspection."));
        let item = |name: Cow<'static, str>| Ref::from_schema_name(name);
        either.item(item(ActiveToken::name())).item(item(InactiveToken::name())).into()
    }
}

impl ToSchema for Introspection {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([component::<ActiveToken>(), component::<InactiveToken>()]);
    }
}

fn component<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

/// Verify a key that was presented to a gateway.
///
/// The gateway authenticates with its credential as a bearer token, or as an OAuth 2.0 client with its name and its
/// credential: by HTTP Basic, or in the fields `client_id` and `client_secret`.
#[utoipa::path(
    post,
    path = "/v1/introspect",
    operation_id = "introspect",
    tag = "Keys",
    security(("gateway" = []), ("gateway_client" = [])),
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state of the key", body = Introspection),
        FormRefused,
        KeyRefused
    )
)]
pub(super) async fn post(
    request: HttpRequest,
    body: FormBody,
    authenticator: Data<KeyAuthenticator>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    // The body may take half a minute: what it arrived with is looked up afterwards.
    let fields = body.fields().await?;
    let credential = GatewayCredential::of(&request, &fields)?;
    let token = TokenForm::token(&fields)?;
    match authenticator.introspect(&request, &credential, token).await? {
        Ok(key) => {
            let service_account_id = key.service_account_id.to_string();
            Ok(HttpResponse::Ok().json(Introspection::Active(ActiveToken {
                active: true,
                iss: public_url.as_str().to_owned(),
                sub: service_account_id.clone(),
                client_id: service_account_id,
                key_id: key.id.to_string(),
                company_id: key.company.id.to_string(),
                service_account: key.service_account.clone(),
                iat: key.created_at.as_seconds(),
                exp: key.ends.first().map(Timestamp::as_seconds),
                token_type: "api_key",
            })))
        }
        Err(VerifyError::Unavailable(error)) => Err(Problem::unavailable(error)),
        Err(_) => Ok(HttpResponse::Ok().json(Introspection::Inactive(InactiveToken { active: false }))),
    }
}
