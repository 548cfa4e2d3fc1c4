//! Questions that wait together and are answered by one read. A read takes whoever waits when it begins; whoever comes
//! later waits for the next one and never joins it, so that every answer rests on a read that began after its question.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::StoreError;

/// One read is for so many at most, so that the first of very many do not wait for the last.
const MOST_AT_ONCE: usize = 512;

/// Where questions wait for whoever reads.
#[derive(Debug)]
pub struct Lane<Q, A> {
    waiting: Mutex<Vec<Waiter<Q, A>>>,
}

#[derive(Debug)]
struct Waiter<Q, A> {
    question: Q,
    answer: Asker<A>,
}

type Asker<A> = oneshot::Sender<Result<A, StoreError>>;

/// Answers on their way to those who wait for them.
#[derive(Debug)]
pub struct Answers<A>(Vec<(Asker<A>, Result<A, StoreError>)>);

impl<Q, A> Default for Lane<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default() }
    }
}

impl<Q, A> Lane<Q, A> {
    /// The answer to a question. `call` has to see to it that somebody [answers](Lane::answer) after it was called; it is not
    /// called where somebody waits already.
    ///
    /// # Errors
    /// [`StoreError`]: what the read failed with, or that nobody reads any more.
    pub async fn ask(&self, question: Q, call: impl FnOnce()) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.join(Waiter { question, answer }) {
            call();
        }
        answered.await.map_err(|_| StoreError::Unavailable("nobody reads the database any more".to_owned()))?
    }

    /// Whether nobody waited before.
    fn join(&self, waiter: Waiter<Q, A>) -> bool {
        let mut waiting = self.waiting();
        let is_first = waiting.is_empty();
        if waiting.len() == waiting.capacity() {
            // Where nobody has answered for long, those who have gone away would fill the memory.
            waiting.retain(|waiter| !waiter.answer.is_closed());
            // Nobody has to look again before as many have come as are left.
            let left = waiting.len();
            waiting.reserve(left);
        }
        waiting.push(waiter);
        is_first
    }

    /// Answers all who wait now. Each `read` begins now, is given the questions of at most [`MOST_AT_ONCE`] of them and answers
    /// these in their order; `pass_on` gets its answers before the next begins. Where nobody waits, nothing is read.
    pub fn answer(
        &self,
        mut read: impl FnMut(&[Q]) -> Result<Vec<A>, StoreError>,
        mut pass_on: impl FnMut(Answers<A>),
    ) {
        let mut waiting = std::mem::take(&mut *self.waiting());
        while !waiting.is_empty() {
            let next = waiting.drain(..waiting.len().min(MOST_AT_ONCE));
            // Whoever has gone away needs no answer.
            let next = next.filter(|waiter| !waiter.answer.is_closed());
            let (questions, askers): (Vec<_>, Vec<_>) = next.map(|waiter| (waiter.question, waiter.answer)).unzip();
            if questions.is_empty() {
                continue;
            }
            let answers = catch_unwind(AssertUnwindSafe(|| read(&questions)))
                .unwrap_or_else(|_| Err(StoreError::Unexpected("a look-up panicked".to_owned())));
            pass_on(Answers(match answers {
                Ok(answers) => askers.into_iter().zip(answers.into_iter().map(Ok)).collect(),
                Err(error) => askers.into_iter().map(|asker| (asker, Err(error.clone()))).collect(),
            }));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiter<Q, A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Answers<A> {
    /// Hands them out.
    pub fn hand_out(self) {
        for (waiter, answer) in self.0 {
            // It may have gone away meanwhile.
            let _ = waiter.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    type Asked<'a> = Pin<Box<dyn Future<Output = Result<(u32, u32), StoreError>> + 'a>>;

    /// A lane, how often somebody was called, and how many reads there were.
    #[derive(Default)]
    struct Reads {
        lane: Lane<u32, (u32, u32)>,
        called: Cell<u32>,
        read: Cell<u32>,
    }

    impl Reads {
        /// Whoever asks waits from now on.
        fn ask(&self, question: u32) -> Asked<'_> {
            let mut asked: Asked = Box::pin(self.lane.ask(question, || self.called.set(self.called.get() + 1)));
            assert!((&mut asked).now_or_never().is_none());
            asked
        }

        /// Answers with the number of the read, and the question.
        fn answer(&self, mut meanwhile: impl FnMut(&[u32])) {
            let read = |questions: &[u32]| {
                self.read.set(self.read.get() + 1);
                meanwhile(questions);
                Ok(questions.iter().map(|question| (self.read.get(), *question)).collect())
            };
            self.lane.answer(read, Answers::hand_out);
        }
    }

    fn answered(asked: Asked) -> Option<(u32, u32)> {
        asked.now_or_never().map(Result::unwrap)
    }

    #[test]
    fn whoever_asks_while_a_read_is_under_way_is_answered_by_the_next_one() {
        let reads = Reads::default();
        let (first, second) = (reads.ask(1), reads.ask(2));
        let mut late = Vec::new();
        reads.answer(|questions| {
            late.extend([reads.ask(3), reads.ask(4)]);
            assert_eq!(questions, [1, 2]);
        });
        assert_eq!(reads.called.get(), 2, "nobody was called for those who came late");
        assert_eq!((answered(first), answered(second)), (Some((1, 1)), Some((1, 2))));
        let late: Vec<Asked> = late
            .into_iter()
            .map(|mut asked| {
                assert!((&mut asked).now_or_never().is_none(), "it joined the read that was under way");
                asked
            })
            .collect();
        reads.answer(|questions| assert_eq!(questions, [3, 4]));
        let late: Vec<_> = late.into_iter().map(answered).collect();
        assert_eq!(late, [Some((2, 3)), Some((2, 4))]);
    }

    #[test]
    fn somebody_is_called_for_the_first_who_waits_and_for_nobody_else() {
        let reads = Reads::default();
        let waiting = [reads.ask(1), reads.ask(2), reads.ask(3)];
        assert_eq!(reads.called.get(), 1);
        reads.answer(|_| {});
        assert!(waiting.into_iter().all(|asked| answered(asked).is_some()));
        reads.answer(|_| {});
        assert_eq!(reads.read.get(), 1, "something was read for nobody");
        let _waits = reads.ask(4);
        assert_eq!(reads.called.get(), 2);
    }

    #[test]
    fn whoever_goes_away_takes_nobody_along() {
        let reads = Reads::default();
        let (gone_early, gone, stays) = (reads.ask(1), reads.ask(2), reads.ask(3));
        drop(gone_early);
        let mut gone = Some(gone);
        reads.answer(|questions| {
            drop(gone.take());
            assert_eq!(questions, [2, 3]);
        });
        assert_eq!(answered(stays), Some((1, 3)));
        drop(reads.ask(4));
        reads.answer(|_| {});
        assert_eq!(reads.read.get(), 1, "something was read for who had gone away");
    }

    #[test]
    fn very_many_are_answered_by_several_reads_and_the_first_before_the_last() {
        let reads = Reads::default();
        let mut asked: Vec<_> = (0..1_100).map(|question| reads.ask(question)).collect();
        let mut first = Some(asked.remove(0));
        let mut sizes = Vec::new();
        reads.answer(|questions| {
            sizes.push(questions.len());
            if sizes.len() == 2 {
                assert_eq!(first.take().and_then(answered), Some((1, 0)), "it waits for the second read, too");
            }
        });
        assert_eq!(sizes, [512, 512, 76]);
        assert!(asked.into_iter().all(|asked| answered(asked).is_some()));
    }

    #[test]
    fn those_who_have_gone_away_are_not_kept_until_somebody_answers() {
        let reads = Reads::default();
        let stays = reads.ask(0);
        for question in 1..10_000 {
            drop(reads.ask(question));
        }
        assert!(reads.lane.waiting().len() < 10);
        reads.answer(|_| {});
        assert_eq!(answered(stays), Some((1, 0)));
    }

    #[test]
    fn a_read_that_fails_or_panics_fails_those_who_wait_for_it_and_nobody_else() {
        let lane = Lane::<u32, u32>::default();
        let outcome = |read: fn(&[u32]) -> Result<Vec<u32>, StoreError>| {
            let mut asked = [1, 2].map(|question| Box::pin(lane.ask(question, || {})));
            assert!(asked.iter_mut().all(|asked| asked.now_or_never().is_none()));
            lane.answer(read, Answers::hand_out);
            asked.map(|asked| asked.now_or_never().unwrap())
        };
        assert!(matches!(outcome(|_| Err(StoreError::Exists)), [Err(StoreError::Exists), Err(StoreError::Exists)]));
        let panicked = outcome(|_| panic!("a defect"));
        assert!(matches!(panicked, [Err(StoreError::Unexpected(_)), Err(StoreError::Unexpected(_))]));
        assert!(matches!(outcome(|questions| Ok(questions.to_vec())), [Ok(1), Ok(2)]));
    }
}
