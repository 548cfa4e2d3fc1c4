//! Tells systemd, or another service manager, what the server does: the protocol of sd_notify.

use std::ffi::{OsStr, OsString};
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

/// The service manager that started the program, if there is one. Clones share the socket.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    socket: Option<Arc<Socket>>,
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Socket {
    own: UnixDatagram,
    address: SocketAddr,
}

impl ServiceManager {
    /// Returns the service manager that the variables name: `NOTIFY_SOCKET`, and `WATCHDOG_USEC` with `WATCHDOG_PID`.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var_os(name), std::process::id())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>, process: u32) -> Self {
        let Some(address) = variable("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Self::default();
        };
        let socket = match Socket::open(&address) {
            Ok(socket) => Arc::new(socket),
            Err(error) => {
                tracing::warn!(%error, "the service manager in NOTIFY_SOCKET is not notified");
                return Self::default();
            }
        };
        let number = |name| variable(name).and_then(|value| value.to_str()?.parse::<u64>().ok());
        let is_ours = number("WATCHDOG_PID").is_none_or(|watched| watched == u64::from(process));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| is_ours && *micros > 0).map(Duration::from_micros);
        Self { socket: Some(socket), watchdog }
    }

    /// The server serves.
    pub fn ready(&self, status: &str) {
        self.send(&format!("READY=1\n{}", status_line(status)));
    }

    /// The server starts, and is busy with this.
    pub fn status(&self, status: &str) {
        self.send(&status_line(status));
    }

    /// The server stops.
    pub fn stopping(&self, status: &str) {
        self.send(&format!("STOPPING=1\n{}", status_line(status)));
    }

    /// The server is not hung.
    pub(super) fn ping_watchdog(&self) {
        self.send("WATCHDOG=1");
    }

    /// The time within which the service manager expects a ping.
    pub(super) const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    fn send(&self, message: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.own.send_to_addr(message.as_bytes(), &socket.address)
        {
            tracing::debug!(%error, "service manager not notified");
        }
    }
}

impl Socket {
    /// A service manager that does not read must not stop the server, so the socket does not block.
    fn open(address: &OsStr) -> io::Result<Self> {
        let own = UnixDatagram::unbound()?;
        own.set_nonblocking(true)?;
        let address = match address.as_bytes() {
            [b'/', ..] => SocketAddr::from_pathname(address)?,
            #[cfg(target_os = "linux")]
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "it is neither a path nor an abstract socket")),
        };
        Ok(Self { own, address })
    }
}

/// A line feed would begin another assignment.
fn status_line(status: &str) -> String {
    format!("STATUS={}", status.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(variables: &[(&str, &str)]) -> ServiceManager {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        ServiceManager::from_variables(value, 42)
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn messages_reach_a_path_and_an_abstract_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("keydesk-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name).unwrap();
        for (socket, address) in [
            (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
            (UnixDatagram::bind_addr(&abstract_address).unwrap(), format!("@{name}")),
        ] {
            let manager = manager(&[("NOTIFY_SOCKET", &address)]);
            manager.ready("Serving\non http://127.0.0.1:8080");
            manager.stopping("Draining");
            manager.ping_watchdog();
            assert_eq!(received(&socket), "READY=1\nSTATUS=Serving on http://127.0.0.1:8080");
            assert_eq!(received(&socket), "STOPPING=1\nSTATUS=Draining");
            assert_eq!(received(&socket), "WATCHDOG=1");
        }
    }

    #[test]
    fn a_manager_that_is_absent_or_never_reads_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let address = path.to_str().unwrap();
        for variables in [&[][..], &[("NOTIFY_SOCKET", "")], &[("NOTIFY_SOCKET", "vsock:2:1")]] {
            manager(variables).ready("Serving");
        }
        let silent = UnixDatagram::bind(&path).unwrap();
        let manager = manager(&[("NOTIFY_SOCKET", address)]);
        for _ in 0..2_000 {
            manager.ping_watchdog();
        }
        drop(silent);
        manager.ping_watchdog();
    }

    #[test]
    fn the_watchdog_is_that_of_this_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = ("NOTIFY_SOCKET", path.to_str().unwrap());
        for (variables, seconds) in [
            (&[socket, ("WATCHDOG_USEC", "3000000"), ("WATCHDOG_PID", "42")][..], Some(3)),
            (&[socket, ("WATCHDOG_USEC", "3000000")], Some(3)),
            (&[socket, ("WATCHDOG_USEC", "3000000"), ("WATCHDOG_PID", "43")], None),
            (&[socket, ("WATCHDOG_USEC", "0")], None),
            (&[socket, ("WATCHDOG_USEC", "soon")], None),
            (&[socket], None),
            (&[("WATCHDOG_USEC", "3000000")], None),
        ] {
            assert_eq!(manager(variables).watchdog(), seconds.map(Duration::from_secs), "{variables:?}");
        }
    }
}
