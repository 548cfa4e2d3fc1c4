//! Runs a gateway process with the files in `deploy/`, in which only the addresses are replaced.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::Client;
use super::fake_upstream::FakeUpstream;

/// Starts a gateway in front of Keydesk and a platform.
pub type Start = fn(SocketAddr, &FakeUpstream) -> Gateway;

/// A running gateway. Dropping it kills the process.
pub struct Gateway {
    pub address: SocketAddr,
    process: Child,
    folder: TempDir,
}

/// The configuration that Debian has around a site, for this folder and a single foreground process.
const NGINX: &str = "daemon off; master_process off; pid pid; error_log stderr; events {}
    http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        include platform.conf;
    }";

pub fn nginx(keydesk: SocketAddr, platform: &FakeUpstream) -> Gateway {
    let address = unique_address();
    let own = [("127.0.0.1:8000", &*address.to_string())];
    Gateway::start(address, keydesk, platform, ("nginx", &["platform.conf"]), &own, |nginx, folder| {
        fs::write(folder.join("nginx.conf"), NGINX).unwrap();
        nginx.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
    })
}

pub fn caddy(keydesk: SocketAddr, platform: &FakeUpstream) -> Gateway {
    let address = unique_address();
    let (site, bind) = (format!("http://:{}", address.port()), format!("bind {}", address.ip()));
    let own = [("http://:8000", site.as_str()), ("bind 127.0.0.1", &bind)];
    Gateway::start(address, keydesk, platform, ("caddy", &["Caddyfile"]), &own, |caddy, folder| {
        caddy.args(["run", "--config", "Caddyfile"]);
        caddy.env("CADDY_ADMIN", format!("unix/{}", folder.join("admin").display()));
        caddy.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    })
}

pub fn haproxy(keydesk: SocketAddr, platform: &FakeUpstream) -> Gateway {
    let address = unique_address();
    let (outer, inner) = (address.to_string(), unique_address().to_string());
    // Without root, HAProxy cannot change its user.
    let own = [
        ("    user haproxy\n", ""),
        ("    group haproxy\n", ""),
        ("/etc/haproxy/keydesk.lua", "keydesk.lua"),
        ("127.0.0.1:8000", &outer),
        ("127.0.0.1:8081", &inner),
    ];
    Gateway::start(address, keydesk, platform, ("haproxy", &["haproxy.cfg", "keydesk.lua"]), &own, |haproxy, _| {
        haproxy.args(["-db", "-f", "haproxy.cfg"]);
    })
}

impl Gateway {
    /// Copies the files of a gateway with the replacements in `own`, and starts the program as `configure` says.
    fn start(
        address: SocketAddr,
        keydesk: SocketAddr,
        platform: &FakeUpstream,
        (name, files): (&str, &[&str]),
        own: &[(&str, &str)],
        configure: impl FnOnce(&mut Command, &Path),
    ) -> Self {
        let (keydesk, platform) = (keydesk.to_string(), platform.address.to_string());
        let replaced = [own, &[("127.0.0.1:8080", &keydesk), ("127.0.0.1:9000", &platform)]].concat();
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
        let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(source.join(file)).unwrap()).collect();
        for (written, _) in &replaced {
            assert!(texts.iter().any(|text| text.contains(written)), "no file of {name} contains {written}");
        }
        for (file, text) in files.iter().zip(texts) {
            let text = replaced.iter().fold(text, |text, (written, wanted)| text.replace(written, wanted));
            fs::write(folder.path().join(file), text).unwrap();
        }

        let mut command = Command::new(name);
        configure(&mut command, folder.path());
        // Debian installs servers in /usr/sbin, which not every PATH contains.
        let path = std::env::var("PATH").unwrap_or_default();
        command.current_dir(folder.path()).env("PATH", format!("{path}:/usr/sbin"));
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("{name} is not installed. Run tests/install_tools gateways"),
            _ => panic!("{name} cannot be started: {error}"),
        });
        let mut gateway = Self { address, process, folder };
        gateway.wait_until_listening();
        gateway
    }

    fn wait_until_listening(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "the gateway exited");
            assert!(started.elapsed() < Duration::from_secs(20), "the gateway does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A client with a new connection.
    pub fn client(&self) -> Client {
        Client::of(self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
    }
}

/// A free port on an address that no other test uses. A port of 127.0.0.1 could be taken before the gateway listens.
pub fn unique_address() -> SocketAddr {
    static COUNT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes();
    TcpListener::bind((Ipv4Addr::new(127, 1, high, low), 0)).unwrap().local_addr().unwrap()
}
