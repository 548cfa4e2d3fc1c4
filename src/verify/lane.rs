//! Questions that wait together and are answered by one read. A read takes whoever waits when it begins; whoever comes
//! later waits for the next one and never joins it, so that every answer rests on a read that began after its question.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::store::StoreError;

/// Nobody waits longer for an answer than this.
pub const LONGEST_WAIT: Duration = Duration::from_secs(2);
const MOST_AT_ONCE: usize = 512;

/// Where questions of one thread wait.
#[derive(Debug)]
pub struct Lane<Q, A> {
    waiting: UnboundedSender<Option<Waiter<Q, A>>>,
    company: Rc<Company>,
}

/// Who else asks.
#[derive(Debug)]
struct Company {
    /// How many have come since the runner was here last.
    came: Cell<usize>,
    /// The time before, one came alone.
    came_alone: Cell<bool>,
}

#[derive(Debug)]
struct Waiter<Q, A> {
    question: Q,
    since: Instant,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

impl<Q: Clone + 'static, A: 'static> Lane<Q, A> {
    /// A lane whose questions `read` answers, in their order; it runs on the thread that makes it, until it is dropped.
    pub fn new(read: impl AsyncFnMut(Vec<Q>) -> Result<Vec<A>, StoreError> + 'static) -> Self {
        let (waiting, line) = unbounded_channel();
        let company = Rc::new(Company { came: Cell::new(0), came_alone: Cell::new(true) });
        tokio::task::spawn_local(run(line, Rc::clone(&company), read));
        Self { waiting, company }
    }

    /// Whether whoever comes now has no company, as it was the time before: where a read takes no longer than waiting for one,
    /// they read for themselves, at once. Those who come right after wait for the runner, and share its next read.
    pub fn comes_alone(&self) -> bool {
        let came = self.company.came.get();
        self.company.came.set(came + 1);
        let is_alone = came == 0 && self.company.came_alone.get();
        if is_alone {
            // So that the runner sees who came. One that has ended is noticed by whoever asks next.
            let _ = self.waiting.send(None);
        }
        is_alone
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// [`StoreError`]: what the read failed with, or that it took more than [`LONGEST_WAIT`].
    pub async fn ask(&self, question: Q) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        let nobody_reads = || StoreError::Unavailable("nobody reads the database any more".to_owned());
        self.waiting.send(Some(Waiter { question, since: Instant::now(), answer })).map_err(|_| nobody_reads())?;
        answered.await.map_err(|_| nobody_reads())?
    }
}

async fn run<Q: Clone, A>(
    mut line: UnboundedReceiver<Option<Waiter<Q, A>>>,
    company: Rc<Company>,
    mut read: impl AsyncFnMut(Vec<Q>) -> Result<Vec<A>, StoreError>,
) {
    let (mut came, mut batch) = (Vec::new(), Vec::new());
    while line.recv_many(&mut came, MOST_AT_ONCE).await > 0 {
        company.came_alone.set(company.came.replace(0) <= 1);
        // Whoever has gone away needs no answer.
        batch.extend(came.drain(..).flatten().filter(|waiter| !waiter.answer.is_closed()));
        let Some(first): Option<&Waiter<Q, A>> = batch.first() else { continue };
        let latest = first.since + LONGEST_WAIT;
        let questions = batch.iter().map(|waiter| waiter.question.clone()).collect();
        let reading = AssertUnwindSafe(timeout_at(latest, read(questions))).catch_unwind();
        let answers = match reading.await {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) => Err(StoreError::too_late()),
            Err(_) => Err(StoreError::Unexpected("a look-up panicked".to_owned())),
        };
        match answers {
            Ok(answers) => {
                for (waiter, answer) in batch.drain(..).zip(answers) {
                    // It may have gone away meanwhile.
                    let _ = waiter.answer.send(Ok(answer));
                }
            }
            Err(error) => {
                for waiter in batch.drain(..) {
                    let _ = waiter.answer.send(Err(error.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};

    use super::*;

    /// A read that answers once it is let, with the number of the read.
    #[derive(Clone, Default)]
    struct Reads {
        begun: Rc<RefCell<Vec<Vec<u32>>>>,
        let_through: Rc<Cell<usize>>,
    }

    impl Reads {
        fn lane(&self) -> Lane<u32, (usize, u32)> {
            let reads = self.clone();
            Lane::new(async move |questions: Vec<u32>| {
                let number = reads.begun.borrow().len();
                reads.begun.borrow_mut().push(questions.clone());
                while reads.let_through.get() <= number {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Ok(questions.into_iter().map(|question| (number, question)).collect())
            })
        }
    }

    fn ask(lane: &Rc<Lane<u32, (usize, u32)>>, question: u32) -> JoinHandle<(usize, u32)> {
        let lane = Rc::clone(lane);
        spawn_local(async move { lane.ask(question).await.unwrap() })
    }

    async fn settle() {
        for _ in 0..20 {
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_while_a_read_is_under_way_is_answered_by_the_next_one() {
        let test = async {
            let reads = Reads::default();
            let lane = Rc::new(reads.lane());
            let ask = |question| ask(&lane, question);
            let (first, second) = (ask(1), ask(2));
            settle().await;
            let after = [ask(3), ask(4)];
            settle().await;
            assert_eq!(*reads.begun.borrow(), [vec![1, 2]], "the late ones joined, or began a second read");
            reads.let_through.set(1);
            assert_eq!((first.await.unwrap(), second.await.unwrap()), ((0, 1), (0, 2)));
            settle().await;
            assert!(after.iter().all(|asked| !asked.is_finished()));
            reads.let_through.set(2);
            let [third, fourth] = after;
            assert_eq!((third.await.unwrap(), fourth.await.unwrap()), ((1, 3), (1, 4)));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_away_takes_nobody_along() {
        let test = async {
            let reads = Reads::default();
            let lane = Rc::new(reads.lane());
            let ask = |question| ask(&lane, question);
            let (gone, stays) = (ask(1), ask(2));
            settle().await;
            let (gone_early, next) = (ask(3), ask(4));
            settle().await;
            gone.abort();
            gone_early.abort();
            settle().await;
            reads.let_through.set(2);
            assert_eq!((stays.await.unwrap(), next.await.unwrap()), ((0, 2), (1, 4)));
            assert_eq!(*reads.begun.borrow(), [vec![1, 2], vec![4]]);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_takes_too_long_is_given_up_and_the_next_one_is_made() {
        let test = async {
            let reads = Reads::default();
            let lane = Rc::new(reads.lane());
            let began = Instant::now();
            let waiting = {
                let lane = Rc::clone(&lane);
                spawn_local(async move { (lane.ask(2).await.is_err(), Instant::now()) })
            };
            assert!(matches!(lane.ask(1).await, Err(StoreError::Unavailable(_))));
            assert_eq!(began.elapsed().as_millis() / 10, LONGEST_WAIT.as_millis() / 10);
            let (refused, at) = waiting.await.unwrap();
            assert!(refused && at - began < LONGEST_WAIT + Duration::from_millis(10));
            reads.let_through.set(9);
            assert_eq!(lane.ask(3).await.unwrap().1, 3);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_alone_need_not_wait_and_whoever_has_company_does() {
        let test = async {
            let reads = Reads::default();
            reads.let_through.set(9);
            let lane = Rc::new(reads.lane());
            let come = |question| {
                let lane = Rc::clone(&lane);
                spawn_local(
                    async move { if lane.comes_alone() { None } else { Some(lane.ask(question).await.unwrap()) } },
                )
            };
            for _ in 0..3 {
                assert_eq!(come(0).await.unwrap(), None);
                settle().await;
            }
            let company = [come(1), come(2), come(3)];
            settle().await;
            let [first, second, third] = company;
            assert_eq!(first.await.unwrap(), None);
            assert_eq!((second.await.unwrap(), third.await.unwrap()), (Some((0, 2)), Some((0, 3))));
            assert_eq!(come(4).await.unwrap(), Some((1, 4)), "there was company the time before");
            assert_eq!(come(5).await.unwrap(), None);
            assert_eq!(*reads.begun.borrow(), [vec![2, 3], vec![4]], "who came alone was read for, too");
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_read_that_fails_or_panics_fails_those_who_wait_for_it_and_nobody_else() {
        let test = async {
            let lane = Lane::new(async move |questions: Vec<u32>| match questions[0] {
                0 => Err(StoreError::Exists),
                1 => panic!("a defect"),
                _ => Ok(questions),
            });
            assert!(matches!(lane.ask(0).await, Err(StoreError::Exists)));
            assert!(matches!(lane.ask(1).await, Err(StoreError::Unexpected(_))));
            assert_eq!(lane.ask(2).await.unwrap(), 2);
        };
        LocalSet::new().run_until(test).await;
    }
}
