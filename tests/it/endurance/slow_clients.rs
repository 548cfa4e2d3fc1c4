//! R8: many slow connections of each kind, beside an honest client. actix-web limits some of them, and Keydesk the others.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::cli::{Serving, keydesk};
use crate::support::database;
use crate::support::figures::{self, count, judge_time, milliseconds, percentile, seconds};
use crate::support::race::{Client, Endpoint};

/// A connection without progress is cut after this time.
const CUT: Duration = Duration::from_secs(35);
/// The same in `make test`, on a busy machine.
const CUT_ON_A_BUSY_MACHINE: Duration = Duration::from_secs(55);

/// What a slow client sends first, and then a byte of every second.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    first: &'static str,
    then: &'static str,
}

const KINDS: [Kind; 7] = [
    Kind { name: "head", first: "GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: ", then: "a" },
    Kind {
        name: "later head",
        first: "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX-Slow: ",
        then: "a",
    },
    Kind {
        name: "unread body",
        first: "POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        then: "1\r\na\r\n",
    },
    Kind {
        name: "body",
        first: "POST /v1/revoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\ntoken=",
        then: "a",
    },
    Kind {
        name: "form",
        first: "POST /sign-in HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n",
        then: "a",
    },
    Kind { name: "idle", first: "", then: "" },
    Kind { name: "read", first: "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", then: "" },
];

/// A connection with a small buffer for answers.
fn connect(address: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8_192).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Opens connections of one kind and keeps them slow until all are cut. Returns the time that the last one took.
fn slow(address: SocketAddr, kind: Kind, number: usize) -> Duration {
    let began = Instant::now();
    // A client that never reads gets more answers than the system keeps for it.
    let requests = if kind.name == "read" { 40 } else { 1 };
    let first = kind.first.repeat(requests);
    let mut open: Vec<TcpStream> = (0..number).map(|_| connect(address)).collect();
    for stream in &mut open {
        let _ = stream.write_all(first.as_bytes());
    }
    while !open.is_empty() {
        thread::sleep(Duration::from_secs(1));
        let at_server = sockets(address);
        open.retain_mut(|stream| !is_cut(stream, kind, &at_server));
        assert!(began.elapsed() < CUT_ON_A_BUSY_MACHINE, "{}: {} connections are still open", kind.name, open.len());
    }
    began.elapsed()
}

/// The ports of the clients whose connections a process holds at this address. The kernel goes on with connections that the
/// process has closed, in other states or without an inode.
fn sockets(server: SocketAddr) -> BTreeSet<u16> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next().unwrap(), 16).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| port(row[1]) == server.port() && row[9] != "0").map(|row| port(row[2])).collect()
}

/// Goes on slowly. Whether the server has closed the connection.
fn is_cut(stream: &mut TcpStream, kind: Kind, at_server: &BTreeSet<u16>) -> bool {
    let is_over = |error: &std::io::Error| error.kind() != ErrorKind::WouldBlock;
    if !kind.then.is_empty() && stream.write_all(kind.then.as_bytes()).is_err_and(|error| is_over(&error)) {
        return true;
    }
    if kind.name == "read" {
        // It does not see the end, which comes after the answers.
        return !at_server.contains(&stream.local_addr().unwrap().port());
    }
    match stream.read(&mut [0; 4_096]) {
        Ok(read) => read == 0,
        Err(error) => is_over(&error),
    }
}

#[test]
fn slow_clients_are_cut_and_delay_no_other() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(16_384), hard).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &database::new_url(&folder), "--log-level", "warn"]);
    let serving = Serving::start(command, 2);
    let (_, key) = serving.set_up().create_key("ERP Sync");
    let address = serving.browser().address();
    let (number, is_over) = (count(30, 250), AtomicBool::new(false));
    let (cut, mut times) = thread::scope(|scope| {
        let honest = scope.spawn(|| {
            let (mut client, request, mut times) = (Client::new(address), Endpoint::WhoAmI.request(&key), Vec::new());
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                client.send(&request);
                assert_eq!(client.is_accepted(), Some(true));
                times.push(began.elapsed());
                thread::sleep(Duration::from_millis(5));
            }
            times
        });
        let threads = KINDS.map(|kind| (kind.name, scope.spawn(move || slow(address, kind, number))));
        let cut = threads.map(|(name, thread)| (name, thread.join()));
        is_over.store(true, Ordering::Relaxed);
        let cut = cut.map(|(name, time)| (name, time.unwrap_or_else(|_| panic!("{name}: not cut"))));
        (cut, honest.join().unwrap())
    });
    let p99 = percentile(&mut times, 0.99);
    let last = cut.iter().map(|(_, time)| *time).max().unwrap();
    let kinds = cut.map(|(name, time)| format!("{name} {}", seconds(time))).join(", ");
    figures::print(
        "R8",
        format!(
            "{number} slow connections of each kind cut after: {kinds} (≤ 35 s); honest p99 {} (≤ 250 ms)",
            milliseconds(p99)
        ),
    );
    judge_time("R8", p99, Duration::from_millis(250));
    // The clients look once a second.
    judge_time("R8", last, CUT + Duration::from_secs(1));
}
