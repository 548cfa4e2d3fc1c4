//! Races verification against revocation: no request sent after the acknowledgement may be accepted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// An endpoint that verifies keys.
#[derive(Clone)]
pub enum Endpoint {
    WhoAmI,
    ForwardAuth,
    /// With this gateway credential.
    Introspect(String),
}

impl Endpoint {
    pub fn request(&self, key: &str) -> String {
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

/// A client that keeps its connection open, which makes it much faster than a browser.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Whether the answer accepts the key; `None` if the server answers 503.
    pub fn is_accepted(&mut self) -> Option<bool> {
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

/// The counts of a race.
#[derive(Debug, Default)]
pub struct RaceOutcome {
    pub answered: u64,
    pub accepted: u64,
    /// Accepted requests that were sent after the end was acknowledged.
    pub stale: u64,
    /// Requests answered with 503, as on an overloaded machine.
    pub unavailable: u64,
}

impl RaceOutcome {
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.accepted += other.accepted;
        self.stale += other.stale;
        self.unavailable += other.unavailable;
    }
}

/// Connections that verify a key in every round. Half of them send requests during the whole round, the other half only
/// after the acknowledgement.
pub struct LoadGenerators {
    loops: Vec<(Mutex<Client>, Endpoint)>,
    probes: Vec<(Mutex<Client>, Endpoint)>,
}

impl LoadGenerators {
    pub fn new(targets: &[(SocketAddr, Endpoint)]) -> Self {
        let clients =
            || targets.iter().map(|(address, endpoint)| (Mutex::new(Client::new(*address)), endpoint.clone()));
        Self { loops: clients().collect(), probes: clients().collect() }
    }

    /// Runs one round: requests are sent while `end` ends the key at a random time. The requests right after the
    /// acknowledgement find stale answers that the loops alone rarely hit.
    pub fn run(&self, key: &str, seed: u64, end: impl FnOnce()) -> RaceOutcome {
        let (answered, unavailable, accepted) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Vec::new()));
        let is_over = AtomicBool::new(false);
        let take = |client: &mut Client, sent_at: Instant| {
            let answer = client.is_accepted();
            if answer == Some(true) {
                accepted.lock().unwrap().push(sent_at);
            }
            let count = if answer.is_some() { &answered } else { &unavailable };
            count.fetch_add(1, Ordering::Relaxed);
        };
        let acknowledged = std::thread::scope(|scope| {
            for (number, (client, endpoint)) in self.loops.iter().enumerate() {
                let (is_over, take) = (&is_over, &take);
                scope.spawn(move || {
                    let mut rng = StdRng::seed_from_u64(seed * 1_000 + number as u64);
                    let (mut client, request) = (client.lock().unwrap(), endpoint.request(key));
                    while !is_over.load(Ordering::Relaxed) {
                        let sent_at = Instant::now();
                        client.send(&request);
                        take(&mut client, sent_at);
                        if rng.random_range(0..4) == 0 {
                            std::thread::sleep(Duration::from_micros(rng.random_range(0..400)));
                        }
                    }
                });
            }
            let mut rng = StdRng::seed_from_u64(seed);
            let mut probes: Vec<_> = self.probes.iter().map(|(client, _)| client.lock().unwrap()).collect();
            let requests: Vec<_> = self.probes.iter().map(|(_, endpoint)| endpoint.request(key)).collect();
            std::thread::sleep(Duration::from_micros(rng.random_range(0..6_000)));
            end();
            let acknowledged = Instant::now();
            let begin = |(client, request): (&mut MutexGuard<'_, Client>, &String)| {
                let sent_at = Instant::now();
                client.send(request);
                sent_at
            };
            let sent: Vec<_> = probes.iter_mut().zip(&requests).map(begin).collect();
            for (client, sent_at) in probes.iter_mut().zip(sent) {
                take(client, sent_at);
            }
            std::thread::sleep(Duration::from_micros(rng.random_range(0..5_000)));
            is_over.store(true, Ordering::Relaxed);
            acknowledged
        });
        let accepted = accepted.into_inner().unwrap();
        RaceOutcome {
            answered: answered.into_inner(),
            accepted: accepted.len() as u64,
            stale: accepted.iter().filter(|sent_at| **sent_at >= acknowledged).count() as u64,
            unavailable: unavailable.into_inner(),
        }
    }
}
