//! What the program tells systemd. The test plays systemd.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cli::{Serving, keydesk};
use crate::support::database;

/// The time after which this systemd would end the server.
const WATCHDOG: Duration = Duration::from_secs(3);

/// A socket that gets the messages of one program.
struct Systemd {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Systemd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    /// The program with a new database, started by this systemd.
    fn program(&self, flags: &[&str]) -> Serving {
        let mut command = keydesk(&self.folder.path().join("data"));
        command.args(["--database-url", &database::new_url(&self.folder)]).args(flags);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        Serving::start(command, 2)
    }

    /// The next message, if one arrives in this time.
    fn message(&self, timeout: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(timeout)).unwrap();
        let mut buffer = [0; 512];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    /// The messages until this one.
    fn messages_until(&self, last: &str) -> Vec<String> {
        let mut messages = Vec::new();
        while messages.last().is_none_or(|message| message != last) {
            messages.push(self.message(Duration::from_secs(50)).unwrap_or_else(|| panic!("{messages:?}")));
        }
        messages
    }
}

#[test]
fn systemd_learns_of_start_pings_drain_and_stop() {
    let systemd = Systemd::start();
    let mut serving = systemd.program(&["--drain", "100ms"]);
    let ready = format!("READY=1\nSTATUS=Serving on {}", serving.line("Listening on "));
    let start = ["STATUS=Waiting for the database", "STATUS=Opening the installation, which may migrate the database"];
    assert_eq!(systemd.messages_until(&ready), [&start[..], &[&ready]].concat());
    for _ in 0..3 {
        assert_eq!(systemd.messages_until("WATCHDOG=1").len(), 1);
    }
    serving.signal("-TERM");
    let mut stop = systemd.messages_until("STOPPING=1\nSTATUS=Finishing requests in progress");
    stop.retain(|message| message != "WATCHDOG=1");
    assert_eq!(stop.first().unwrap(), "STOPPING=1\nSTATUS=Draining for 0.1 s");
    assert_eq!(serving.wait_for_end(Duration::from_secs(35)), 0);
}

/// Stops one thread of a process by ptrace, until it is dropped.
struct StoppedThread(Child);

impl StoppedThread {
    /// `None` if this system does not allow that.
    fn stop(thread: u32) -> Option<Self> {
        let script = "import ctypes, os, sys\n\
            libc, thread = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])\n\
            seize, interrupt, any_thread = 0x4206, 0x4207, 0x40000000\n\
            done = libc.ptrace(seize, thread, 0, 0) == 0 and libc.ptrace(interrupt, thread, 0, 0) == 0\n\
            done and os.waitpid(thread, any_thread)\n\
            print('stopped' if done else os.strerror(ctypes.get_errno()), flush=True)\n\
            sys.stdin.read()";
        let mut command = Command::new("python3");
        command.args(["-c", script, &thread.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut python = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stopped = Self(python);
        if line == "stopped\n" {
            return Some(stopped);
        }
        eprintln!("SKIPPED: no thread can be stopped here: {line}");
        None
    }
}

impl Drop for StoppedThread {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The threads of the workers.
fn workers(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().map(|entry| entry.unwrap().path());
    let workers = threads.filter(|thread| {
        let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
        name.starts_with("actix-rt|system")
    });
    workers.map(|thread| thread.file_name().unwrap().to_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_hung_worker_gets_no_ping_and_a_free_one_does() {
    let systemd = Systemd::start();
    let serving = systemd.program(&[]);
    let ping = "WATCHDOG=1";
    systemd.messages_until(ping);
    let workers = workers(serving.id());
    assert!(!workers.is_empty());
    let Some(hung) = StoppedThread::stop(workers[0]) else { return };
    // A ping may be on its way, and another may be sent before the worker counts as hung.
    let stopped = Instant::now();
    let mut last_ping = Duration::ZERO;
    while stopped.elapsed() < WATCHDOG * 2 {
        if systemd.message(Duration::from_millis(100)).is_some() {
            last_ping = stopped.elapsed();
        }
    }
    assert!(last_ping < WATCHDOG, "a ping after {last_ping:?}");
    assert!(serving.written_log().contains("workers hang"), "{}", serving.written_log());
    drop(hung);
    systemd.messages_until(ping);
    serving.browser().get("/healthz").expect(200);
}
