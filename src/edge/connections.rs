//! Cuts connections on which nothing happens. actix-web limits the time for the first request's head and for idling,
//! but not for a later head that dribbles in, for what follows an unread body, or for a client that does not read.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as ActixStream;

use super::unsent::Unsent;

/// Without a request under way, a connection is cut after so long.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(32);
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The connections that stand.
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<Mutex<Vec<Weak<Connection>>>>);

/// A connection, as its requests know it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    quiet_since: Mutex<Option<Instant>>,
    is_over: AtomicBool,
    /// How far a long answer is that is on its way.
    sending: Mutex<Sending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Nothing,
    /// A piece was handed over, and nobody has looked since.
    Piece,
    /// The client had yet to take so much of it at the last look.
    Unsent(u64),
    /// The last piece was handed over, and nobody has looked since, or the client had yet to take so much of the rest.
    Rest(Option<u64>),
}

impl Connection {
    /// A request has arrived.
    pub(super) fn begin(&self) {
        *lock(&self.quiet_since) = None;
        *lock(&self.sending) = Sending::Nothing;
    }

    /// The next piece of a long answer is on its way: the client has taken all but the last of what went before.
    pub(super) fn send(&self) {
        *lock(&self.sending) = Sending::Piece;
        *lock(&self.quiet_since) = Some(Instant::now());
    }

    /// A long answer has no further pieces.
    pub(super) fn end(&self) {
        *lock(&self.sending) = Sending::Rest(None);
        *lock(&self.quiet_since) = Some(Instant::now());
    }

    /// Its answer is made; `is_last` where the connection is to close behind it.
    pub(super) fn finish(&self, is_last: bool) {
        *lock(&self.quiet_since) = Some(Instant::now());
        self.is_over.store(is_last, Ordering::Relaxed);
    }

    fn is_too_quiet(&self, longest: Duration) -> bool {
        let longest = if self.is_over.load(Ordering::Relaxed) { BETWEEN_LOOKS * 5 } else { longest };
        lock(&self.quiet_since).is_some_and(|since| since.elapsed() > longest)
    }

    /// A client that reads slowly takes long for the next piece; what waits for it in the machine says that it reads. Where
    /// nothing waits for it, it has read all there is, and we are the slow ones.
    fn notice_reading(&self, unsent: &mut Option<Unsent>) {
        let mut sending = lock(&self.sending);
        let is_quiet = lock(&self.quiet_since).is_some_and(|since| since.elapsed() > BETWEEN_LOOKS);
        if *sending == Sending::Nothing || !is_quiet {
            return;
        }
        let Some(now) = unsent.get_or_insert_with(Unsent::read).to(&self.stream) else { return };
        let (next, reads) = match *sending {
            Sending::Nothing => return,
            Sending::Piece => (Sending::Unsent(now), now == 0),
            Sending::Unsent(before) => (Sending::Unsent(now), now == 0 || now != before),
            Sending::Rest(_) if now == 0 => (Sending::Nothing, true),
            Sending::Rest(before) => (Sending::Rest(Some(now)), before.is_some_and(|before| before != now)),
        };
        *sending = next;
        if reads {
            *lock(&self.quiet_since) = Some(Instant::now());
        }
    }
}

impl Connections {
    /// Connections that are looked after, for as long as a server holds them: one is cut after that long a silence.
    ///
    /// # Errors
    /// The machine's, where it has no thread left.
    pub fn watched(longest_silence: Duration) -> std::io::Result<Self> {
        let connections = Self::default();
        let watched = Arc::downgrade(&connections.0);
        std::thread::Builder::new().name("connections".to_owned()).spawn(move || {
            while let Some(standing) = watched.upgrade() {
                cut_quiet_ones(&mut lock(&standing), longest_silence);
                drop(standing);
                std::thread::sleep(BETWEEN_LOOKS);
            }
        })?;
        Ok(connections)
    }

    /// Takes up a new connection, and leaves it where its requests find it.
    pub fn add(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<ActixStream>() else { return };
        let Ok(handle) = stream.as_fd().try_clone_to_owned() else { return };
        let quiet_since = Mutex::new(Some(Instant::now()));
        let (is_over, sending) = (AtomicBool::new(false), Mutex::new(Sending::Nothing));
        let connection = Arc::new(Connection { stream: handle.into(), quiet_since, is_over, sending });
        lock(&self.0).push(Arc::downgrade(&connection));
        data.insert(connection);
    }
}

fn cut_quiet_ones(standing: &mut Vec<Weak<Connection>>, longest_silence: Duration) {
    let mut unsent = None;
    standing.retain(|connection| {
        let Some(connection) = connection.upgrade() else { return false };
        connection.notice_reading(&mut unsent);
        let cut = connection.is_too_quiet(longest_silence);
        if cut {
            // It may have gone by itself meanwhile.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
        !cut
    });
}

/// What is behind the lock stays right when a thread that held it panics: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(5);

    /// A connection, and its client.
    fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, quiet_since) = (listener.accept().unwrap().0, Mutex::new(Some(Instant::now())));
        let (is_over, sending) = (AtomicBool::new(false), Mutex::new(Sending::Nothing));
        (Connection { stream, quiet_since, is_over, sending }, client)
    }

    /// Whether it would be cut, looked at after a long while in which nothing happened.
    fn is_cut_after_a_while(connection: &Connection) -> bool {
        *lock(&connection.quiet_since) = Instant::now().checked_sub(LONGEST * 2);
        connection.notice_reading(&mut None);
        connection.is_too_quiet(LONGEST)
    }

    #[test]
    fn whoever_has_taken_all_there_is_waits_for_the_next_piece_however_long_it_takes_to_make() {
        let (connection, _client) = connection();
        connection.send();
        assert!(!is_cut_after_a_while(&connection) && !is_cut_after_a_while(&connection));
        connection.end();
        assert!(!is_cut_after_a_while(&connection), "the end has only just been delivered");
        assert!(is_cut_after_a_while(&connection), "there is nothing more to wait for");
    }

    #[test]
    fn whoever_takes_nothing_of_what_is_there_is_cut_before_and_after_the_last_piece() {
        let (connection, _client) = connection();
        connection.stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while (&connection.stream).write(&[0; 16_384]).is_ok() {}
        connection.send();
        assert!(is_cut_after_a_while(&connection) && is_cut_after_a_while(&connection));
        connection.end();
        assert!(is_cut_after_a_while(&connection) && is_cut_after_a_while(&connection));
    }
}
