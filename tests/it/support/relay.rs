//! A relay in front of a PostgreSQL server, which can freeze: its connections stay open and transfer nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Relay {
    /// The URL of the database, through the relay.
    pub url: String,
    is_frozen: Arc<AtomicBool>,
}

impl Relay {
    /// Starts the relay in front of a server that is reached by a unix socket.
    pub fn start(url: &str) -> Self {
        let (user, rest) = url.split_once('@').unwrap();
        let (folder, name) = rest.split_once('/').unwrap();
        let socket = format!("{}/.s.PGSQL.5432", folder.replace("%2F", "/"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
        let is_frozen = Arc::new(AtomicBool::new(false));
        let of_relay = Arc::clone(&is_frozen);
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let server = UnixStream::connect(&socket).unwrap();
                let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (forth, back) = (Arc::clone(&of_relay), Arc::clone(&of_relay));
                std::thread::spawn(move || {
                    transfer(&client, &to_server, &forth);
                    let _ = to_server.shutdown(Shutdown::Both);
                });
                std::thread::spawn(move || {
                    transfer(&server, &to_client, &back);
                    let _ = TcpStream::shutdown(&to_client, Shutdown::Both);
                });
            }
        });
        Self { url, is_frozen }
    }

    pub fn freeze(&self) {
        self.is_frozen.store(true, Ordering::SeqCst);
    }
}

fn transfer(mut from: impl Read, mut to: impl Write, is_frozen: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        while is_frozen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
}
