//! A fake server behind a gateway: records requests and answers as the test says.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::message::Message;

pub const WELCOME: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome";

/// The platform, or a fake Keydesk for tests of wrong answers.
pub struct FakeUpstream {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    answer: Mutex<&'static str>,
    requests: Mutex<Vec<Message>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

impl FakeUpstream {
    pub fn platform() -> Self {
        Self::answering(WELCOME)
    }

    /// Sends this answer to every request. An incomplete answer closes the connection, an empty one leaves it open.
    pub fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { answer: Mutex::new(answer), ..State::default() });
        let own = Arc::clone(&state);
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
        Self { address, state }
    }

    /// Changes the answer.
    pub fn set_answer(&self, answer: &'static str) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Message> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The only request. Fails if there are more or none.
    pub fn only_request(&self) -> Message {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, mut stream: &TcpStream) {
        let mut incoming = BufReader::new(stream);
        while let Some(request) = Message::read(&mut incoming) {
            let is_head = request.start.starts_with("HEAD ");
            self.requests.lock().unwrap().push(request);
            let answer = *self.answer.lock().unwrap();
            let end_of_head = answer.find("\r\n\r\n").map(|end| end + 4);
            let head = &answer[..end_of_head.unwrap_or(answer.len())];
            let sent = stream.write_all(if is_head { head } else { answer }.as_bytes());
            if sent.is_err() || (end_of_head.is_none() && !answer.is_empty()) {
                break;
            }
        }
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}
