//! Closes idle and stalled connections, and the longest idle ones when there are too many. actix-web limits the time for
//! the first request's head and for keep-alive, but not for a later head that trickles in, for what follows an unread
//! body, or for a client that stops reading.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as ActixStream;

use super::log_limit::HourlyWarning;
use super::send_progress::SendProgress;

/// The idle time after which a connection without an active request is closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(32);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The socket of actix-web, and the handle of [`Connection`].
pub(super) const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// This part of the connections is closed at once, so that a flood does not sort them for each new one.
const SHED_PART: usize = 8;

/// The open connections of a server.
#[derive(Clone, Debug)]
pub struct Connections {
    open: Arc<Mutex<Vec<Weak<Connection>>>>,
    /// Idle connections are closed when this many are open.
    max_open: usize,
}

/// A connection, as its requests see it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// `None` while a handler works on a request.
    idle_since: Mutex<Option<Instant>>,
    /// Whether the connection closes after the current response.
    is_closing: AtomicBool,
    is_closed: AtomicBool,
    send_state: Mutex<SendState>,
}

/// The state of a streamed response. Chunks hold the acknowledged bytes at the last poll, if one happened since the
/// chunk was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendState {
    Idle,
    Chunk(Option<u64>),
    LastChunk(Option<u64>),
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            idle_since: Mutex::new(Some(Instant::now())),
            is_closing: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            send_state: Mutex::new(SendState::Idle),
        }
    }

    /// A request has arrived.
    pub(super) fn on_request(&self) {
        *lock(&self.idle_since) = None;
        *lock(&self.send_state) = SendState::Idle;
    }

    /// The next chunk of a streamed response is queued: the client has taken all earlier chunks but the last.
    pub(super) fn on_chunk(&self) {
        *lock(&self.send_state) = SendState::Chunk(None);
        self.touch();
    }

    /// A streamed response has no further chunks.
    pub(super) fn on_last_chunk(&self) {
        *lock(&self.send_state) = SendState::LastChunk(None);
        self.touch();
    }

    /// The handler has returned its response. `closes` says that the connection closes after it.
    pub(super) fn on_response(&self, closes: bool) {
        self.touch();
        self.is_closing.store(closes, Ordering::Relaxed);
    }

    fn touch(&self) {
        *lock(&self.idle_since) = Some(Instant::now());
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        // The client may have closed it meanwhile.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn is_idle(&self, idle_timeout: Duration) -> bool {
        let timeout = if self.is_closing.load(Ordering::Relaxed) { CLOSE_TIMEOUT } else { idle_timeout };
        lock(&self.idle_since).is_some_and(|since| since.elapsed() > timeout)
    }

    /// Restarts the idle time if the client still reads a streamed response. A slow client takes long to ask for the
    /// next chunk, but acknowledges bytes meanwhile. A client that has acknowledged everything waits for the server.
    fn check_progress(&self) {
        let mut state = lock(&self.send_state);
        let is_quiet = lock(&self.idle_since).is_some_and(|since| since.elapsed() > POLL_INTERVAL);
        if *state == SendState::Idle || !is_quiet {
            return;
        }
        let Some(progress) = SendProgress::of(&self.stream) else { return };
        let (next, earlier) = match *state {
            SendState::Idle => return,
            SendState::Chunk(earlier) => (SendState::Chunk(Some(progress.acknowledged_bytes)), earlier),
            SendState::LastChunk(earlier) if progress.is_drained => (SendState::Idle, earlier),
            SendState::LastChunk(earlier) => (SendState::LastChunk(Some(progress.acknowledged_bytes)), earlier),
        };
        *state = next;
        if progress.is_drained || earlier.is_some_and(|earlier| earlier != progress.acknowledged_bytes) {
            self.touch();
        }
    }
}

impl Connections {
    /// Starts the thread that closes idle connections; it runs until the last clone is dropped. The server accepts at
    /// most `limit` connections; before that, idle ones are closed.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start_watching(idle_timeout: Duration, limit: usize) -> std::io::Result<Self> {
        let connections = Self { open: Arc::default(), max_open: limit - limit / SHED_PART };
        let weak = Arc::downgrade(&connections.open);
        std::thread::Builder::new().name("connections".to_owned()).spawn(move || {
            while let Some(connections) = weak.upgrade() {
                close_idle(&mut lock(&connections), idle_timeout);
                drop(connections);
                std::thread::sleep(POLL_INTERVAL);
            }
        })?;
        Ok(connections)
    }

    /// Registers a new connection, and adds it to the connection data of its requests.
    pub fn add(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<ActixStream>() else { return };
        let Ok(handle) = stream.as_fd().try_clone_to_owned() else { return };
        let connection = Arc::new(Connection::new(handle.into()));
        let mut open = lock(&self.open);
        open.push(Arc::downgrade(&connection));
        if open.len() >= self.max_open {
            shed_idle(&mut open, self.max_open);
        }
        drop(open);
        data.insert(connection);
    }
}

fn close_idle(connections: &mut Vec<Weak<Connection>>, idle_timeout: Duration) {
    connections.retain(|connection| {
        let Some(connection) = connection.upgrade() else { return false };
        connection.check_progress();
        let is_idle = connection.is_idle(idle_timeout);
        if is_idle {
            connection.close();
        }
        !is_idle
    });
}

/// Closes the connections that have been idle longest, if too many are open. A new connection is idle until its first
/// request arrives.
fn shed_idle(connections: &mut Vec<Weak<Connection>>, max_open: usize) {
    connections.retain(|connection| connection.strong_count() > 0);
    if connections.len() < max_open {
        return;
    }
    let excess = connections.len() - max_open + max_open / SHED_PART + 1;
    let idle = connections.iter().filter_map(Weak::upgrade).filter_map(|connection| {
        let since = *lock(&connection.idle_since);
        since.map(|since| (since, connection))
    });
    let mut idle: Vec<_> = idle.collect();
    idle.sort_by_key(|(since, _)| *since);
    idle.truncate(excess);
    for (_, connection) in &idle {
        connection.close();
    }
    connections.retain(|connection| connection.upgrade().is_some_and(|connection| !connection.is_closed()));
    WARNING.write(|| tracing::warn!(max_open, "idle connections closed: too many are open for the limit of files"));
}

static WARNING: HourlyWarning = HourlyWarning::new();

/// Ignores poisoning: each change behind these locks is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    /// A connection and its client.
    fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Connection::new(listener.accept().unwrap().0), client)
    }

    /// Whether the connection is closed after twice the timeout without an event.
    fn would_close_after_silence(connection: &Connection) -> bool {
        *lock(&connection.idle_since) = Instant::now().checked_sub(TIMEOUT * 2);
        connection.check_progress();
        connection.is_idle(TIMEOUT)
    }

    #[test]
    fn a_client_that_has_read_everything_waits_for_the_next_chunk() {
        let (connection, _client) = connection();
        connection.on_chunk();
        assert!(!would_close_after_silence(&connection) && !would_close_after_silence(&connection));
        connection.on_last_chunk();
        assert!(!would_close_after_silence(&connection), "the last chunk has only just been delivered");
        assert!(would_close_after_silence(&connection), "no response is left");
    }

    #[test]
    fn the_connections_that_are_idle_longest_are_closed_first() {
        let connections: Vec<_> =
            (0..20).map(|_| connection()).map(|(open, client)| (Arc::new(open), client)).collect();
        let now = Instant::now();
        for (age, (connection, _)) in connections.iter().enumerate() {
            *lock(&connection.idle_since) = now.checked_sub(Duration::from_secs(age as u64));
        }
        connections[19].0.on_request();
        let mut open: Vec<_> = connections.iter().map(|(connection, _)| Arc::downgrade(connection)).collect();
        open.push(Weak::new());
        shed_idle(&mut open, 21);
        assert_eq!(open.len(), 20, "only the closed one is forgotten");
        shed_idle(&mut open, 16);
        let closed: Vec<usize> = (0..20).filter(|age| connections[*age].0.is_closed()).collect();
        assert_eq!(closed, [12, 13, 14, 15, 16, 17, 18], "a request is in progress on the oldest");
        assert_eq!(open.len(), 13);
        for (connection, client) in &connections {
            client.set_nonblocking(true).unwrap();
            assert_eq!(std::io::Read::read(&mut &*client, &mut [0]).is_ok(), connection.is_closed());
        }
    }

    #[test]
    fn a_client_that_stops_reading_is_closed() {
        let (connection, _client) = connection();
        connection.stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while (&connection.stream).write(&[0; 16_384]).is_ok() {}
        connection.on_chunk();
        assert!(would_close_after_silence(&connection) && would_close_after_silence(&connection));
        connection.on_last_chunk();
        assert!(would_close_after_silence(&connection) && would_close_after_silence(&connection));
    }
}
