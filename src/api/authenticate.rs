//! Authenticates the key of a request, and logs refusals. The response does not say why a key is refused.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::gateway_credential::GatewayCredential;
use super::problem::Problem;
use crate::domain::ids::KeyId;
use crate::domain::key::usage::RequestSource;
use crate::http::client_address;
use crate::http::log_limit::LogLimit;
use crate::http::request_id::RequestId;
use crate::store::{Gateway, KeyForVerification, StoreError};
use crate::verify::{PresentedToGateway, Verifier, VerifierContext, VerifyError};

/// Verifies presented keys, and logs why one is refused.
pub(super) struct KeyAuthenticator {
    verifier: Verifier,
    log_limit: LogLimit,
}

impl KeyAuthenticator {
    /// Creates the authenticator of the current thread.
    pub(super) fn for_this_thread(context: &VerifierContext) -> Self {
        Self { verifier: Verifier::for_this_thread(context), log_limit: LogLimit::new() }
    }

    /// Checks that a valid key would be accepted now.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        self.verifier.probe().await
    }

    /// Returns the presented key if it is active; counts the use for the client that sent the request.
    pub(super) async fn verify(
        &self,
        request: &HttpRequest,
        presented: &str,
    ) -> Result<Arc<KeyForVerification>, Problem> {
        let user_agent = request.headers().get(header::USER_AGENT);
        let client = user_agent.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let source = RequestSource { address: client_address::address_of(request), client };
        let outcome = self.verifier.verify(presented, source, || RequestId::of(request)).await;
        self.log_refusal(request, &outcome);
        outcome.map_err(Into::into)
    }

    /// Returns the outcome for a key that a gateway presents.
    ///
    /// # Errors
    /// [`Problem`]: the gateway is unknown or revoked.
    pub(super) async fn introspect(
        &self,
        request: &HttpRequest,
        credential: &GatewayCredential,
        presented: &str,
    ) -> Result<Result<Arc<KeyForVerification>, VerifyError>, Problem> {
        let presented = PresentedToGateway {
            credential: credential.expose(),
            key: presented,
            address: client_address::address_of(request),
        };
        let is_caller = |gateway: &Gateway| credential.belongs_to(&gateway.name);
        let outcome = self.verifier.introspect(&presented, is_caller, || RequestId::of(request)).await;
        let outcome = outcome.ok_or_else(|| credential.refusal())?;
        self.log_refusal(request, &outcome);
        Ok(outcome)
    }

    fn log_refusal(&self, request: &HttpRequest, outcome: &Result<Arc<KeyForVerification>, VerifyError>) {
        match outcome {
            Err(error @ (VerifyError::Revoked(key) | VerifyError::Expired(key))) => {
                self.log(request, error, Some(key.id));
            }
            Err(error @ (VerifyError::Malformed | VerifyError::Unknown)) => self.log(request, error, None),
            // `describe` logs an unavailable database.
            Ok(_) | Err(VerifyError::Unavailable(_)) => {}
        }
    }

    fn log(&self, request: &HttpRequest, reason: &VerifyError, key_id: Option<KeyId>) {
        self.log_limit.write(|suppressed| {
            let (request, key_id) = (RequestId::of(request), key_id.map(tracing::field::display));
            tracing::info!(%request, %reason, key_id, suppressed, "key refused");
        });
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Malformed | VerifyError::Unknown | VerifyError::Revoked(_) | VerifyError::Expired(_) => {
                Self::InvalidKey
            }
            // Any store error, a defect too, leaves the state of the key unknown.
            VerifyError::Unavailable(error) => Self::unavailable(error),
        }
    }
}
