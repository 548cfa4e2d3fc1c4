//! How much of a response the client has received, as the kernel knows it. Linux only.

use std::net::TcpStream;

#[cfg(target_os = "linux")]
use super::tcp_info::TcpInfo;

/// What a client has received so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SendProgress {
    /// The bytes that the client has acknowledged since the connection was opened.
    pub(super) acknowledged_bytes: u64,
    /// Whether the client has acknowledged everything that was written to the socket.
    pub(super) is_drained: bool,
}

impl SendProgress {
    /// Returns the progress of a connection.
    #[cfg(target_os = "linux")]
    pub(super) fn of(stream: &TcpStream) -> Option<Self> {
        let info = TcpInfo::of(stream).ok()?;
        Some(Self { acknowledged_bytes: info.bytes_acked, is_drained: info.unacked == 0 && info.notsent_bytes == 0 })
    }

    /// Returns `None`: other systems have no such counters.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_: &TcpStream) -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn unread_bytes_are_counted_until_the_client_reads_them() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut reader = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut writer, _) = listener.accept().unwrap();
            assert_eq!(SendProgress::of(&writer), Some(SendProgress { acknowledged_bytes: 0, is_drained: true }));
            writer.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut sent = 0;
            while let Ok(written) = writer.write(&[0; 4_096]) {
                sent += written;
            }
            // The last bytes that fit into the client's buffer may still be on their way.
            let is_stalled = (0..1_000).any(|_| {
                let before = SendProgress::of(&writer);
                std::thread::sleep(Duration::from_millis(20));
                SendProgress::of(&writer) == before
            });
            let stalled = SendProgress::of(&writer).unwrap();
            assert!(is_stalled, "{address}: {stalled:?}");
            assert!(!stalled.is_drained && stalled.acknowledged_bytes < sent as u64, "{address}: {stalled:?}");
            reader.read_exact(&mut vec![0; sent]).unwrap();
            let all = SendProgress { acknowledged_bytes: sent as u64, is_drained: true };
            let is_delivered = (0..1_000).any(|_| {
                std::thread::sleep(Duration::from_millis(20));
                SendProgress::of(&writer) == Some(all)
            });
            assert!(is_delivered, "{address}: {:?}", SendProgress::of(&writer));
        }
    }
}
