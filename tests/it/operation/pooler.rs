//! PgBouncer between Keydesk and PostgreSQL.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::waiting::socket_folder;
use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run};
use crate::gateways::process::unique_address;
use crate::support::database;

struct PgBouncer {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl PgBouncer {
    fn start(sockets: &str, mode: &str) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), unique_address());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let configuration = folder.path().join("pgbouncer.ini");
        let users = folder.path().join("users");
        fs::write(&users, "\"keydesk\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host={sockets}\n[pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = {mode}\nserver_round_robin = 0\nlogfile = /dev/stderr\n",
            address.ip(),
            address.port(),
            users.display()
        );
        fs::write(&configuration, text).unwrap();
        for file in [&configuration, &users] {
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        // It refuses to run as root.
        let is_root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
        let mut command = if is_root { Command::new("runuser") } else { Command::new("env") };
        if is_root {
            command.args(["-u", "postgres", "--"]);
        }
        command.arg("pgbouncer").arg(&configuration).current_dir("/");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{path}:/usr/sbin"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                process.try_wait().unwrap().is_none(),
                "pgbouncer exited. Is it installed? Run tests/install_tools pooler"
            );
            assert!(started.elapsed() < Duration::from_mins(1), "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, address, _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // `runuser` passes SIGTERM on, which SIGKILL is not.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

#[test]
fn a_pooler_is_accepted_if_it_keeps_sessions() {
    let Some(sockets) = socket_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let direct = database::new_url(&folder);
    let name = direct.rsplit('/').next().unwrap();
    for mode in ["transaction", "statement"] {
        let pooler = PgBouncer::start(&sockets, mode);
        let url = format!("postgres://keydesk@{}/{name}", pooler.address);
        for words in [&["serve"][..], &["migrate"], &["gateway", "list"]] {
            let sentence = refusal(folder.path(), &[words, &["--database-url", &url]].concat(), &[]);
            assert!(sentence.contains("pool_mode = session"), "{mode}: {sentence}");
        }
    }
    let pooler = PgBouncer::start(&sockets, "session");
    let url = format!("postgres://keydesk@{}/{name}", pooler.address);
    assert!(run(folder.path(), &url, &["gateway", "add", "edge"], "").status.success());
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url]);
    assert_eq!(Serving::start(command, 2).stop(), 0);
}
