//! A host that does not respond, before one that does.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use keydesk::config::Database;
use keydesk::store::Store;

use super::waiting::socket_folder;
use crate::cli::{run, text};
use crate::support::database;

/// A port that answers no packet: its queue of connections is full, and no program accepts them.
struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            queue.push(stream);
            assert!(queue.len() < 100_000);
        }
        Self { address, _listener: listener, _queue: queue }
    }
}

#[test]
fn a_host_that_does_not_respond_is_given_up() {
    let hole = BlackHole::new();
    let database = Database::parse(&format!("postgres://keydesk@{}/keydesk", hole.address)).unwrap();
    let began = Instant::now();
    let error = Store::inspect(&database).unwrap_err().to_string();
    assert!(error.contains("timeout expired"), "{error}");
    // Without the limit, it takes two minutes.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn the_next_host_of_the_list_is_used() {
    let Some(sockets) = socket_folder() else { return };
    let hole = BlackHole::new();
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let name = url.rsplit('/').next().unwrap();
    let sockets = sockets.replace('/', "%2F");
    let several = format!("postgres://keydesk@{},{sockets}/{name}", hole.address);
    let output = run(folder.path(), &several, &["gateway", "add", "Edge"], "");
    assert!(output.status.success(), "{output:?}");
    let list = run(folder.path(), &url, &["gateway", "list"], "");
    assert!(text(&list.stdout).contains("Edge"), "{list:?}");
}
