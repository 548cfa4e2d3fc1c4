//! A reader of the log that hangs or has died, and a standard output that is closed, stop nothing.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use super::keydesk;
use crate::support::{Browser, browser, figures};

const THREADS: usize = 4;

/// A server whose log goes to a pipe.
struct Piped {
    child: Child,
    address: SocketAddr,
    log: Option<ChildStderr>,
}

/// What becomes of the reader of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    IsClosedAtStart,
    IsClosedLater,
    NeverReads,
}

impl Piped {
    /// Each request writes many lines, so that the pipe is soon full.
    fn start(data_dir: &Path, reader: Reader) -> Self {
        let mut command = keydesk(data_dir);
        command.args(["--log-level", "trace"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = child.stderr.take();
        if reader == Reader::IsClosedAtStart {
            log = None;
        }
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let address = line.strip_prefix("Listening on http://").unwrap().parse().unwrap();
        Self { child, address, log }
    }

    /// Sends requests of all kinds from several threads. Each must be answered.
    fn load(&self, requests: usize) {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let browser = Browser::new(self.address);
                    for number in 0..requests / THREADS {
                        match number % 4 {
                            0 => browser.get("/healthz").expect(200),
                            1 => browser.get("/sign-in").expect(200),
                            2 => browser.bearer("/v1/whoami", "nonsense").expect(401),
                            _ => browser.post("/sign-in", &[("email", "x"), ("password", "")]),
                        };
                    }
                });
            }
        });
    }

    fn dropped_lines(&self) -> u64 {
        let metrics = Browser::new(self.address).get("/metrics").expect(200).body;
        let value = metrics.lines().find_map(|line| line.strip_prefix("keydesk_log_lines_dropped_total "));
        value.unwrap().parse().unwrap()
    }

    /// Sends SIGTERM and waits for the end, which does not wait for the reader for ever.
    fn stop(mut self) {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(50), "the server does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_log_without_a_reader_stops_nothing() {
    for reader in [Reader::IsClosedAtStart, Reader::IsClosedLater, Reader::NeverReads] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Piped::start(folder.path(), reader);
        server.load(40);
        if reader == Reader::IsClosedLater {
            server.log = None;
        }
        let started = Instant::now();
        while server.dropped_lines() == 0 {
            server.load(200);
            assert!(started.elapsed() < Duration::from_mins(2), "no line is dropped: {reader:?}");
        }
        server.load(200);
        server.stop();
    }
    figures::print("R15", "0 requests without an answer while the log is closed or never read");
}

#[test]
fn a_reader_that_is_back_learns_how_many_lines_were_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Piped::start(folder.path(), Reader::NeverReads);
    while server.dropped_lines() < 100 {
        server.load(200);
    }
    let log = BufReader::new(server.log.take().unwrap());
    let told = std::thread::spawn(move || {
        let mut lines = log.lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("log lines dropped")).unwrap();
        // The pipe stays open, or the server would have no reader again.
        std::thread::spawn(move || lines.for_each(drop));
        line.rsplit("lines=").next().unwrap().parse::<u64>().unwrap()
    });
    let told = told.join().unwrap();
    assert!(told >= 100 && told <= server.dropped_lines(), "{told} of {}", server.dropped_lines());
    server.stop();
}

#[test]
fn a_closed_standard_output_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = keydesk(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let started = log.find(|line| line.contains("server started")).unwrap();
    let address = started.split("address=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(log.next().unwrap().contains("address not printed"));
    let mut server = Piped { child, address, log: None };
    browser::send(Browser::new(address).request("GET", "/readyz")).expect(200);
    std::thread::spawn(move || log.for_each(drop));
    server.load(40);
    server.log = None;
    server.stop();
}
