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

/// Without a request under way, a connection is cut after so long.
const LONGEST_SILENCE: Duration = Duration::from_secs(32);
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
}

impl Connection {
    /// A request has arrived.
    pub(super) fn begin(&self) {
        *lock(&self.quiet_since) = None;
    }

    /// Its answer is made; `is_last` where the connection is to close behind it.
    pub(super) fn finish(&self, is_last: bool) {
        *lock(&self.quiet_since) = Some(Instant::now());
        self.is_over.store(is_last, Ordering::Relaxed);
    }

    fn is_too_quiet(&self) -> bool {
        let longest = if self.is_over.load(Ordering::Relaxed) { BETWEEN_LOOKS * 5 } else { LONGEST_SILENCE };
        lock(&self.quiet_since).is_some_and(|since| since.elapsed() > longest)
    }
}

impl Connections {
    /// Connections that are looked after, for as long as a server holds them.
    ///
    /// # Errors
    /// The machine's, where it has no thread left.
    pub fn watched() -> std::io::Result<Self> {
        let connections = Self::default();
        let watched = Arc::downgrade(&connections.0);
        std::thread::Builder::new().name("connections".to_owned()).spawn(move || {
            while let Some(standing) = watched.upgrade() {
                cut_quiet_ones(&mut lock(&standing));
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
        let connection = Arc::new(Connection { stream: handle.into(), quiet_since, is_over: AtomicBool::new(false) });
        lock(&self.0).push(Arc::downgrade(&connection));
        data.insert(connection);
    }
}

fn cut_quiet_ones(standing: &mut Vec<Weak<Connection>>) {
    standing.retain(|connection| {
        let Some(connection) = connection.upgrade() else { return false };
        let cut = connection.is_too_quiet();
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
