//! What the machine still holds of what was sent, connection by connection: Linux alone says it without unsafe code.
//! Elsewhere nothing is known.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpStream};

/// How many bytes each connection of this machine had yet to deliver, by its two ends as Linux writes them.
#[derive(Debug, Default)]
pub(super) struct Unsent(HashMap<String, u64>);

impl Unsent {
    pub(super) fn read() -> Self {
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(std::fs::read_to_string);
        Self(tables.iter().flatten().flat_map(|table| table.lines()).filter_map(entry).collect())
    }

    pub(super) fn to(&self, stream: &TcpStream) -> Option<u64> {
        let (here, there) = (stream.local_addr().ok()?, stream.peer_addr().ok()?);
        self.0.get(&format!("{} {}", written(here), written(there))).copied()
    }
}

/// A line such as `0: 0100007F:1F90 0100007F:D431 01 0000A2C4:00000000 …`: number, two ends, state, bytes to send and read.
fn entry(line: &str) -> Option<(String, u64)> {
    let mut words = line.split_whitespace().skip(1);
    let (here, there, _state) = (words.next()?, words.next()?, words.next()?);
    let (unsent, _) = words.next()?.split_once(':')?;
    Some((format!("{here} {there}"), u64::from_str_radix(unsent, 16).ok()?))
}

/// Addresses are written as words of 32 bits, each in the order of this machine.
fn written(end: SocketAddr) -> String {
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_ne_bytes);
    let address: String = match end.ip() {
        IpAddr::V4(address) => format!("{:08X}", word(&address.octets())),
        IpAddr::V6(address) => {
            let [a, b, c, d] = [0, 4, 8, 12].map(|at| word(&address.octets()[at..at + 4]));
            format!("{a:08X}{b:08X}{c:08X}{d:08X}")
        }
    };
    format!("{address}:{:04X}", end.port())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_nobody_reads_is_unsent_until_somebody_does() {
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(place) else { continue };
            let mut reader = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut writer, _) = listener.accept().unwrap();
            assert_eq!(Unsent::read().to(&writer), Some(0));
            writer.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let mut sent = 0;
            while let Ok(more) = writer.write(&[0; 4_096]) {
                sent += more;
            }
            let unsent = Unsent::read().to(&writer).unwrap();
            assert!(unsent > 0, "{place}");
            let mut left = vec![0; sent];
            reader.read_exact(&mut left).unwrap();
            let is_delivered = (0..50).any(|_| {
                std::thread::sleep(Duration::from_millis(20));
                Unsent::read().to(&writer) == Some(0)
            });
            assert!(is_delivered, "{place}");
        }
    }
}
