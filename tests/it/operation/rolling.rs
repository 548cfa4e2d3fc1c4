//! Restarts of two servers behind HAProxy, one after the other.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use tempfile::TempDir;

use crate::cli::{Serving, keydesk_at};
use crate::gateways::process::unique_address;
use crate::support::{TestServer, figures};

/// The number of rounds; 20 in `make endurance`.
const ROUNDS: usize = 2;
const CLIENTS: usize = 6;

/// A balancer that sends requests to ready servers, and names the server in each response.
struct Balancer {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Balancer {
    fn start(servers: [SocketAddr; 2]) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), unique_address());
        let [a, b] = servers;
        let configuration = format!(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n  timeout check 5s\n\
             frontend clients\n  bind {address}\n  default_backend keydesk\n\
             backend keydesk\n  option httpchk GET /readyz\n  http-check expect status 200\n\
             \u{20} default-server check inter 100ms fall 1 rise 1\n  http-response set-header X-Server %s\n\
             \u{20} server a {a}\n  server b {b}\n"
        );
        fs::write(folder.path().join("haproxy.cfg"), configuration).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f", "haproxy.cfg"]).current_dir(folder.path()).env("PATH", format!("{path}:/usr/sbin"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { address, process: process.unwrap(), _folder: folder }
    }

    /// Waits until a request was answered by this server.
    fn wait_for(&self, server: &str) {
        let started = Instant::now();
        let is_answer = |response: reqwest::blocking::Response| {
            response.headers().get("x-server").is_some_and(|name| name == server)
        };
        while !reqwest::blocking::get(format!("http://{}/healthz", self.address)).is_ok_and(is_answer) {
            assert!(started.elapsed() < Duration::from_mins(1), "server {server} gets no request");
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn no_request_is_lost_in_rolling_restarts() {
    let rounds = figures::count(ROUNDS, 20);
    let installation = TestServer::start();
    let (_, key) = installation.admin().create_key("ERP Sync");
    let servers = [unique_address(), unique_address()];
    let start = |address: SocketAddr| {
        let mut command = keydesk_at(installation.folder.path(), &address.to_string());
        command.args(["--drain", "2s", "--log-level", "warn", "--database-url", &installation.database_url]);
        Serving::start(command, 1)
    };
    let mut running = servers.map(|address| Some(start(address)));
    let balancer = Balancer::start(servers);
    let names = ["a", "b"];
    for name in names {
        balancer.wait_for(name);
    }
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let client = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
                let url = format!("http://{}/v1/whoami", balancer.address);
                while !is_over.load(Ordering::Relaxed) {
                    let answer = client.get(&url).bearer_auth(&key).send().unwrap();
                    let (status, body) = (answer.status(), answer.text().unwrap_or_default());
                    assert_eq!(status, 200, "{body}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut roll = || {
            for _ in 0..rounds {
                for ((running, address), name) in running.iter_mut().zip(servers).zip(names) {
                    assert_eq!(running.take().unwrap().stop(), 0);
                    *running = Some(start(address));
                    balancer.wait_for(name);
                }
            }
        };
        let rolled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut roll));
        is_over.store(true, Ordering::Relaxed);
        rolled.unwrap();
    });
    println!("{} requests in {rounds} rounds, each answered", answered.load(Ordering::Relaxed));
    assert!(answered.load(Ordering::Relaxed) > 100);
}
