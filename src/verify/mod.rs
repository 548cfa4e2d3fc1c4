//! Verifies API keys: every answer comes from a read that started after the request arrived. Read-only.

mod arrival_tracker;
mod background_reader;
mod batch;
mod batchers;
mod error;
mod lookup;
mod metrics;
mod renewal_queue;
mod usage_counter;
mod verifier;
mod yield_policy;

pub use batch::{Batcher, Replies};
pub use error::VerifyError;
pub use metrics::Metrics;
pub use renewal_queue::RenewalQueue;
pub use usage_counter::{UsageCounter, UsageDeltas};
pub use verifier::{PresentedToGateway, Verifier, VerifierContext};
