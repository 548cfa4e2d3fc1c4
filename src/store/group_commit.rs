//! Commits on SQLite's one writer: actions that wait for it share a transaction and its fsync, each in a savepoint.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use r2d2::{Pool, PooledConnection};

use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::connector::{ConnectionManager, Connector};
use crate::store::db::WriteDb;
use crate::store::error::StoreError;
use crate::store::file_watch::FileWatch;
use crate::store::prepared::{Command, on_driver};
use crate::store::sqlite::wal_checkpointer::{AfterCommit, WalCheckpointer};

/// The limits of a group, whose first action waits for the last, and of the wait for a turn.
#[derive(Clone, Copy, Debug)]
struct Limits {
    actions: usize,
    time: Duration,
    /// How long an action waits for its turn and the connection.
    wait: Duration,
}

/// The queue of the actions that write. Clones share it.
///
/// The thread whose turn it is runs its action, and then passes the open transaction on to the next thread that waits.
/// If none waits, or the group is large or old enough, it commits for all. No action returns before that, not even with
/// a refusal: it may rest on what another action of the group wrote.
#[derive(Clone, Debug)]
pub(in crate::store) struct GroupCommit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    writers: Pool<ConnectionManager>,
    files: FileWatch,
    checkpointer: WalCheckpointer,
    limits: Limits,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whether a thread has the turn.
    is_taken: bool,
    waiting: VecDeque<Waiter>,
    next_number: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    thread: Sender<Turn>,
}

type Outcome = Result<(), StoreError>;

impl GroupCommit {
    /// Returns an empty queue for the only connection of `writers`. An action waits at most `wait` to write.
    pub(in crate::store) fn new(writers: Pool<ConnectionManager>, connector: &Connector, wait: Duration) -> Self {
        Self::with_limits(writers, connector, Limits { actions: 64, time: Duration::from_millis(8), wait })
    }

    fn with_limits(writers: Pool<ConnectionManager>, connector: &Connector, limits: Limits) -> Self {
        let (files, checkpointer) = (connector.files().clone(), WalCheckpointer::new(connector.clone()));
        Self(Arc::new(Inner { writers, files, checkpointer, limits, queue: Mutex::default() }))
    }

    /// Runs changes in a transaction that other actions may share. They are durable once this returns `Ok`.
    ///
    /// # Errors
    /// The error of `changes`, or [`StoreError::Unavailable`] if the transaction cannot begin or commit. Nothing is
    /// changed then.
    ///
    /// # Panics
    /// If `changes` panics, after its own changes were rolled back.
    pub(in crate::store) fn write<T, E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&mut WriteDb<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let deadline = Instant::now() + self.0.limits.wait;
        let mut turn = self.wait_for_turn()?;
        let transaction = turn.open_transaction(deadline)?;
        let result = transaction.run(changes);
        let committed = turn.finish();
        match result {
            Err(payload) => panic::resume_unwind(payload),
            Ok(result) => committed.map_err(E::from).and(result),
        }
    }

    fn wait_for_turn(&self) -> Result<Turn, StoreError> {
        let (thread, arriving) = mpsc::channel();
        let number = {
            let mut queue = self.lock();
            if !queue.is_taken {
                queue.is_taken = true;
                return Ok(Turn { transaction: None, place: Place(self.clone()) });
            }
            let number = queue.next_number;
            queue.next_number += 1;
            queue.waiting.push_back(Waiter { number, thread });
            number
        };
        arriving.recv_timeout(self.0.limits.wait).or_else(|_| {
            let mut queue = self.lock();
            let position = queue.waiting.iter().position(|waiter| waiter.number == number);
            if let Some(position) = position {
                queue.waiting.remove(position);
                return Err(StoreError::unavailable("timed out waiting for the connection that writes"));
            }
            drop(queue);
            // The turn was given to this thread at the last moment.
            arriving.recv().map_err(StoreError::unavailable)
        })
    }

    fn take_next(&self) -> Option<Waiter> {
        self.lock().waiting.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write, and the open transaction of the group. If the thread is lost with it, the group is rolled back.
struct Turn {
    /// Dropped before the turn is passed on.
    transaction: Option<Transaction>,
    place: Place,
}

/// The head of the queue. Dropping it gives the turn to the next thread that waits.
struct Place(GroupCommit);

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        let next = queue.waiting.pop_front();
        queue.is_taken = next.is_some();
        drop(queue);
        if let Some(next) = next {
            // A waiter that is no longer in the queue receives its turn. If it could not, dropping the turn passes it on.
            let _ = next.thread.send(Turn { transaction: None, place: Self(self.0.clone()) });
        }
    }
}

impl Turn {
    /// Returns the open transaction of the group, or begins one.
    fn open_transaction(&mut self, deadline: Instant) -> Result<&mut Transaction, StoreError> {
        if self.transaction.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut connection = self.place.0.0.writers.get_timeout(left).map_err(StoreError::unavailable)?;
            connection.begin(ConnectionPurpose::Write)?;
            self.transaction = Some(Transaction::begun(connection));
        }
        self.transaction.as_mut().ok_or_else(|| StoreError::unexpected("the transaction did not begin"))
    }

    /// Passes the transaction on to the next thread, or commits it. Returns once it is committed or rolled back.
    fn finish(mut self) -> Outcome {
        if self.transaction.as_ref().is_some_and(|transaction| transaction.can_grow(self.place.0.0.limits))
            && let Some(next) = self.place.0.take_next()
        {
            let (member, outcome) = mpsc::channel();
            if let Some(transaction) = &mut self.transaction {
                transaction.members.push(member);
            }
            // An error drops the turn, and with it the transaction.
            let _ = next.thread.send(self);
            return outcome.recv().unwrap_or_else(|_| Err(StoreError::unavailable("the transaction was lost")));
        }
        let Self { transaction, place } = self;
        let Some(transaction) = transaction else { return Ok(()) };
        let inner = Arc::clone(&place.0.0);
        let (outcome, members, mut connection) = transaction.end(&inner.files);
        let wake = || members.iter().for_each(|member| drop(member.send(outcome.clone())));
        if outcome.is_ok() && inner.checkpointer.after_commit(&mut connection) == AfterCommit::MoveRest {
            wake();
            WalCheckpointer::move_rest(&mut connection);
            drop((connection, place));
        } else {
            // The next group begins before the members of this one wake up.
            drop((connection, place));
            wake();
        }
        outcome
    }
}

/// The transaction of a group.
struct Transaction {
    connection: PooledConnection<ConnectionManager>,
    began: Instant,
    /// The threads whose actions ran, and that wait for the commit.
    members: Vec<Sender<Outcome>>,
    /// Whether an action succeeded.
    has_changes: bool,
    /// Why the transaction cannot be committed.
    failure: Option<StoreError>,
}

impl Transaction {
    fn begun(connection: PooledConnection<ConnectionManager>) -> Self {
        Self { connection, began: Instant::now(), members: Vec::new(), has_changes: false, failure: None }
    }

    /// Runs the changes of one action. If they fail or panic, they alone are rolled back.
    fn run<T, E: From<StoreError>>(
        &mut self,
        changes: impl FnOnce(&mut WriteDb<'_>) -> Result<T, E>,
    ) -> thread::Result<Result<T, E>> {
        if let Err(error) = self.execute(&["SAVEPOINT action"]) {
            return Ok(Err(self.fail(error).into()));
        }
        let result = panic::catch_unwind(AssertUnwindSafe(|| changes(&mut WriteDb::new(&mut self.connection))));
        let is_done = matches!(result, Ok(Ok(_)));
        let end: &[_] = if is_done { &["RELEASE action"] } else { &["ROLLBACK TO action", "RELEASE action"] };
        match self.execute(end) {
            Ok(()) => {
                self.has_changes |= is_done;
                result
            }
            // SQLite rolls the whole transaction back after some errors, such as a full disk.
            Err(error) => {
                let error = self.fail(error);
                result.map(|result| result.and(Err(error.into())))
            }
        }
    }

    fn execute(&mut self, commands: &[&'static str]) -> Result<(), StoreError> {
        for command in commands {
            on_driver!(self.connection, |driver| Command(command).execute(driver))?;
        }
        Ok(())
    }

    fn fail(&mut self, error: StoreError) -> StoreError {
        let error = unavailable(error);
        self.failure = Some(error.clone());
        error
    }

    fn can_grow(&self, limits: Limits) -> bool {
        let is_small = self.members.len() + 1 < limits.actions && self.began.elapsed() < limits.time;
        is_small && self.failure.is_none()
    }

    /// Commits, or rolls back if there is nothing to commit.
    fn end(mut self, files: &FileWatch) -> (Outcome, Vec<Sender<Outcome>>, PooledConnection<ConnectionManager>) {
        // Without another action, an error of the only one says more than this failure.
        let failure = self.failure.take().filter(|_| !self.members.is_empty());
        let outcome = match failure {
            Some(failure) => Err(failure),
            None if self.has_changes => commit(&mut self.connection, files).map_err(unavailable),
            None => {
                self.connection.roll_back();
                Ok(())
            }
        };
        if outcome.is_err() {
            self.connection.roll_back();
        }
        (outcome, self.members, self.connection)
    }
}

/// Commits the transaction. A commit into a deleted file would be acknowledged and lost.
pub(in crate::store) fn commit(connection: &mut AnyConnection, files: &FileWatch) -> Result<(), StoreError> {
    files.check()?;
    connection.commit()?;
    files.check()
}

fn unavailable(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::WentBack(_) => error,
        StoreError::Exists | StoreError::Unexpected(_) => StoreError::unavailable(error),
    }
}

#[cfg(test)]
mod tests;
