//! Keys are refused quickly while Keydesk is unavailable or answers wrongly.

use std::time::{Duration, Instant};

use super::client::{Client, WEBSOCKET, bearer};
use super::fake_upstream::FakeUpstream;
use super::hostile::IDENTITY;
use super::message::Message;
use super::process::{Gateway, Start, unique_address};
use crate::cli::{Serving, keydesk_at};
use crate::support::{TestServer, database};

const KEY: &str = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g";

/// The longest time until a refusal, as `deploy/README.md` promises.
const LIMIT: Duration = Duration::from_secs(3);

/// Fails unless the gateway answers 503 in time, and without identity headers.
fn assert_unavailable(client: &mut Client, key: &str) {
    assert_refused_in_time(|| client.get_with_key(key));
}

/// Like [`assert_unavailable`], for every kind of request on new connections.
fn assert_nothing_passes(gateway: &Gateway, key: &str) {
    let key = bearer(key);
    let websocket = [&[key.as_str()], &WEBSOCKET[..]].concat();
    let sized = [&key, "Content-Length: 5"];
    let chunked = [&key, "Transfer-Encoding: chunked"];
    std::thread::scope(|scope| {
        for (method, lines, body) in [
            ("GET", &sized[..1], &b""[..]),
            ("POST", &sized, b"hello"),
            ("PUT", &chunked, b"5\r\nhello\r\n0\r\n\r\n"),
            ("GET", &websocket, b""),
        ] {
            scope.spawn(move || assert_refused_in_time(|| gateway.client().send(method, lines, body)));
        }
    });
}

fn assert_refused_in_time(send: impl FnOnce() -> Message) {
    let started = Instant::now();
    let answer = send();
    assert!(started.elapsed() <= LIMIT, "it took {:?}: {answer:?}", started.elapsed());
    assert_eq!(answer.status(), 503, "{answer:?}");
    assert!(answer.headers.iter().all(|(name, _)| !name.to_lowercase().contains("keydesk")), "{answer:?}");
}

pub fn nothing_passes_while_keydesk_is_stopped_or_frozen(start: Start) {
    let (installation, address, platform) = (TestServer::start(), unique_address(), FakeUpstream::platform());
    let gateway = start(address, platform.address);
    let (_, key) = installation.admin().create_key("ERP Sync");
    // A separate process: when it ends, the connections that a gateway keeps to it end, too.
    let keydesk = || {
        let mut command = keydesk_at(installation.folder.path(), &address.to_string());
        command.args(["--database-url", &installation.database_url]);
        Serving::start(command, 1)
    };
    let running = keydesk();
    let mut kept = [gateway.client(), gateway.client()];
    assert_eq!(kept.each_mut().map(|client| client.get_with_key(&key).status()), [200, 200]);
    running.freeze();
    assert_unavailable(&mut kept[0], &key);
    assert_nothing_passes(&gateway, &key);
    running.thaw();
    assert_eq!(gateway.client().get_with_key(&key).status(), 200);
    drop(running);
    assert_unavailable(&mut kept[1], &key);
    assert_nothing_passes(&gateway, &key);
    assert_eq!(platform.requests().len(), 3);
    let _back = keydesk();
    assert_eq!(gateway.client().get_with_key(&key).status(), 200);
}

pub fn nothing_passes_while_keydesk_has_no_database(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let (_, key) = keydesk.admin().create_key("ERP Sync");
    let mut client = gateway.client();
    assert_eq!(client.get_with_key(&key).status(), 200);
    database::take_away(&keydesk.database_url);
    assert_unavailable(&mut client, &key);
    assert_nothing_passes(&gateway, &key);
    assert_eq!(platform.requests().len(), 1);
    database::give_back(&keydesk.database_url);
    let started = Instant::now();
    while gateway.client().get_with_key(&key).status() != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "Keydesk has not recovered");
    }
}

pub fn an_unexpected_answer_of_keydesk_is_a_refusal(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(""), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let without = |missing: &str| {
        let present = IDENTITY.iter().filter(|name| **name != missing).map(|name| format!("{name}: 1\r\n"));
        format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n", present.collect::<String>()).leak()
    };
    let incomplete = IDENTITY.map(|missing| &*without(missing));
    let others = [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /sign-in\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Keydesk-Key-Id: k\r\n",
        "220 mail.example ESMTP\r\n",
        " ",
    ];
    for (before, answer) in incomplete.into_iter().chain(others).enumerate() {
        keydesk.set_answer(answer);
        assert_unavailable(&mut gateway.client(), KEY);
        assert!(keydesk.requests().len() > before, "{answer}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_slow_keydesk_is_a_refusal(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(""), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    assert_unavailable(&mut gateway.client(), KEY);
    assert_eq!((platform.requests().len(), keydesk.requests().len()), (0, 1));
}
