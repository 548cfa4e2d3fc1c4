//! Looks up keys and gateways for one thread. Whoever asks waits for the next read, which is made right there, or on a thread
//! that may wait for the database; where it is made right there, whoever comes first reads without waiting.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use super::lane::Lane;
use crate::domain::key_digest::KeyDigest;
use crate::domain::token::TokenDigest;
use crate::store::{AnswersComeFrom, Gateway, OwnReader, Store, StoreError, VerifiableKey};

type Job = Box<dyn FnOnce(&mut OwnReader) + Send>;

type FoundKey = Option<Arc<VerifiableKey>>;

/// Where one thread's questions are answered.
pub(super) struct LookUps {
    reader: Reader,
    keys: Lane<KeyDigest, FoundKey>,
    gateways: Lane<TokenDigest, Option<Gateway>>,
}

impl LookUps {
    /// For the thread that calls this.
    pub(super) fn new(store: &Store) -> Self {
        let reader = Reader::new(store);
        let (for_keys, for_gateways) = (reader.clone(), reader.clone());
        Self {
            reader,
            keys: Lane::new(async move |digests: Vec<KeyDigest>| for_keys.read(move |own| own.keys(&digests)).await),
            gateways: Lane::new(async move |credentials: Vec<TokenDigest>| {
                for_gateways.read(move |own| own.gateways(&credentials)).await
            }),
        }
    }

    /// The key with that fingerprint, by a read that begins after this was called.
    pub(super) async fn key(&self, digest: KeyDigest) -> Result<FoundKey, StoreError> {
        match &self.reader {
            // Most read what is in memory, by one question to the system: who comes alone need not wait for company.
            Reader::Here(reader) if self.keys.comes_alone() => Ok(reader.borrow_mut().keys(&[digest])?.pop().flatten()),
            Reader::Here(_) | Reader::Elsewhere(_) => self.keys.ask(digest).await,
        }
    }

    /// The gateway with that credential that may ask, by a read that begins after this was called.
    pub(super) async fn gateway(&self, credential: TokenDigest) -> Result<Option<Gateway>, StoreError> {
        self.gateways.ask(credential).await
    }
}

/// A reader that the lanes of one thread share.
#[derive(Clone)]
enum Reader {
    Here(Rc<RefCell<OwnReader>>),
    /// A thread that waits for the database, one read at a time.
    Elsewhere(mpsc::Sender<Job>),
}

impl Reader {
    /// A reader for the thread that calls this.
    fn new(store: &Store) -> Self {
        let (mut reader, answers) = store.own_reader();
        match answers {
            AnswersComeFrom::ThisProcess => Self::Here(Rc::new(RefCell::new(reader))),
            AnswersComeFrom::Elsewhere => {
                let (jobs, line) = mpsc::channel::<Job>();
                let begun = std::thread::Builder::new().name("look-ups".to_owned()).spawn(move || {
                    while let Ok(job) = line.recv() {
                        // A look-up that panics takes neither this thread nor those after it along.
                        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut reader)));
                    }
                });
                if let Err(error) = begun {
                    tracing::error!(%error, "the machine has no thread left to look keys up");
                }
                Self::Elsewhere(jobs)
            }
        }
    }

    /// Reads; the read begins after this was called.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut OwnReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Self::Here(reader) => read(&mut reader.borrow_mut()),
            Self::Elsewhere(jobs) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |reader| {
                    // Nobody waits any more where the reads before this one took too long.
                    if !answer.is_closed() {
                        let _ = answer.send(read(reader));
                    }
                });
                let ended = || StoreError::Unavailable("the thread that reads the database has ended".to_owned());
                jobs.send(job).map_err(|_| ended())?;
                answered.await.map_err(|_| ended())?
            }
        }
    }
}
