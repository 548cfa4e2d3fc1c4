//! A key that a request presents: verified, its refusal logged under the request's id, and answered alike whatever was wrong.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::log_limit::LogLimit;
use super::problem::Problem;
use crate::domain::ids::KeyId;
use crate::domain::usage::Presenter;
use crate::edge::caller;
use crate::edge::request_id::RequestId;
use crate::store::VerifiableKey;
use crate::verify::{Refused, Verifier};

/// Verifies what was presented, and says in the log why it is refused.
pub(super) struct Desk {
    verifier: Verifier,
    log_limit: LogLimit,
}

impl Desk {
    pub(super) fn new(verifier: Verifier) -> Self {
        Self { verifier, log_limit: LogLimit::new() }
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The key, where it is good now and its holder presented it in this request.
    pub(super) async fn verify(&self, request: &HttpRequest, presented: &str) -> Result<Arc<VerifiableKey>, Problem> {
        let user_agent = request.headers().get(header::USER_AGENT);
        let client = user_agent.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let by = Presenter { address: caller::address_of(request), client };
        self.verify_for(request, presented, by).await.map_err(Into::into)
    }

    /// The same for whoever presented it elsewhere.
    pub(super) async fn verify_for(
        &self,
        request: &HttpRequest,
        presented: &str,
        by: Presenter<'_>,
    ) -> Result<Arc<VerifiableKey>, Refused> {
        let answer = self.verifier.verify(presented, by, || RequestId::of(request)).await;
        match &answer {
            Err(refused @ (Refused::Revoked(key) | Refused::Expired(key))) => self.log(request, refused, Some(key.id)),
            Err(refused @ (Refused::Malformed | Refused::Unknown)) => self.log(request, refused, None),
            // Whoever describes the problem logs that one, and it says nothing of the key.
            Ok(_) | Err(Refused::Unavailable(_)) => {}
        }
        answer
    }

    fn log(&self, request: &HttpRequest, refused: &Refused, key: Option<KeyId>) {
        self.log_limit.write(|left_out| {
            let (request, key) = (RequestId::of(request), key.map(tracing::field::display));
            tracing::info!(%request, reason = %refused, key, left_out, "a key was refused");
        });
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed | Refused::Unknown | Refused::Revoked(_) | Refused::Expired(_) => Self::InvalidKey,
            // Whatever went wrong with the database: nobody knows now whether the key is good.
            Refused::Unavailable(error) => Self::Unavailable(error.to_string()),
        }
    }
}
