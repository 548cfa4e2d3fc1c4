//! Looks up keys for one worker thread, some of them with the gateway that asks, in batches. On SQLite the worker thread
//! reads itself; on PostgreSQL a background thread waits for the database.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::arrival_tracker::ArrivalTracker;
use super::background_reader::BackgroundReader;
use super::batch::Batcher;
use super::batchers::{BatchReplies, Batchers, FoundKey};
use crate::domain::key::digest::PresentedDigests;
use crate::store::{FoundIntrospection, IntrospectionRequest, ReadLocation, Store, StoreError, ThreadReader};

/// The longest wait for a look-up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

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
        let mode = match store.read_location() {
            ReadLocation::InProcess => {
                let reader = RefCell::new(store.thread_reader());
                let inline = Rc::new(InlineLookup { reader, arrivals: ArrivalTracker::default() });
                spawn_local(run_inline(woken, Arc::clone(&batchers), Rc::clone(&inline)));
                ReadMode::Inline(inline)
            }
            ReadLocation::Remote => {
                spawn_local(run_in_background(woken, BackgroundReader::start(store, &batchers)));
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

    /// Reads what every answer needs, as look-ups do.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        self.submit(&self.batchers.probes, ()).await
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
            ReadMode::Background => timeout(LOOKUP_TIMEOUT, reply).await.unwrap_or_else(|_| {
                // The next read must not wait for one that hangs.
                self.wake();
                Err(StoreError::timed_out())
            }),
        }
    }

    fn wake(&self) {
        if self.wake.send(()).is_err() {
            self.batchers.fail_all();
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

async fn run_in_background(mut woken: UnboundedReceiver<()>, mut reader: BackgroundReader) {
    while woken.recv().await.is_some() {
        reader.wake();
    }
}
