//! Looks up keys and gateways for one thread. Whoever asks waits for the next read, which is made right there, or on a thread
//! that may wait for the database; where it is made right there, whoever comes alone reads without waiting.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::lane::{Answers, Lane};
use crate::domain::key_digest::KeyDigest;
use crate::domain::token::TokenDigest;
use crate::store::{AnswersComeFrom, Gateway, OwnReader, Store, StoreError, VerifiableKey};

/// Nobody waits longer for an answer than this.
pub const LONGEST_WAIT: Duration = Duration::from_secs(2);

type FoundKey = Option<Arc<VerifiableKey>>;

/// Where one thread's questions are answered.
pub(super) struct LookUps {
    lanes: Arc<Lanes>,
    /// Calls whoever reads. That runs only after the thread has seen to all requests that are there, so that they join.
    calls: UnboundedSender<()>,
    reader: Reader,
}

/// Who reads.
enum Reader {
    /// The thread itself.
    Here(Rc<Here>),
    /// A thread that waits for the database, one read at a time.
    Elsewhere,
}

struct Here {
    reader: RefCell<OwnReader>,
    arrivals: Arrivals,
}

impl LookUps {
    /// For the thread that calls this.
    pub(super) fn new(store: &Store) -> Self {
        let lanes = Arc::<Lanes>::default();
        let (calls, called) = unbounded_channel();
        let reader = match store.own_reader() {
            (reader, AnswersComeFrom::ThisProcess) => {
                let here = Rc::new(Here { reader: RefCell::new(reader), arrivals: Arrivals::default() });
                spawn_local(answer_here(called, Arc::clone(&lanes), Rc::clone(&here)));
                Reader::Here(here)
            }
            (reader, AnswersComeFrom::Elsewhere) => {
                answer_elsewhere(called, &lanes, reader);
                Reader::Elsewhere
            }
        };
        Self { lanes, calls, reader }
    }

    /// The key with that fingerprint, by a read that begins after this was called.
    pub(super) async fn key(&self, digest: KeyDigest) -> Result<FoundKey, StoreError> {
        if let Reader::Here(here) = &self.reader
            && here.arrivals.comes_alone()
        {
            // So that those who come are counted anew.
            self.call();
            // Most read what is in memory, by one question to the system: who comes alone need not wait for company.
            return Ok(here.reader.borrow_mut().keys(&[digest])?.pop().flatten());
        }
        self.ask(&self.lanes.keys, digest).await
    }

    /// The gateway with that credential that may ask, by a read that begins after this was called.
    pub(super) async fn gateway(&self, credential: TokenDigest) -> Result<Option<Gateway>, StoreError> {
        self.ask(&self.lanes.gateways, credential).await
    }

    async fn ask<Q, A>(&self, lane: &Lane<Q, A>, question: Q) -> Result<A, StoreError> {
        let asked = lane.ask(question, || self.call());
        match self.reader {
            // It waits for nothing but a lock, and that for a tenth of a second.
            Reader::Here(_) => asked.await,
            Reader::Elsewhere => timeout(LONGEST_WAIT, asked).await.map_err(|_| StoreError::too_late())?,
        }
    }

    fn call(&self) {
        if self.calls.send(()).is_err() {
            self.lanes.refuse();
        }
    }
}

#[derive(Default)]
struct Lanes {
    keys: Lane<KeyDigest, FoundKey>,
    gateways: Lane<TokenDigest, Option<Gateway>>,
}

/// Answers to those who wait in one of the lanes.
enum LaneAnswers {
    Keys(Answers<FoundKey>),
    Gateways(Answers<Option<Gateway>>),
}

impl Lanes {
    /// Reads for all who wait now, lane by lane, and passes answers on as soon as they are there.
    fn answer(&self, reader: &mut OwnReader, mut pass_on: impl FnMut(LaneAnswers)) {
        self.keys.answer(|digests| reader.keys(digests), |answers| pass_on(LaneAnswers::Keys(answers)));
        let read = |credentials: &[TokenDigest]| reader.gateways(credentials);
        self.gateways.answer(read, |answers| pass_on(LaneAnswers::Gateways(answers)));
    }

    /// Refuses all who wait now, where nobody can read.
    fn refuse(&self) {
        let ended = || StoreError::Unavailable("whoever reads the database has ended".to_owned());
        self.keys.answer(|_| Err(ended()), Answers::hand_out);
        self.gateways.answer(|_| Err(ended()), Answers::hand_out);
    }
}

impl LaneAnswers {
    fn hand_out(self) {
        match self {
            Self::Keys(answers) => answers.hand_out(),
            Self::Gateways(answers) => answers.hand_out(),
        }
    }
}

/// Who comes together.
#[derive(Debug)]
struct Arrivals {
    /// How many have asked about keys since lanes were answered last.
    came: Cell<usize>,
    /// The time before, one came alone.
    came_alone: Cell<bool>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { came: Cell::new(0), came_alone: Cell::new(true) }
    }
}

impl Arrivals {
    /// Whether whoever comes now has no company, as it was the time before: where a read takes no longer than waiting for one,
    /// they read for themselves, at once. Those who come right after wait for the next read, and share it.
    fn comes_alone(&self) -> bool {
        let came = self.came.replace(self.came.get() + 1);
        came == 0 && self.came_alone.get()
    }

    /// Lanes are being answered.
    fn note_read(&self) {
        let came = self.came.replace(0);
        // Lanes are answered for gateways, too.
        if came > 0 {
            self.came_alone.set(came == 1);
        }
    }
}

async fn answer_here(mut called: UnboundedReceiver<()>, lanes: Arc<Lanes>, here: Rc<Here>) {
    let mut calls = Vec::new();
    while called.recv_many(&mut calls, usize::MAX).await > 0 {
        calls.clear();
        here.arrivals.note_read();
        lanes.answer(&mut here.reader.borrow_mut(), LaneAnswers::hand_out);
    }
}

/// Answers on a thread of its own. A read's answers are handed out where they were asked for, all at once: each alone would
/// wake that thread anew.
fn answer_elsewhere(mut called: UnboundedReceiver<()>, lanes: &Arc<Lanes>, mut reader: OwnReader) {
    let (to_reader, calls) = mpsc::channel::<()>();
    let (to_hand_out, mut answered) = unbounded_channel::<LaneAnswers>();
    let read_for = Arc::clone(lanes);
    let begun = thread::Builder::new().name("look-ups".to_owned()).spawn(move || {
        let mut courtesy = Courtesy::default();
        while calls.recv().is_ok() {
            courtesy.let_others_join();
            // One read is for all of them.
            calls.try_iter().for_each(drop);
            read_for.answer(&mut reader, |answers| {
                // Whoever hands them out ends with those who wait.
                let _ = to_hand_out.send(answers);
            });
        }
    });
    if let Err(error) = begun {
        tracing::error!(%error, "the machine has no thread left to look keys up");
    }
    let lanes = Arc::clone(lanes);
    spawn_local(async move {
        while called.recv().await.is_some() {
            if to_reader.send(()).is_err() {
                lanes.refuse();
            }
        }
    });
    spawn_local(async move {
        while let Some(answers) = answered.recv().await {
            answers.hand_out();
        }
    });
}

/// Lets the processor's other threads run before a read begins. On a busy machine the thread that serves is among them, and
/// what it has to ask would need a read of its own, the costliest thing that an answer takes; on one that is not busy it takes
/// hardly any time.
#[derive(Default)]
struct Courtesy {
    not_before: Option<Instant>,
}

impl Courtesy {
    /// Whoever keeps the processor for longer hardly asks about keys, and is waited for seldom.
    const LONG: Duration = Duration::from_millis(1);
    /// One part in so many of all time, at most, is spent on waiting for those.
    const ONE_PART_IN: u32 = 20;

    fn let_others_join(&mut self) {
        let now = Instant::now();
        if self.is_due(now) {
            thread::yield_now();
            self.note(now, now.elapsed());
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|not_before| now >= not_before)
    }

    fn note(&mut self, began: Instant, taken: Duration) {
        self.not_before = (taken > Self::LONG).then(|| began + Self::ONE_PART_IN * taken);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn whoever_comes_alone_need_not_wait_and_whoever_has_company_does() {
        let arrivals = Arrivals::default();
        let come = |together: usize| {
            let alone: Vec<_> = (0..together).map(|_| arrivals.comes_alone()).collect();
            arrivals.note_read();
            alone
        };
        assert_eq!([come(1), come(1)], [[true], [true]]);
        assert_eq!(come(3), [true, false, false]);
        assert!(come(0).is_empty(), "lanes were answered for gateways");
        assert_eq!(come(1), [false], "there was company the time before");
        assert_eq!(come(1), [true]);
    }

    #[test]
    fn where_nobody_can_read_whoever_waits_is_refused() {
        let lanes = Lanes::default();
        let mut key = pin!(lanes.keys.ask(KeyDigest::from_stored(&[7; 32]).unwrap(), || {}));
        let mut gateway = pin!(lanes.gateways.ask(TokenDigest::of("keydesk"), || {}));
        assert!((&mut key).now_or_never().is_none() && (&mut gateway).now_or_never().is_none());
        lanes.refuse();
        assert!(matches!(key.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
        assert!(matches!(gateway.now_or_never(), Some(Err(StoreError::Unavailable(_)))));
    }

    #[test]
    fn others_are_let_run_before_every_read_unless_they_keep_the_processor_for_long() {
        let (mut courtesy, began) = (Courtesy::default(), Instant::now());
        assert!(courtesy.is_due(began));
        courtesy.note(began, Duration::from_micros(300));
        assert!(courtesy.is_due(began));
        courtesy.note(began, Duration::from_millis(3));
        assert!(!courtesy.is_due(began + Duration::from_millis(59)));
        assert!(courtesy.is_due(began + Duration::from_millis(60)));
    }
}
