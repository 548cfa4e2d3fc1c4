//! Requests with invalid keys never reach the platform.

use std::time::Duration;

use super::client::bearer;
use super::fake_upstream::FakeUpstream;
use super::process::Start;
use crate::support::TestServer;

/// A refusal by a fake Keydesk.
const REFUSAL: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n\
     Content-Length: 2\r\n\r\nno";

pub fn an_invalid_key_never_reaches_the_platform(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let (_, expired) = keydesk.admin().create_key_for("ERP Sync", "30d");
    keydesk.advance(Duration::from_hours(31 * 24));
    let unknown = bearer("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g");
    let (expired, malformed) = (bearer(&expired), bearer("nonsense"));
    let mut client = gateway.client();
    for lines in [&[][..], &["Authorization:"], &["Authorization: Basic Og=="], &[&malformed], &[&unknown], &[&expired]]
    {
        let answer = client.get(lines);
        assert_eq!(answer.status(), 401, "{lines:?}: {answer:?}");
        assert_eq!(answer.only("www-authenticate"), r#"Bearer error="invalid_token""#, "{lines:?}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_revoked_key_is_refused_at_the_next_request(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let admin = keydesk.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let mut kept = gateway.client();
    assert_eq!([(); 3].map(|()| kept.get_with_key(&key).status()), [200; 3]);
    admin.revoke(&id, "compromised", "").expect(303);
    assert_eq!(kept.get_with_key(&key).status(), 401);
    assert_eq!(gateway.client().get_with_key(&key).status(), 401);
    assert_eq!(platform.requests().len(), 3);
}

pub fn two_authorization_headers_are_refused(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let good = bearer(&keydesk.admin().create_key("ERP Sync").1);
    for lines in [[good.as_str(), &good], [&good, "authorization: Basic Og=="], ["AUTHORIZATION: Basic Og==", &good]] {
        let status = gateway.client().get(&lines).status();
        assert!(matches!(status, 400 | 401), "{lines:?}: {status}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_refusal_keeps_the_connection_to_keydesk(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(REFUSAL), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    assert_eq!([(); 5].map(|()| gateway.client().get_with_key("nonsense").status()), [401; 5]);
    assert_eq!((keydesk.requests().len(), keydesk.connections()), (5, 1));
}
