//! Runs the look-ups of one worker thread on a thread that waits for the database. A read that hangs loses its thread:
//! the server may be frozen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

use super::batchers::{BatchReplies, Batchers};
use super::yield_policy::YieldPolicy;
use crate::store::Store;

/// A read that takes longer is given up, with its thread and its connection.
/// Requests wait slightly longer.
const STALLED_AFTER: Duration = Duration::from_millis(1_950);

/// The current thread, and how to start another one.
pub(super) struct BackgroundReader {
    store: Store,
    batchers: Arc<Batchers>,
    to_worker: UnboundedSender<BatchReplies>,
    thread: ReaderThread,
}

struct ReaderThread {
    wake: mpsc::Sender<()>,
    /// Grows when a run starts and when it ends, so it is odd during a run.
    progress: Arc<AtomicU64>,
    /// The run that was seen last, by its progress, and when it was seen first.
    seen: (u64, Instant),
}

impl BackgroundReader {
    /// Starts the thread. The replies of a batch return to the worker thread in one message: a message for each reply
    /// would wake the worker as often.
    pub(super) fn start(store: &Store, batchers: &Arc<Batchers>) -> Self {
        let (to_worker, replied) = unbounded_channel::<BatchReplies>();
        spawn_local(deliver(replied));
        let thread = ReaderThread::spawn(store, batchers, &to_worker);
        Self { store: store.clone(), batchers: Arc::clone(batchers), to_worker, thread }
    }

    /// Makes the thread read what is pending, or another one if it hangs.
    pub(super) fn wake(&mut self) {
        let thread = &mut self.thread;
        if thread.is_stalled() {
            tracing::warn!("a look-up hangs; reading on another connection");
            *thread = ReaderThread::spawn(&self.store, &self.batchers, &self.to_worker);
        }
        if thread.wake.send(()).is_err() {
            self.batchers.fail_all();
        }
    }
}

impl ReaderThread {
    fn spawn(store: &Store, batchers: &Arc<Batchers>, to_worker: &UnboundedSender<BatchReplies>) -> Self {
        let mut reader = store.thread_reader();
        let (wake, wakes) = mpsc::channel::<()>();
        let progress = Arc::new(AtomicU64::new(0));
        let (batchers, to_worker, runs) = (Arc::clone(batchers), to_worker.clone(), Arc::clone(&progress));
        let spawned = thread::Builder::new().name("look-ups".to_owned()).spawn(move || {
            let mut yield_policy = YieldPolicy::default();
            while wakes.recv().is_ok() {
                runs.fetch_add(1, Ordering::Release);
                yield_policy.yield_to_peers();
                // One run answers all wake-ups so far.
                wakes.try_iter().for_each(drop);
                batchers.run(&mut reader, |replies| {
                    // If the worker has ended, so have its requests.
                    let _ = to_worker.send(replies);
                });
                runs.fetch_add(1, Ordering::Release);
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "look-up thread not started");
        }
        Self { wake, progress, seen: (0, Instant::now()) }
    }

    fn is_stalled(&mut self) -> bool {
        let progress = self.progress.load(Ordering::Acquire);
        // The run that goes on, or that the wake-up starts.
        let run = progress | 1;
        if progress.is_multiple_of(2) || run != self.seen.0 {
            self.seen = (run, Instant::now());
        }
        self.seen.1.elapsed() > STALLED_AFTER
    }
}

async fn deliver(mut replied: UnboundedReceiver<BatchReplies>) {
    while let Some(replies) = replied.recv().await {
        replies.deliver();
    }
}
