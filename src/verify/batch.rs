//! Batches look-ups. A batch is closed when its read starts; later requests go into the next batch, so every answer
//! comes from a read that started after its request arrived.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::StoreError;

/// The most requests that one read answers: the first of a long queue do not wait for the last.
const MAX_BATCH: usize = 512;

/// A queue of requests that are answered together by one read.
#[derive(Debug)]
pub struct Batcher<Request, Reply> {
    pending: Mutex<Vec<PendingRequest<Request, Reply>>>,
}

#[derive(Debug)]
struct PendingRequest<Request, Reply> {
    request: Request,
    reply: ReplySender<Reply>,
}

type ReplySender<Reply> = oneshot::Sender<Result<Reply, StoreError>>;

/// The results of one read, each with the sender to the request that waits for it.
#[derive(Debug)]
pub struct Replies<Reply>(Vec<(ReplySender<Reply>, Result<Reply, StoreError>)>);

impl<Request, Reply> Default for Batcher<Request, Reply> {
    fn default() -> Self {
        Self { pending: Mutex::default() }
    }
}

impl<Request, Reply> Batcher<Request, Reply> {
    /// Queues a request and waits for its reply. `wake` must cause a later call of [`run`](Self::run); it is called for
    /// the first request of a batch only.
    ///
    /// # Errors
    /// The error of the read, or [`StoreError::Unavailable`] if no reader is left.
    pub async fn submit(&self, request: Request, wake: impl FnOnce()) -> Result<Reply, StoreError> {
        let (reply, replied) = oneshot::channel();
        if self.push(PendingRequest { request, reply }) {
            wake();
        }
        replied.await.map_err(|_| StoreError::unavailable("the database reader has stopped"))?
    }

    /// Returns whether the queue was empty.
    fn push(&self, request: PendingRequest<Request, Reply>) -> bool {
        let mut pending = self.pending();
        let is_first = pending.is_empty();
        if pending.len() == pending.capacity() {
            // Drop cancelled requests before growing, so that a stalled reader cannot exhaust the memory. Doubling the
            // capacity keeps the cost of this scan constant per request.
            pending.retain(|request| !request.reply.is_closed());
            let remaining = pending.len();
            pending.reserve(remaining);
        }
        pending.push(request);
        is_first
    }

    /// Answers all pending requests. Each `read` starts now, gets at most [`MAX_BATCH`] requests and returns their
    /// replies in the same order; `on_replies` gets them before the next read starts. Does nothing if no request is
    /// pending.
    pub fn run(
        &self,
        mut read: impl FnMut(&[Request]) -> Result<Vec<Reply>, StoreError>,
        mut on_replies: impl FnMut(Replies<Reply>),
    ) {
        let mut pending = std::mem::take(&mut *self.pending());
        while !pending.is_empty() {
            let batch = pending.drain(..pending.len().min(MAX_BATCH));
            // Skip cancelled requests.
            let batch = batch.filter(|pending| !pending.reply.is_closed());
            let (requests, senders): (Vec<_>, Vec<_>) = batch.map(|pending| (pending.request, pending.reply)).unzip();
            if requests.is_empty() {
                continue;
            }
            let replies = catch_unwind(AssertUnwindSafe(|| read(&requests)))
                .unwrap_or_else(|_| Err(StoreError::unexpected("a look-up panicked")));
            on_replies(Replies(match replies {
                Ok(replies) => senders.into_iter().zip(replies.into_iter().map(Ok)).collect(),
                Err(error) => senders.into_iter().map(|sender| (sender, Err(error.clone()))).collect(),
            }));
        }
    }

    fn pending(&self) -> MutexGuard<'_, Vec<PendingRequest<Request, Reply>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Reply> Replies<Reply> {
    /// Sends each reply to its request.
    pub fn deliver(self) {
        for (sender, reply) in self.0 {
            // The request may have been cancelled during the read.
            let _ = sender.send(reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    type Submitted<'a> = Pin<Box<dyn Future<Output = Result<(u32, u32), StoreError>> + 'a>>;

    /// A batcher that counts its wake-ups and reads.
    #[derive(Default)]
    struct Counted {
        batcher: Batcher<u32, (u32, u32)>,
        wakes: Cell<u32>,
        reads: Cell<u32>,
    }

    impl Counted {
        /// Submits a request, which is pending afterwards.
        fn submit(&self, request: u32) -> Submitted<'_> {
            let wake = || self.wakes.set(self.wakes.get() + 1);
            let mut submitted: Submitted = Box::pin(self.batcher.submit(request, wake));
            assert!((&mut submitted).now_or_never().is_none());
            submitted
        }

        /// Replies with the number of the read and the request.
        fn run(&self, mut during_read: impl FnMut(&[u32])) {
            let read = |requests: &[u32]| {
                self.reads.set(self.reads.get() + 1);
                during_read(requests);
                Ok(requests.iter().map(|request| (self.reads.get(), *request)).collect())
            };
            self.batcher.run(read, Replies::deliver);
        }
    }

    fn reply(submitted: Submitted) -> Option<(u32, u32)> {
        submitted.now_or_never().map(Result::unwrap)
    }

    #[test]
    fn a_request_during_a_read_is_answered_by_the_next_read() {
        let counted = Counted::default();
        let (first, second) = (counted.submit(1), counted.submit(2));
        let mut late = Vec::new();
        counted.run(|requests| {
            late.extend([counted.submit(3), counted.submit(4)]);
            assert_eq!(requests, [1, 2]);
        });
        assert_eq!(counted.wakes.get(), 2, "the late requests caused no wake-up");
        assert_eq!((reply(first), reply(second)), (Some((1, 1)), Some((1, 2))));
        let late: Vec<Submitted> = late
            .into_iter()
            .map(|mut submitted| {
                assert!((&mut submitted).now_or_never().is_none(), "it joined the read in flight");
                submitted
            })
            .collect();
        counted.run(|requests| assert_eq!(requests, [3, 4]));
        let late: Vec<_> = late.into_iter().map(reply).collect();
        assert_eq!(late, [Some((2, 3)), Some((2, 4))]);
    }

    #[test]
    fn only_the_first_request_of_a_batch_wakes_the_reader() {
        let counted = Counted::default();
        let submitted = [counted.submit(1), counted.submit(2), counted.submit(3)];
        assert_eq!(counted.wakes.get(), 1);
        counted.run(|_| {});
        assert!(submitted.into_iter().all(|submitted| reply(submitted).is_some()));
        counted.run(|_| {});
        assert_eq!(counted.reads.get(), 1, "an empty batch was read");
        let _pending = counted.submit(4);
        assert_eq!(counted.wakes.get(), 2);
    }

    #[test]
    fn a_cancelled_request_does_not_affect_its_batch() {
        let counted = Counted::default();
        let (cancelled_before, cancelled, kept) = (counted.submit(1), counted.submit(2), counted.submit(3));
        drop(cancelled_before);
        let mut cancelled = Some(cancelled);
        counted.run(|requests| {
            drop(cancelled.take());
            assert_eq!(requests, [2, 3]);
        });
        assert_eq!(reply(kept), Some((1, 3)));
        drop(counted.submit(4));
        counted.run(|_| {});
        assert_eq!(counted.reads.get(), 1, "a batch of cancelled requests was read");
    }

    #[test]
    fn a_long_queue_is_split_and_early_batches_are_answered_first() {
        let counted = Counted::default();
        let mut submitted: Vec<_> = (0..1_100).map(|request| counted.submit(request)).collect();
        let mut first = Some(submitted.remove(0));
        let mut sizes = Vec::new();
        counted.run(|requests| {
            sizes.push(requests.len());
            if sizes.len() == 2 {
                assert_eq!(first.take().and_then(reply), Some((1, 0)), "it waits for the second read, too");
            }
        });
        assert_eq!(sizes, [512, 512, 76]);
        assert!(submitted.into_iter().all(|submitted| reply(submitted).is_some()));
    }

    #[test]
    fn cancelled_requests_do_not_pile_up_while_no_read_runs() {
        let counted = Counted::default();
        let kept = counted.submit(0);
        for request in 1..10_000 {
            drop(counted.submit(request));
        }
        assert!(counted.batcher.pending().len() < 10);
        counted.run(|_| {});
        assert_eq!(reply(kept), Some((1, 0)));
    }

    #[test]
    fn a_failed_or_panicked_read_fails_its_own_batch_only() {
        let batcher = Batcher::<u32, u32>::default();
        let outcome = |read: fn(&[u32]) -> Result<Vec<u32>, StoreError>| {
            let mut submitted = [1, 2].map(|request| Box::pin(batcher.submit(request, || {})));
            assert!(submitted.iter_mut().all(|submitted| submitted.now_or_never().is_none()));
            batcher.run(read, Replies::deliver);
            submitted.map(|submitted| submitted.now_or_never().unwrap())
        };
        assert!(matches!(outcome(|_| Err(StoreError::Exists)), [Err(StoreError::Exists), Err(StoreError::Exists)]));
        let panicked = outcome(|_| panic!("a defect"));
        assert!(matches!(panicked, [Err(StoreError::Unexpected(_)), Err(StoreError::Unexpected(_))]));
        assert!(matches!(outcome(|requests| Ok(requests.to_vec())), [Ok(1), Ok(2)]));
    }
}
