//! Keys are refused quickly while Keydesk is unavailable or answers wrongly.

use std::time::{Duration, Instant};

use super::client::Client;
use super::fake_upstream::FakeUpstream;
use super::process::{Start, unique_address};
use crate::cli::{Serving, keydesk_at};
use crate::support::{TestServer, database};

const KEY: &str = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g";

/// Fails unless the gateway answers with a server error and without identity headers.
fn assert_unavailable(client: &mut Client, key: &str) {
    let answer = client.get_with_key(key);
    assert!((500..600).contains(&answer.status()), "{answer:?}");
    assert!(answer.headers.iter().all(|(name, _)| !name.to_lowercase().contains("keydesk")), "{answer:?}");
}

pub fn nothing_passes_while_keydesk_is_stopped(start: Start) {
    let (installation, address, platform) = (TestServer::start(), unique_address(), FakeUpstream::platform());
    let gateway = start(address, &platform);
    let (_, key) = installation.admin().create_key("ERP Sync");
    // A separate process: when it ends, the connections that a gateway keeps to it end, too.
    let keydesk = || {
        let mut command = keydesk_at(installation.folder.path(), &address.to_string());
        command.args(["--database-url", &installation.database_url]);
        Serving::start(command, 1)
    };
    let running = keydesk();
    let mut client = gateway.client();
    assert_eq!(client.get_with_key(&key).status(), 200);
    drop(running);
    assert_unavailable(&mut client, &key);
    assert_unavailable(&mut gateway.client(), &key);
    assert_eq!(platform.requests().len(), 1);
    let _back = keydesk();
    assert_eq!(gateway.client().get_with_key(&key).status(), 200);
}

pub fn nothing_passes_while_keydesk_has_no_database(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, &platform);
    let (_, key) = keydesk.admin().create_key("ERP Sync");
    let mut client = gateway.client();
    assert_eq!(client.get_with_key(&key).status(), 200);
    database::tamper(&keydesk.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    assert_unavailable(&mut client, &key);
    assert_unavailable(&mut gateway.client(), &key);
    assert_eq!(platform.requests().len(), 1);
    database::tamper(&keydesk.database_url, "ALTER TABLE hidden RENAME TO api_keys");
    assert_eq!(gateway.client().get_with_key(&key).status(), 200);
}

pub fn an_unexpected_answer_of_keydesk_is_a_refusal(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(""), FakeUpstream::platform());
    let gateway = start(keydesk.address, &platform);
    for (before, answer) in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Keydesk-Key-Id: k\r\nX-Keydesk-Company: c\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /sign-in\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Keydesk-Key-Id: k\r\n",
        "220 mail.example ESMTP\r\n",
        " ",
    ]
    .into_iter()
    .enumerate()
    {
        keydesk.set_answer(answer);
        assert_unavailable(&mut gateway.client(), KEY);
        assert!(keydesk.requests().len() > before, "{answer}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_slow_keydesk_is_a_refusal(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(""), FakeUpstream::platform());
    let gateway = start(keydesk.address, &platform);
    let started = Instant::now();
    assert_unavailable(&mut gateway.client(), KEY);
    assert!(started.elapsed() < Duration::from_millis(3_500), "it took {:?}", started.elapsed());
    assert_eq!((platform.requests().len(), keydesk.requests().len()), (0, 1));
}
