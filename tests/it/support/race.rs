//! Verification races revocation: whatever was asked after a revocation had been acknowledged must be refused.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A question about a key, as one endpoint takes it.
#[derive(Clone)]
pub enum Question {
    WhoAmI,
    ForwardAuth,
    /// With this credential.
    Introspect(String),
}

impl Question {
    fn request(&self, key: &str) -> String {
        match self {
            Self::WhoAmI => format!("GET /v1/whoami HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\r\n"),
            Self::ForwardAuth => {
                format!("GET /v1/forward-auth/x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\r\n")
            }
            Self::Introspect(credential) => {
                let form = format!("token={key}");
                let length = form.len();
                format!(
                    "POST /v1/introspect HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {credential}\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
                )
            }
        }
    }
}

/// A client that keeps its connection: far faster than a browser.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Whether the answer to what was sent accepts the key; `None` where nobody could say in time.
    fn is_accepted(&mut self) -> Option<bool> {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        assert!(["200", "401", "503"].contains(&status.as_str()), "{status}");
        (status != "503").then_some(status == "200" && body != br#"{"active":false}"#)
    }
}

/// What a race saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many questions were answered.
    pub answered: u64,
    /// How many were accepted.
    pub accepted: u64,
    /// How many of these were asked after the end had been acknowledged.
    pub stale: u64,
    /// How many questions nobody could answer within two seconds, as on a machine that stands still for a while.
    pub unavailable: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.accepted += other.accepted;
        self.stale += other.stale;
        self.unavailable += other.unavailable;
    }
}

/// Who asks in every round: connections to these servers, each with its question; half of them ask all the while, the other
/// half right after the acknowledgement.
pub struct Racers {
    loops: Vec<(Mutex<Client>, Question)>,
    probes: Vec<(Mutex<Client>, Question)>,
}

impl Racers {
    pub fn new(asked: &[(SocketAddr, Question)]) -> Self {
        let clients = || asked.iter().map(|(address, question)| (Mutex::new(Client::new(*address)), question.clone()));
        Self { loops: clients().collect(), probes: clients().collect() }
    }

    /// One round: all ask about the key while `end` ends it, a random while after they began. Probes right after the
    /// acknowledgement find what loops alone hardly ever meet.
    pub fn run(&self, key: &str, seed: u64, end: impl FnOnce()) -> Seen {
        let (answered, unavailable, accepted) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Vec::new()));
        let is_over = AtomicBool::new(false);
        let take = |client: &mut Client, began: Instant| {
            let answer = client.is_accepted();
            if answer == Some(true) {
                accepted.lock().unwrap().push(began);
            }
            let count = if answer.is_some() { &answered } else { &unavailable };
            count.fetch_add(1, Ordering::Relaxed);
        };
        let acknowledged = std::thread::scope(|scope| {
            for (number, (client, question)) in self.loops.iter().enumerate() {
                let (is_over, take) = (&is_over, &take);
                scope.spawn(move || {
                    let mut rng = StdRng::seed_from_u64(seed * 1_000 + number as u64);
                    let (mut client, request) = (client.lock().unwrap(), question.request(key));
                    while !is_over.load(Ordering::Relaxed) {
                        let began = Instant::now();
                        client.send(&request);
                        take(&mut client, began);
                        if rng.random_range(0..4) == 0 {
                            std::thread::sleep(Duration::from_micros(rng.random_range(0..400)));
                        }
                    }
                });
            }
            let mut rng = StdRng::seed_from_u64(seed);
            let mut probes: Vec<_> = self.probes.iter().map(|(client, _)| client.lock().unwrap()).collect();
            let requests: Vec<_> = self.probes.iter().map(|(_, question)| question.request(key)).collect();
            std::thread::sleep(Duration::from_micros(rng.random_range(0..6_000)));
            end();
            let acknowledged = Instant::now();
            let begin = |(client, request): (&mut MutexGuard<'_, Client>, &String)| {
                let began = Instant::now();
                client.send(request);
                began
            };
            let sent: Vec<_> = probes.iter_mut().zip(&requests).map(begin).collect();
            for (client, began) in probes.iter_mut().zip(sent) {
                take(client, began);
            }
            std::thread::sleep(Duration::from_micros(rng.random_range(0..5_000)));
            is_over.store(true, Ordering::Relaxed);
            acknowledged
        });
        let accepted = accepted.into_inner().unwrap();
        Seen {
            answered: answered.into_inner(),
            accepted: accepted.len() as u64,
            stale: accepted.iter().filter(|began| **began >= acknowledged).count() as u64,
            unavailable: unavailable.into_inner(),
        }
    }
}
