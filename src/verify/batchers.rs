//! The queues of one worker thread: of keys, and of keys with the gateway that asks.

use std::sync::Arc;

use super::batch::{Batcher, Replies};
use crate::domain::key::digest::PresentedDigests;
use crate::store::{FoundIntrospection, IntrospectionRequest, KeyForVerification, StoreError, ThreadReader};

pub(super) type FoundKey = Option<Arc<KeyForVerification>>;

#[derive(Default)]
pub(super) struct Batchers {
    pub(super) keys: Batcher<PresentedDigests, FoundKey>,
    pub(super) introspections: Batcher<IntrospectionRequest, FoundIntrospection>,
    pub(super) probes: Batcher<(), ()>,
}

/// The replies of one batch.
pub(super) enum BatchReplies {
    Keys(Replies<FoundKey>),
    Introspections(Replies<FoundIntrospection>),
    Probes(Replies<()>),
}

impl Batchers {
    /// Answers all pending requests; `on_replies` gets the replies of each batch as soon as it is read.
    pub(super) fn run(&self, reader: &mut ThreadReader, mut on_replies: impl FnMut(BatchReplies)) {
        self.keys.run(|digests| reader.keys(digests), |replies| on_replies(BatchReplies::Keys(replies)));
        let read = |requests: &[IntrospectionRequest]| reader.introspections(requests);
        self.introspections.run(read, |replies| on_replies(BatchReplies::Introspections(replies)));
        let read = |probes: &[()]| reader.probe().map(|()| probes.to_vec());
        self.probes.run(read, |replies| on_replies(BatchReplies::Probes(replies)));
    }

    /// Fails all pending requests, because no reader is left.
    pub(super) fn fail_all(&self) {
        let stopped = || StoreError::unavailable("the database reader has stopped");
        self.keys.run(|_| Err(stopped()), Replies::deliver);
        self.introspections.run(|_| Err(stopped()), Replies::deliver);
        self.probes.run(|_| Err(stopped()), Replies::deliver);
    }
}

impl BatchReplies {
    pub(super) fn deliver(self) {
        match self {
            Self::Keys(replies) => replies.deliver(),
            Self::Introspections(replies) => replies.deliver(),
            Self::Probes(replies) => replies.deliver(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;
    use crate::domain::key::digest::{DigestPair, KeyDigest};
    use crate::domain::token::TokenDigest;

    #[test]
    fn pending_requests_fail_if_no_reader_is_left() {
        let batchers = Batchers::default();
        let [of_key, of_sha256] = [7, 8].map(|byte| KeyDigest::from_stored(&[byte; 32]).unwrap());
        let mut key = pin!(batchers.keys.submit(DigestPair { of_key, of_sha256 }.into(), || {}));
        let request = IntrospectionRequest { credential: TokenDigest::of("keydesk"), key: None };
        let mut introspection = pin!(batchers.introspections.submit(request, || {}));
        assert!((&mut key).now_or_never().is_none() && (&mut introspection).now_or_never().is_none());
        batchers.fail_all();
        assert!(matches!(key.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
        assert!(matches!(introspection.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
    }
}
