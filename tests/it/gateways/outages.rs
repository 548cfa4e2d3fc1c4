//! Where nobody can say whether a key is good, it is refused, and soon.

use std::time::{Duration, Instant};

use super::client::Client;
use super::process::{Start, own_address};
use super::stand_in::StandIn;
use crate::cli::{Serving, keydesk_at};
use crate::support::{TestServer, database};

const KEY: &str = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g";

/// An answer of a gateway that knows nothing.
fn refuses(client: &mut Client, key: &str) {
    let answer = client.ask_with(key);
    assert!((500..600).contains(&answer.status()), "{answer:?}");
    assert!(answer.headers.iter().all(|(name, _)| !name.to_lowercase().contains("keydesk")), "{answer:?}");
}

pub fn nothing_passes_while_keydesk_is_stopped(start: Start) {
    let (office, address, platform) = (TestServer::start(), own_address(), StandIn::platform());
    let gateway = start(address, &platform);
    let (_, key) = office.admin().create_key("ERP Sync");
    // A process of its own: once it has ended, no connection that a gateway kept is answered any more.
    let keydesk = || {
        let mut command = keydesk_at(office.folder.path(), &address.to_string());
        command.args(["--database-url", &office.database_url]);
        Serving::start(command, 1)
    };
    let running = keydesk();
    let mut client = gateway.client();
    assert_eq!(client.ask_with(&key).status(), 200);
    drop(running);
    refuses(&mut client, &key);
    refuses(&mut gateway.client(), &key);
    assert_eq!(platform.requests().len(), 1);
    let _back = keydesk();
    assert_eq!(gateway.client().ask_with(&key).status(), 200);
}

pub fn nothing_passes_while_keydesk_has_no_database(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let (_, key) = keydesk.admin().create_key("ERP Sync");
    let mut client = gateway.client();
    assert_eq!(client.ask_with(&key).status(), 200);
    database::tamper(&keydesk.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    refuses(&mut client, &key);
    refuses(&mut gateway.client(), &key);
    assert_eq!(platform.requests().len(), 1);
    database::tamper(&keydesk.database_url, "ALTER TABLE hidden RENAME TO api_keys");
    assert_eq!(gateway.client().ask_with(&key).status(), 200);
}

pub fn what_is_not_the_yes_of_keydesk_is_a_no(start: Start) {
    let (keydesk, platform) = (StandIn::answering(""), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    for (asked, said) in [
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
        keydesk.turn_to(said);
        refuses(&mut gateway.client(), KEY);
        assert!(keydesk.requests().len() > asked, "{said}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_slow_keydesk_is_not_waited_for(start: Start) {
    let (keydesk, platform) = (StandIn::answering(""), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let began = Instant::now();
    refuses(&mut gateway.client(), KEY);
    assert!(began.elapsed() < Duration::from_millis(3_500), "it took {:?}", began.elapsed());
    assert_eq!((platform.requests().len(), keydesk.requests().len()), (0, 1));
}
