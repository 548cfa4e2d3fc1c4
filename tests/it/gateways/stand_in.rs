//! A small program on the far side of a gateway: writes down what it is asked and answers what the test says.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::message::Message;

/// What the platform answers.
pub const WELCOME: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome";

/// The platform; or, where a test wants it to misbehave, Keydesk.
pub struct StandIn {
    pub address: SocketAddr,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Notes {
    answer: Mutex<&'static str>,
    requests: Mutex<Vec<Message>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

impl StandIn {
    /// The platform that keys open.
    pub fn platform() -> Self {
        Self::answering(WELCOME)
    }

    /// Answers that, and hangs up where it is no whole answer. With nothing at all it does not even hang up.
    pub fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let notes = Arc::new(Notes { answer: Mutex::new(answer), ..Notes::default() });
        let own = Arc::clone(&notes);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if own.is_over.load(Ordering::SeqCst) {
                    break;
                }
                own.connections.fetch_add(1, Ordering::SeqCst);
                let own = Arc::clone(&own);
                std::thread::spawn(move || own.serve(&stream));
            }
        });
        Self { address, notes }
    }

    /// Answers that from now on.
    pub fn turn_to(&self, answer: &'static str) {
        *self.notes.answer.lock().unwrap() = answer;
    }

    /// The requests until now.
    pub fn requests(&self) -> Vec<Message> {
        self.notes.requests.lock().unwrap().clone()
    }

    /// The one request.
    pub fn only_request(&self) -> Message {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// On how many connections it was asked.
    pub fn connections(&self) -> usize {
        self.notes.connections.load(Ordering::SeqCst)
    }
}

impl Notes {
    fn serve(&self, mut stream: &TcpStream) {
        let mut incoming = BufReader::new(stream);
        while let Some(request) = Message::read(&mut incoming) {
            let is_head = request.start.starts_with("HEAD ");
            self.requests.lock().unwrap().push(request);
            let answer = *self.answer.lock().unwrap();
            let end_of_head = answer.find("\r\n\r\n").map(|end| end + 4);
            let head = &answer[..end_of_head.unwrap_or(answer.len())];
            let written = stream.write_all(if is_head { head } else { answer }.as_bytes());
            if written.is_err() || (end_of_head.is_none() && !answer.is_empty()) {
                break;
            }
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.notes.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}
