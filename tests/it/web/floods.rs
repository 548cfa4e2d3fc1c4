//! Floods of connections and of log lines.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::cli::{Serving, keydesk};
use crate::support::{API_KEYS, Browser};

/// The program under a limit of open files that `ulimit` sets.
fn limited(data_dir: &Path, ulimit: &str) -> Command {
    let program = keydesk(data_dir);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"]).arg(program.get_program());
    let variables = program.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let removed = program.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name.to_owned());
    command.args(program.get_args()).envs(variables.collect::<Vec<(OsString, OsString)>>());
    removed.for_each(|name| _ = command.env_remove(name));
    command
}

/// Allows this process the connections of the tests.
fn raise_own_limit() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= 4_096, "the tests need 4,096 open files, and the limit is {hard}");
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(4_096), hard).unwrap();
}

fn open_idle(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for number in 1..=count {
        connections.push(TcpStream::connect_timeout(&address, Duration::from_secs(20)).unwrap());
        if number % 100 == 0 {
            // A new client, for a new connection.
            let browser = Browser::new(address);
            assert_eq!(browser.get("/healthz").status, 200, "after {number} connections");
            assert_eq!(browser.get("/readyz").status, 200, "after {number} connections");
        }
    }
    connections
}

fn is_closed(connection: &TcpStream) -> bool {
    connection.set_nonblocking(true).unwrap();
    match connection.peek(&mut [0]) {
        Err(error) => error.kind() != ErrorKind::WouldBlock,
        Ok(_) => true,
    }
}

#[test]
fn idle_connections_are_closed_before_files_run_out() {
    raise_own_limit();
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(limited(folder.path(), "-n 1024"), 2);
    let address = serving.line("Listening on http://").parse().unwrap();
    let connections = open_idle(address, 1_100);
    let started = Instant::now();
    while connections.iter().filter(|connection| is_closed(connection)).count() < 1_100 - 512 {
        assert!(started.elapsed() < Duration::from_secs(20), "too many connections stay open");
        std::thread::yield_now();
    }
    let log = serving.log();
    assert_eq!(log.matches("idle connections closed").count(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn the_limit_of_files_is_raised_as_far_as_allowed() {
    raise_own_limit();
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(limited(folder.path(), "-S -n 256"), 2);
    open_idle(serving.line("Listening on http://").parse().unwrap(), 300);
    let log = serving.log();
    assert!(!log.contains("idle connections closed"), "{log}");
}

#[test]
fn a_flood_of_pages_does_not_flood_the_log() {
    const REQUESTS: usize = 3_000;
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(keydesk(folder.path()), 2);
    let address: SocketAddr = serving.line("Listening on http://").parse().unwrap();
    let cookie = format!("keydesk-{}", address.port());
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut reader = stream.try_clone().unwrap();
    // A cookie with a wrong signature must not add a line of its own.
    let request = format!("GET {API_KEYS} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}=forged\r\n\r\n");
    let writer = std::thread::spawn(move || stream.write_all(request.repeat(REQUESTS).as_bytes()).unwrap());
    let (mut answers, mut buffer) = (0, vec![0; 1 << 16]);
    let (mark, mut rest) = (b"HTTP/1.1 ", Vec::new());
    while answers < REQUESTS {
        let read = reader.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "closed after {answers} answers");
        rest.extend_from_slice(&buffer[..read]);
        answers += rest.windows(mark.len()).filter(|window| *window == mark).count();
        rest.drain(..rest.len().saturating_sub(mark.len() - 1));
    }
    writer.join().unwrap();
    let (log, seconds) = (serving.log(), started.elapsed().as_secs() + 2);
    let lines = u64::try_from(log.lines().count()).unwrap();
    // One connection is served by one thread.
    assert!(lines >= 20 && lines <= 20 * seconds + 10, "{lines} lines in {seconds} s");
    assert!(log.lines().all(|line| line.contains(" keydesk::")), "{log}");
}
