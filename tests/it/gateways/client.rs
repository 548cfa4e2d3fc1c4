//! A client of the platform, on one connection that it keeps, as careful or as sly with its headers as a test says.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::message::Message;

/// One connection to a gateway.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn of(gateway: SocketAddr) -> Self {
        let stream = TcpStream::connect(gateway).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Asks for an order, with these lines in the head.
    pub fn ask(&mut self, lines: &[&str]) -> Message {
        self.send("GET", lines, b"")
    }

    /// The same with a key.
    pub fn ask_with(&mut self, key: &str) -> Message {
        self.ask(&[&bearer(key)])
    }

    /// Sends those bytes behind the head, as they are.
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

/// The header that presents a key.
pub fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}
