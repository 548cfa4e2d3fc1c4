//! Runs a gateway process with the files in `deploy/`, in which only the addresses are replaced.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::Client;

/// Starts a gateway in front of Keydesk and a platform.
pub type Start = fn(SocketAddr, SocketAddr) -> Gateway;

/// A running gateway. Dropping it kills the process.
pub struct Gateway {
    pub address: SocketAddr,
    process: Child,
    folder: TempDir,
}

/// How to run a gateway with its files.
struct Program {
    path: PathBuf,
    folder: &'static str,
    files: &'static [&'static str],
    replaced: fn(&Addresses) -> Vec<(&'static str, String)>,
    configure: fn(&mut Command, &Path),
}

struct Addresses {
    outer: SocketAddr,
    /// Of the listener through which some gateways connect to Keydesk.
    inner: SocketAddr,
    keydesk: SocketAddr,
    platform: SocketAddr,
}

/// The configuration that Debian has around a site, for this folder and a single foreground process.
const NGINX: &str = "daemon off; master_process off; pid pid; error_log stderr; events {}
    http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        include platform.conf;
    }";

pub fn nginx(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    let nginx = Program {
        path: "nginx".into(),
        folder: "nginx",
        files: &["platform.conf"],
        replaced: |addresses| addresses.outer_and_upstreams(),
        configure: |nginx, folder| {
            fs::write(folder.join("nginx.conf"), NGINX).unwrap();
            nginx.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
        },
    };
    nginx.start(keydesk, platform)
}

pub fn caddy(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    caddy_of(from_pypi("caddy"), keydesk, platform)
}

/// The version in Debian 12.
pub fn older_caddy(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    caddy_of("caddy".into(), keydesk, platform)
}

fn caddy_of(program: PathBuf, keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    let caddy = Program {
        path: program,
        folder: "caddy",
        files: &["Caddyfile"],
        replaced: |addresses| {
            let mut replaced = addresses.upstreams();
            replaced.push(("http://:8000", format!("http://:{}", addresses.outer.port())));
            replaced.push(("bind 127.0.0.1", format!("bind {}", addresses.outer.ip())));
            replaced
        },
        configure: |caddy, folder| {
            caddy.args(["run", "--config", "Caddyfile"]);
            caddy.env("CADDY_ADMIN", format!("unix/{}", folder.join("admin").display()));
            caddy.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        },
    };
    caddy.start(keydesk, platform)
}

pub fn haproxy(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    let haproxy = Program {
        path: "haproxy".into(),
        folder: "haproxy",
        files: &["haproxy.cfg", "keydesk.lua"],
        replaced: |addresses| {
            let mut replaced = addresses.outer_and_upstreams();
            replaced.push(("127.0.0.1:8081", addresses.inner.to_string()));
            replaced.push(("/etc/haproxy/keydesk.lua", "keydesk.lua".into()));
            // Without root, HAProxy cannot change its user.
            replaced.extend([("    user haproxy\n", String::new()), ("    group haproxy\n", String::new())]);
            replaced
        },
        configure: |haproxy, _| {
            haproxy.args(["-db", "-f", "haproxy.cfg"]);
        },
    };
    haproxy.start(keydesk, platform)
}

pub fn envoy(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    let envoy = Program {
        path: from_pypi("envoy"),
        folder: "envoy",
        files: &["envoy.yaml"],
        replaced: |addresses| {
            let written = |address: SocketAddr| format!("address: {}, port_value: {}", address.ip(), address.port());
            vec![
                ("address: 127.0.0.1, port_value: 8000", written(addresses.outer)),
                ("address: 127.0.0.1, port_value: 8080", written(addresses.keydesk)),
                ("address: 127.0.0.1, port_value: 9000", written(addresses.platform)),
            ]
        },
        configure: |envoy, _| {
            // Several instances share a machine, and one thread keeps one connection to Keydesk.
            envoy.args(["-c", "envoy.yaml", "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]);
        },
    };
    envoy.start(keydesk, platform)
}

pub fn traefik(keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
    let traefik = Program {
        path: from_pypi("traefik"),
        folder: "traefik",
        files: &["traefik.yaml", "platform.yaml"],
        replaced: |addresses| {
            let mut replaced = addresses.outer_and_upstreams();
            replaced.push(("127.0.0.1:8081", addresses.inner.to_string()));
            replaced
        },
        configure: |traefik, _| {
            traefik.arg("--configFile=traefik.yaml");
        },
    };
    traefik.start(keydesk, platform)
}

/// A program that `tests/gateways.txt` installs.
pub fn from_pypi(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gateways/bin").join(name);
    assert!(program.exists(), "{name} is missing. Run: make target/gateways/bin/hypercorn");
    program
}

impl Addresses {
    fn upstreams(&self) -> Vec<(&'static str, String)> {
        vec![("127.0.0.1:8080", self.keydesk.to_string()), ("127.0.0.1:9000", self.platform.to_string())]
    }

    fn outer_and_upstreams(&self) -> Vec<(&'static str, String)> {
        [vec![("127.0.0.1:8000", self.outer.to_string())], self.upstreams()].concat()
    }
}

impl Program {
    /// Starts the gateway on a free address, and on another one if that is taken meanwhile.
    fn start(&self, keydesk: SocketAddr, platform: SocketAddr) -> Gateway {
        for _ in 0..5 {
            let addresses = Addresses { outer: unique_address(), inner: unique_address(), keydesk, platform };
            match self.start_at(&addresses) {
                Ok(gateway) => return gateway,
                Err(log) if log.to_lowercase().contains("address already in use") => {}
                Err(log) => panic!("{} exited: {log}", self.folder),
            }
        }
        panic!("{} found no free address", self.folder);
    }

    /// Copies the files with the addresses replaced, and starts the program. Returns its log if it exits.
    fn start_at(&self, addresses: &Addresses) -> Result<Gateway, String> {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(self.folder);
        let texts: Vec<String> = self.files.iter().map(|file| fs::read_to_string(source.join(file)).unwrap()).collect();
        let replaced = (self.replaced)(addresses);
        for (written, _) in &replaced {
            assert!(texts.iter().any(|text| text.contains(written)), "no file of {} contains {written}", self.folder);
        }
        for (file, text) in self.files.iter().zip(texts) {
            let text = replaced.iter().fold(text, |text, (written, wanted)| text.replace(written, wanted));
            fs::write(folder.path().join(file), text).unwrap();
        }

        let mut command = Command::new(&self.path);
        (self.configure)(&mut command, folder.path());
        // Debian installs servers in /usr/sbin, which not every PATH contains.
        let path = std::env::var("PATH").unwrap_or_default();
        command.current_dir(folder.path()).env("PATH", format!("{path}:/usr/sbin"));
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("{} is not installed. Run tests/install_tools gateways", self.folder),
            _ => panic!("{} cannot be started: {error}", self.folder),
        });
        let mut gateway = Gateway { address: addresses.outer, process, folder };
        gateway.wait_until_ready().map(|()| gateway)
    }
}

impl Gateway {
    /// Waits until the gateway answers a preflight request, which neither Keydesk nor the platform sees. (Traefik
    /// listens before it has read its routes.)
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        while !Client::answers_preflight(self.address) {
            if self.process.try_wait().unwrap().is_some() {
                return Err(self.log());
            }
            assert!(started.elapsed() < Duration::from_mins(1), "the gateway does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// A client with a new connection.
    pub fn client(&self) -> Client {
        Client::of(self.address)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// A free port on an address that no other test and hardly another test process uses. A port of 127.0.0.1 could be taken
/// before the gateway listens.
pub fn unique_address() -> SocketAddr {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, high.max(1), low, COUNT.fetch_add(1, Ordering::SeqCst).clamp(1, 254));
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}
