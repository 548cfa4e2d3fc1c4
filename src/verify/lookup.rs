//! Looks up keys for one worker thread, some of them with the gateway that asks, in batches. On SQLite the worker thread
//! reads itself; on PostgreSQL a background thread waits for the database.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::arrival_tracker::ArrivalTracker;
use super::batch::{Batcher, Replies};
use super::yield_policy::YieldPolicy;
use crate::domain::key::digest::PresentedDigests;
use crate::store::{
    FoundIntrospection, IntrospectionRequest, KeyForVerification, ReadLocation, Store, StoreError, ThreadReader,
};

/// The longest wait for a look-up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type FoundKey = Option<Arc<KeyForVerification>>;

/// Answers the look-ups of one worker thread.
pub(super) struct LookupService {
    batchers: Arc<Batchers>,
    /// Wakes the reader. Its task runs only after the thread has handled all requests that are ready, so that their
    /// look-ups share the batch.
    wake: UnboundedSender<()>,
    mode: ReadMode,
}

/// Where reads run.
enum ReadMode {
    /// On the worker thread.
    Inline(Rc<InlineLookup>),
    /// On a thread that waits for the database, one read at a time.
    Background,
}

struct InlineLookup {
    reader: RefCell<ThreadReader>,
    arrivals: ArrivalTracker,
}

impl LookupService {
    /// Creates the service of the current thread.
    pub(super) fn new(store: &Store) -> Self {
        let batchers = Arc::<Batchers>::default();
        let (wake, woken) = unbounded_channel();
        let mode = match store.thread_reader() {
            (reader, ReadLocation::InProcess) => {
                let inline =
                    Rc::new(InlineLookup { reader: RefCell::new(reader), arrivals: ArrivalTracker::default() });
                spawn_local(run_inline(woken, Arc::clone(&batchers), Rc::clone(&inline)));
                ReadMode::Inline(inline)
            }
            (reader, ReadLocation::Remote) => {
                run_in_background(woken, &batchers, reader);
                ReadMode::Background
            }
        };
        Self { batchers, wake, mode }
    }

    /// Returns the key with one of these digests, from a read that starts after this call.
    pub(super) async fn key(&self, digests: PresentedDigests) -> Result<FoundKey, StoreError> {
        if let ReadMode::Inline(inline) = &self.mode
            && inline.arrivals.is_uncontended()
        {
            // The batch that follows is empty and resets the arrival count.
            self.wake();
            // Most of these reads are answered from the cache, after one system call.
            return Ok(inline.reader.borrow_mut().keys(&[digests])?.pop().flatten());
        }
        self.submit(&self.batchers.keys, digests).await
    }

    /// Returns the active gateway and the key of an introspection, from one read that starts after this call.
    pub(super) async fn introspection(&self, request: IntrospectionRequest) -> Result<FoundIntrospection, StoreError> {
        self.submit(&self.batchers.introspections, request).await
    }

    async fn submit<Request, Reply>(
        &self,
        batcher: &Batcher<Request, Reply>,
        request: Request,
    ) -> Result<Reply, StoreError> {
        let reply = batcher.submit(request, || self.wake());
        match self.mode {
            // An inline read waits for nothing but SQLite's lock, at most a tenth of a second.
            ReadMode::Inline(_) => reply.await,
            ReadMode::Background => timeout(LOOKUP_TIMEOUT, reply).await.map_err(|_| StoreError::timed_out())?,
        }
    }

    fn wake(&self) {
        if self.wake.send(()).is_err() {
            self.batchers.fail_all();
        }
    }
}

#[derive(Default)]
struct Batchers {
    keys: Batcher<PresentedDigests, FoundKey>,
    introspections: Batcher<IntrospectionRequest, FoundIntrospection>,
}

/// The replies of one batch.
enum BatchReplies {
    Keys(Replies<FoundKey>),
    Introspections(Replies<FoundIntrospection>),
}

impl Batchers {
    /// Answers all pending requests; `on_replies` gets the replies of each batch as soon as it is read.
    fn run(&self, reader: &mut ThreadReader, mut on_replies: impl FnMut(BatchReplies)) {
        self.keys.run(|digests| reader.keys(digests), |replies| on_replies(BatchReplies::Keys(replies)));
        let read = |requests: &[IntrospectionRequest]| reader.introspections(requests);
        self.introspections.run(read, |replies| on_replies(BatchReplies::Introspections(replies)));
    }

    /// Fails all pending requests, because no reader is left.
    fn fail_all(&self) {
        let stopped = || StoreError::unavailable("the database reader has stopped");
        self.keys.run(|_| Err(stopped()), Replies::deliver);
        self.introspections.run(|_| Err(stopped()), Replies::deliver);
    }
}

impl BatchReplies {
    fn deliver(self) {
        match self {
            Self::Keys(replies) => replies.deliver(),
            Self::Introspections(replies) => replies.deliver(),
        }
    }
}

async fn run_inline(mut woken: UnboundedReceiver<()>, batchers: Arc<Batchers>, inline: Rc<InlineLookup>) {
    let mut wakes = Vec::new();
    while woken.recv_many(&mut wakes, usize::MAX).await > 0 {
        wakes.clear();
        inline.arrivals.on_batch();
        batchers.run(&mut inline.reader.borrow_mut(), BatchReplies::deliver);
    }
}

/// Starts the reader thread. The replies of a batch return to the worker thread in one message: a message for each
/// reply would wake the worker as often.
fn run_in_background(mut woken: UnboundedReceiver<()>, batchers: &Arc<Batchers>, mut reader: ThreadReader) {
    let (to_reader, wakes) = mpsc::channel::<()>();
    let (to_worker, mut replied) = unbounded_channel::<BatchReplies>();
    let shared = Arc::clone(batchers);
    let spawned = thread::Builder::new().name("look-ups".to_owned()).spawn(move || {
        let mut yield_policy = YieldPolicy::default();
        while wakes.recv().is_ok() {
            yield_policy.yield_to_peers();
            // One run answers all wake-ups so far.
            wakes.try_iter().for_each(drop);
            shared.run(&mut reader, |replies| {
                // If the worker has ended, so have its requests.
                let _ = to_worker.send(replies);
            });
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "look-up thread not started");
    }
    let batchers = Arc::clone(batchers);
    spawn_local(async move {
        while woken.recv().await.is_some() {
            if to_reader.send(()).is_err() {
                batchers.fail_all();
            }
        }
    });
    spawn_local(async move {
        while let Some(replies) = replied.recv().await {
            replies.deliver();
        }
    });
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;
    use crate::domain::key::digest::KeyDigest;
    use crate::domain::token::TokenDigest;

    #[test]
    fn pending_requests_fail_if_no_reader_is_left() {
        let batchers = Batchers::default();
        let [of_key, of_sha256] = [7, 8].map(|byte| KeyDigest::from_stored(&[byte; 32]).unwrap());
        let mut key = pin!(batchers.keys.submit(PresentedDigests { of_key, of_sha256 }, || {}));
        let request = IntrospectionRequest { credential: TokenDigest::of("keydesk"), key: None };
        let mut introspection = pin!(batchers.introspections.submit(request, || {}));
        assert!((&mut key).now_or_never().is_none() && (&mut introspection).now_or_never().is_none());
        batchers.fail_all();
        assert!(matches!(key.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
        assert!(matches!(introspection.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
    }
}
