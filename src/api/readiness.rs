//! Why a server is not ready: one function for each reason.

use std::time::Duration;

use actix_web::web::Data;
use tokio::time::timeout;

use super::authenticate::KeyAuthenticator;
use super::conditions;
use crate::actions::Actions;
use crate::http::Drain;
use crate::http::log_limit::LogLimit;
use crate::store::StoreError;

/// A look-up that takes longer is not an answer: a monitor gets its response within two seconds.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);

thread_local! {
    static FAILURES: LogLimit = LogLimit::new();
}

/// What readiness depends on, besides the look-ups of the worker thread.
#[derive(Debug)]
pub struct Readiness {
    pub actions: Data<Actions>,
    pub drain: Drain,
}

impl Readiness {
    /// Returns what is wrong, in sentences. None of them waits longer than [`PROBE_TIMEOUT`].
    pub(super) async fn reasons(&self, authenticator: &KeyAuthenticator, is_for_verification: bool) -> Vec<String> {
        let mut reasons = Vec::new();
        reasons.extend(self.stopping());
        reasons.extend(conditions::lost_lease(&self.actions.store));
        reasons.extend(self.trails());
        reasons.extend(conditions::lacking_secrets(self.actions.secrets.lacking().as_deref()));
        reasons.extend(verification(authenticator).await);
        if !is_for_verification {
            // The result of the last attempt, which a background task makes.
            reasons.extend(conditions::write_trouble(&self.actions.store));
        }
        reasons
    }

    /// Returns what the operator should correct although the server is ready.
    pub(super) fn warnings(&self) -> Vec<String> {
        let Actions { clock, store, .. } = &**self.actions;
        [conditions::clock_warning(clock), conditions::missing_lease(store)].into_iter().flatten().collect()
    }

    fn stopping(&self) -> Option<String> {
        self.drain.has_begun().then(|| "The server is about to stop.".to_owned())
    }

    fn trails(&self) -> Option<String> {
        let memory = &self.actions.memory;
        let unconfirmed = "The audit trails are yet to be compared with what this server remembers of them.";
        let lacking = conditions::shortened_trails(memory.summary());
        lacking.or_else(|| memory.is_unconfirmed().then(|| unconfirmed.to_owned()))
    }
}

/// Looks up a key as verification on this thread does.
async fn verification(authenticator: &KeyAuthenticator) -> Option<String> {
    let result = timeout(PROBE_TIMEOUT, authenticator.probe()).await;
    let error = result.unwrap_or_else(|_| Err(StoreError::timed_out())).err()?;
    FAILURES.with(|failures| failures.write(|suppressed| tracing::error!(%error, suppressed, "look-ups fail")));
    Some("Keys cannot be verified: the database does not answer, and the log says why.".to_owned())
}
