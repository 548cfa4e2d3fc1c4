//! The queue between the log and its reader. A full queue drops lines, so that a reader that hangs or has died delays
//! no request.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

/// The queue holds some thousand lines. As many bytes are with the writer at the same time.
const MAX_QUEUED_BYTES: usize = 1_024 * 1_024;
/// The pause after which a pipe that is full and does not block is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// Lines for the reader of the log. Clones share the queue.
#[derive(Clone, Debug)]
pub struct LogQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: usize,
    dropped: Counter,
}

#[derive(Debug, Default)]
struct State {
    queued: Vec<u8>,
    is_writing: bool,
    /// Dropped lines that no line of the log has reported yet.
    unreported: u64,
}

thread_local! {
    /// Marks the writer's thread. Its line about dropped lines is queued even if the queue is full again.
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

impl LogQueue {
    /// Starts the thread that writes queued lines with `write`, which may write a part and may block. After lines were
    /// dropped, it calls `report` with their number as soon as the reader takes lines again.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        write: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        Self::with_capacity(MAX_QUEUED_BYTES, write, report)
    }

    fn with_capacity(
        max_bytes: usize,
        mut write: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (state, changed, dropped) = (Mutex::default(), Condvar::new(), Counter::default());
        let shared = Arc::new(Shared { state, changed, max_bytes, dropped });
        let queue = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            IS_WRITER.set(true);
            let mut is_mid_line = false;
            loop {
                let (lines, unreported) = queue.take();
                match write_all(&lines, &mut is_mid_line, &mut write) {
                    Ok(()) if unreported > 0 => report(unreported),
                    Ok(()) => {}
                    Err(lost) => queue.count_lost(lost, unreported),
                }
            }
        })?;
        Ok(Self(shared))
    }

    /// Adds lines, which end with a line feed. Drops them if the queue is full.
    pub fn push(&self, lines: &[u8]) {
        let mut state = self.0.lock();
        if state.queued.len() + lines.len() > self.0.max_bytes && !IS_WRITER.get() {
            state.unreported += count_lines(lines);
            self.0.dropped.inc_by(count_lines(lines));
            return;
        }
        state.queued.extend_from_slice(lines);
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until all lines are written, at most for `timeout`.
    pub fn flush(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut state = self.0.lock();
        while !state.queued.is_empty() || state.is_writing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The number of dropped lines.
    pub fn dropped(&self) -> Counter {
        self.0.dropped.clone()
    }
}

impl Shared {
    /// Waits for lines, and returns them with the number of lines that were dropped after them.
    fn take(&self) -> (Vec<u8>, u64) {
        let mut state = self.lock();
        state.is_writing = false;
        self.changed.notify_all();
        while state.queued.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writing = true;
        (std::mem::take(&mut state.queued), std::mem::take(&mut state.unreported))
    }

    fn count_lost(&self, lost: u64, unreported: u64) {
        self.lock().unreported += lost + unreported;
        self.dropped.inc_by(lost);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes lines, waiting for a reader that is slow. Returns the number of lines that are lost if there is no reader.
fn write_all(
    lines: &[u8],
    is_mid_line: &mut bool,
    write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
) -> Result<(), u64> {
    let mut rest = lines;
    while !rest.is_empty() {
        // After a failure in the middle of a line, that line is ended first.
        let is_end = *is_mid_line && rest.len() == lines.len();
        match write(if is_end { b"\n" } else { rest }) {
            Ok(0) => return Err(count_lines(rest)),
            Ok(_) if is_end => *is_mid_line = false,
            Ok(written) => {
                let (done, left) = rest.split_at(written.min(rest.len()));
                *is_mid_line = !done.ends_with(b"\n");
                rest = left;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
            Err(_) => return Err(count_lines(rest)),
        }
    }
    Ok(())
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// What a test lets the reader do.
    enum Step {
        Take(usize),
        Fail(ErrorKind),
    }

    /// What the reader got.
    type Read = Arc<Mutex<Vec<u8>>>;

    /// A queue of this size whose reader follows the steps and then takes everything, and the reported numbers.
    fn queue(max_bytes: usize) -> (LogQueue, mpsc::Sender<Step>, Read, mpsc::Receiver<u64>) {
        let (to_reader, steps) = mpsc::channel();
        let (report, reported) = mpsc::channel();
        let read = Read::default();
        let reader = Arc::clone(&read);
        let write = move |lines: &[u8]| {
            let taken = match steps.recv() {
                Ok(Step::Fail(kind)) => return Err(kind.into()),
                Ok(Step::Take(bytes)) => bytes.min(lines.len()),
                Err(_) => lines.len(),
            };
            reader.lock().unwrap().extend_from_slice(&lines[..taken]);
            Ok(taken)
        };
        let queue = LogQueue::with_capacity(max_bytes, write, move |lines| report.send(lines).unwrap()).unwrap();
        (queue, to_reader, read, reported)
    }

    fn text(read: &Mutex<Vec<u8>>) -> String {
        String::from_utf8(read.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_full_queue_drops_lines_and_reports_them_when_the_reader_is_back() {
        let (queue, steps, read, reported) = queue(10);
        queue.push(b"first\n");
        while !queue.0.lock().is_writing {
            thread::yield_now();
        }
        for line in [&b"second\n"[..], b"third\n", b"4\n", b"fifth\n"] {
            queue.push(line);
        }
        assert_eq!(queue.dropped().get(), 2);
        queue.flush(Duration::from_millis(1));
        drop(steps);
        queue.flush(LONG);
        assert_eq!(text(&read), "first\nsecond\n4\n");
        assert_eq!(reported.recv_timeout(LONG), Ok(2));
    }

    #[test]
    fn lines_that_no_reader_takes_are_counted() {
        let (queue, steps, read, reported) = queue(100);
        steps.send(Step::Fail(ErrorKind::BrokenPipe)).unwrap();
        queue.push(b"one\ntwo\n");
        queue.flush(LONG);
        assert_eq!(queue.dropped().get(), 2);
        drop(steps);
        queue.push(b"three\n");
        assert_eq!(reported.recv_timeout(LONG), Ok(2));
        assert_eq!(text(&read), "three\n");
    }

    #[test]
    fn a_slow_reader_gets_everything() {
        let (queue, steps, read, _reported) = queue(100);
        for step in [
            Step::Take(2),
            Step::Fail(ErrorKind::Interrupted),
            Step::Fail(ErrorKind::WouldBlock),
            Step::Take(3),
            Step::Take(100),
        ] {
            steps.send(step).unwrap();
        }
        queue.push(b"one\ntwo\n");
        queue.flush(LONG);
        assert_eq!((text(&read), queue.dropped().get()), ("one\ntwo\n".to_owned(), 0));
    }

    #[test]
    fn a_line_that_broke_off_is_ended_before_the_next() {
        let (queue, steps, read, reported) = queue(100);
        steps.send(Step::Take(2)).unwrap();
        steps.send(Step::Fail(ErrorKind::StorageFull)).unwrap();
        queue.push(b"one\ntwo\n");
        queue.flush(LONG);
        drop(steps);
        queue.push(b"three\n");
        assert_eq!(reported.recv_timeout(LONG), Ok(2));
        assert_eq!(text(&read), "on\nthree\n");
    }
}
