//! A PostgreSQL cluster of one test, whose files it may copy and replace.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A cluster in `data` of a folder that belongs to PostgreSQL's user. Dropping it stops the server.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// The user that runs PostgreSQL, which refuses to run as root.
    owner: Option<String>,
}

impl Cluster {
    /// Creates a cluster with these lines in its configuration, in which `FOLDER` is the folder.
    pub fn new(configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("keydesk-cluster-").tempdir_in("/tmp").unwrap();
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let cluster = Self { folder, programs: programs(), owner: is_root.then(owner) };
        if let Some(owner) = &cluster.owner {
            let id = |flag: &str| {
                let output = Command::new("id").args([flag, owner]).output().unwrap().stdout;
                String::from_utf8(output).unwrap().trim().parse().unwrap()
            };
            chown(cluster.folder(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let words = ["--username=keydesk", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
        run_program(cluster.command("initdb").args(words).arg("--pgdata").arg(cluster.file("data")));
        cluster.configure(configuration);
        cluster
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds lines to the configuration of the cluster in `data`.
    pub fn configure(&self, lines: &str) {
        let mut file = OpenOptions::new().append(true).open(self.file("data/postgresql.conf")).unwrap();
        writeln!(file, "{}", lines.replace("FOLDER", self.folder().to_str().unwrap())).unwrap();
    }

    pub fn start(&self) {
        let folder = self.folder().display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{folder}'");
        let mut command = self.command("pg_ctl");
        command.args(["start", "--silent", "--wait", "--timeout=60", "--options", &options]);
        run_program(command.arg("--log").arg(self.file("log")).arg("--pgdata").arg(self.file("data")));
    }

    /// Stops the server as a crash does.
    pub fn crash(&self) {
        let mut command = self.command("pg_ctl");
        command.args(["stop", "--silent", "--mode=immediate"]).arg("--pgdata").arg(self.file("data"));
        command.output().unwrap();
    }

    /// The URL of its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://keydesk@{}/postgres", self.folder().to_str().unwrap().replace('/', "%2F"))
    }

    /// A program of PostgreSQL, or another one, as its user.
    pub fn command(&self, program: &str) -> Command {
        let own = self.programs.join(program);
        let program = if own.exists() { own.as_os_str() } else { program.as_ref() };
        let mut command = match &self.owner {
            None => Command::new(program),
            Some(owner) => {
                let mut command = Command::new("runuser");
                command.args(["-u", owner, "--"]).arg(program);
                command
            }
        };
        command.current_dir(self.folder()).env("PGHOST", self.folder()).env("PGUSER", "keydesk").env_remove("PGPORT");
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("PGBACKREST_CONFIG", self.file("pgbackrest.conf"));
        command
    }
}

/// Runs a command that succeeds.
pub fn run_program(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Debian installs the programs of each version in a folder outside PATH.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.map(|entry| entry.path()).max_by_key(number).map(|path| path.join("bin")).unwrap_or_default()
}

fn owner() -> String {
    let exists = Command::new("id").args(["-u", "postgres"]).output().is_ok_and(|output| output.status.success());
    if exists { "postgres" } else { "nobody" }.to_owned()
}
