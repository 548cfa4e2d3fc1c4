//! A client of the platform that keeps one connection and sends any bytes that a test gives it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::message::Message;

/// The preflight request of a browser. The files in `deploy/` allow this origin.
pub const PREFLIGHT: [&str; 3] = [
    "Origin: https://app.example.com",
    "Access-Control-Request-Method: PUT",
    "Access-Control-Request-Headers: authorization",
];

/// The header lines that open a WebSocket.
pub const WEBSOCKET: [&str; 4] = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn of(gateway: SocketAddr) -> Self {
        Self::over(TcpStream::connect(gateway).unwrap())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Whether a gateway listens here and answers preflight requests.
    pub fn answers_preflight(gateway: SocketAddr) -> bool {
        let Ok(stream) = TcpStream::connect(gateway) else { return false };
        let mut client = Self::over(stream);
        client.try_write(head("OPTIONS", "/", &PREFLIGHT).as_bytes());
        client.read().is_some_and(|answer| answer.status() < 300)
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
        let head = head(method, "/orders/7?part=2", lines);
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        self.read().unwrap()
    }

    /// Sends any bytes. The gateway may have closed the connection before.
    pub fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Reads an answer. `None` if the gateway closed the connection or speaks another protocol than HTTP/1.
    pub fn read(&mut self) -> Option<Message> {
        Message::read(&mut self.0).filter(|answer| answer.start.starts_with("HTTP/1."))
    }

    /// Waits until the gateway sends anything or closes the connection. Returns what it sent.
    pub fn read_some(&mut self) -> Vec<u8> {
        let bytes = self.0.fill_buf().map(<[u8]>::to_vec).unwrap_or_default();
        self.0.consume(bytes.len());
        bytes
    }
}

/// The head of a request.
pub fn head(method: &str, target: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: platform.example\r\n{lines}\r\n")
}

/// The header line that presents a key.
pub fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}
