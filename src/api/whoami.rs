//! `GET /v1/whoami`: whose key is this, and is it good.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::bearer::BearerKey;
use super::problem::Problem;
use crate::domain::instant::Instant;
use crate::verify::Verifier;

#[derive(Serialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct WhoAmI {
    key_id: String,
    service_account: Named,
    company: Named,
    /// When it stops working by itself, as far as is known now: RFC 3339, whole seconds.
    expires_at: Option<String>,
}

pub(super) async fn show(key: BearerKey, verifier: Data<Verifier>) -> Result<HttpResponse, Problem> {
    let key = verifier.verify(key.expose()).await?.ok_or(Problem::InvalidKey)?;
    Ok(HttpResponse::Ok().json(WhoAmI {
        key_id: key.id.to_string(),
        service_account: Named { id: key.service_account_id.to_string(), name: key.service_account },
        company: Named { id: key.company.id.to_string(), name: key.company.name },
        expires_at: key.ends.first().and_then(whole_seconds),
    }))
}

fn whole_seconds(instant: Instant) -> Option<String> {
    let seconds = instant.as_micros().div_euclid(1_000_000);
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_said_in_whole_seconds() {
        assert_eq!(whole_seconds(Instant::from_micros(1_795_424_399_999_999)).as_deref(), Some("2026-11-23T08:59:59Z"));
    }
}
