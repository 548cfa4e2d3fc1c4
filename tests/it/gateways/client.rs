//! A client of the platform that keeps one connection and sends any headers that a test gives it.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::message::Message;

pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn of(gateway: SocketAddr) -> Self {
        let stream = TcpStream::connect(gateway).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a GET request with these header lines.
    pub fn get(&mut self, lines: &[&str]) -> Message {
        self.send("GET", lines, b"")
    }

    /// Sends a GET request with a key.
    pub fn get_with_key(&mut self, key: &str) -> Message {
        self.get(&[&bearer(key)])
    }

    /// Sends a request. The bytes of the body are sent unchanged.
    pub fn send(&mut self, method: &str, lines: &[&str], body: &[u8]) -> Message {
        let mut head = format!("{method} /orders/7?part=2 HTTP/1.1\r\nHost: platform.example\r\n");
        for line in lines {
            head.extend([line, "\r\n"]);
        }
        head.push_str("\r\n");
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        Message::read(&mut self.0).unwrap()
    }
}

/// The header line that presents a key.
pub fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}
