//! Counts and logs how sign-ins end.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::actions::{SignInError, SignedInUser};
use crate::domain::client::Client;
use crate::http::log_limit::LogLimit;

/// How a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcomeKind {
    SignedIn,
    /// The password is right; the code of the second factor follows.
    CodeRequired,
    Refused,
    /// Too many failures: the client waits.
    Throttled,
    /// Far too many failures: only known browsers may try.
    Blocked,
}

impl SignInOutcomeKind {
    const ALL: [Self; 5] = [Self::SignedIn, Self::CodeRequired, Self::Refused, Self::Throttled, Self::Blocked];

    const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::CodeRequired => "code_required",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Blocked => "blocked",
        }
    }
}

impl From<&SignInError> for SignInOutcomeKind {
    fn from(error: &SignInError) -> Self {
        match error {
            SignInError::Throttled(_) => Self::Throttled,
            SignInError::Blocked => Self::Blocked,
            SignInError::Refused | SignInError::Outdated | SignInError::Store(_) => Self::Refused,
        }
    }
}

/// The number of sign-ins by outcome.
#[derive(Clone, Debug)]
pub struct SignInOutcomes(Family<Label, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    outcome: &'static str,
}

impl Default for SignInOutcomes {
    fn default() -> Self {
        let counters = Family::<Label, Counter>::default();
        for kind in SignInOutcomeKind::ALL {
            // Outcomes that did not happen yet are shown, too.
            drop(counters.get_or_create(&Label { outcome: kind.as_str() }));
        }
        Self(counters)
    }
}

thread_local! {
    /// Every client can fail to sign in.
    static LINES: LogLimit = LogLimit::new();
}

impl SignInOutcomes {
    /// Registers the metric.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("keydesk_sign_ins", "Attempts to sign in, by outcome", self.0.clone());
    }

    /// Counts and logs an outcome. The user is known after the right password only.
    pub fn record(&self, kind: SignInOutcomeKind, user: Option<SignedInUser>, client: &Client) {
        let outcome = kind.as_str();
        self.0.get_or_create(&Label { outcome }).inc();
        let user_id = user.map(|user| tracing::field::display(user.user_id));
        let company_id = user.map(|user| tracing::field::display(user.company_id));
        let client_address = client.address.map(tracing::field::display);
        let request = client.request_id.as_deref().map(tracing::field::display);
        LINES.with(|lines| {
            lines.write(|suppressed| {
                tracing::info!(request, outcome, client_address, user_id, company_id, suppressed, "sign-in");
            });
        });
    }
}
