//! hypercorn as the platform behind a gateway. It speaks h2c and WebSockets, and records what arrives.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde::Deserialize;

use crate::gateways::process::from_pypi;

/// Dropping it kills the process.
pub struct RecordingPlatform {
    pub address: SocketAddr,
    process: Child,
    arrivals: Receiver<Arrival>,
}

/// A request that arrived at the platform. The names of headers are in lower case.
#[derive(Debug, Deserialize)]
pub struct Arrival {
    pub kind: String,
    pub version: String,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl RecordingPlatform {
    pub fn start() -> Self {
        // The process inherits the listening socket, so that no other program can take its port.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut process = Command::new(from_pypi("hypercorn"))
            .args(["recording_platform:platform", "--bind", "fd://0", "--workers", "0", "--error-logfile", "/dev/null"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, arrivals) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { address, process, arrivals }
    }

    /// The requests that have arrived since the last call, up to the one with this target.
    pub fn arrivals_until(&self, target: &str) -> Vec<Arrival> {
        let next = || self.arrivals.recv_timeout(Duration::from_secs(20)).unwrap();
        let mut arrivals = Vec::new();
        loop {
            arrivals.push(next());
            if arrivals.last().is_some_and(|last| last.target == target) {
                return arrivals;
            }
        }
    }
}

impl Drop for RecordingPlatform {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Arrival {
    /// Whether the method and the body of a request, "hello" or nothing, have arrived.
    pub fn is_whole(&self, request: &[u8]) -> bool {
        let has_body = request.windows(5).any(|bytes| bytes == b"hello");
        let body = if has_body { "hello" } else { "" };
        request.starts_with(format!("{} ", self.method).as_bytes()) && self.body == body && self.kind == "http"
    }

    /// The values of the headers whose name a program reads as `name`: CGI, WSGI and PHP turn every character except
    /// letters and digits into `_`.
    pub fn read_as(&self, name: &str) -> Vec<(&str, &str)> {
        let folded =
            |name: &str| name.to_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        let headers = self.headers.iter().filter(|(own, _)| folded(own) == folded(name));
        headers.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
