//! Reads on the thread that draws the page, where handing a question to another thread takes longer than answering it.

use std::cell::RefCell;

use crate::store::{AnswersComeFrom, OwnReader, Snapshot, Store, StoreError};

/// What one thread that serves may read for itself.
pub struct AtHand(Option<RefCell<OwnReader>>);

impl AtHand {
    /// For the thread that calls this.
    pub(super) fn new(store: &Store) -> Self {
        Self(match store.own_reader() {
            (reader, AnswersComeFrom::ThisProcess) => Some(RefCell::new(reader)),
            (_, AnswersComeFrom::Elsewhere) => None,
        })
    }

    /// The answer to one question. Where there is none, a thread is asked that may wait, and finds out why.
    pub(super) fn ask<T>(&self, question: impl Fn(&mut Snapshot<'_>) -> Result<T, StoreError>) -> Option<T> {
        self.0.as_ref()?.borrow_mut().ask(question).ok()
    }

    /// The same for several questions, asked of one and the same state of the database.
    pub(super) fn read<T>(&self, questions: impl Fn(&mut Snapshot<'_>) -> Result<T, StoreError>) -> Option<T> {
        self.0.as_ref()?.borrow_mut().read(questions).ok()
    }
}
