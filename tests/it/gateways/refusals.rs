//! What is refused: every key that is not good now, before the platform hears of it.

use std::time::Duration;

use super::client::bearer;
use super::process::Start;
use super::stand_in::StandIn;
use crate::support::TestServer;

/// Keydesk's no, from a stand-in.
const NO: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n\
     Content-Length: 2\r\n\r\nno";

pub fn a_key_that_is_not_good_never_reaches_the_platform(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let (_, expired) = keydesk.admin().create_key_for("ERP Sync", "30d");
    keydesk.wait(Duration::from_hours(31 * 24));
    let unknown = bearer("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g");
    let (expired, malformed) = (bearer(&expired), bearer("nonsense"));
    let mut client = gateway.client();
    for lines in [&[][..], &["Authorization:"], &["Authorization: Basic Og=="], &[&malformed], &[&unknown], &[&expired]]
    {
        let answer = client.ask(lines);
        assert_eq!(answer.status(), 401, "{lines:?}: {answer:?}");
        assert_eq!(answer.only("www-authenticate"), r#"Bearer error="invalid_token""#, "{lines:?}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_revoked_key_is_refused_at_the_very_next_request(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let admin = keydesk.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let mut kept = gateway.client();
    assert_eq!([(); 3].map(|()| kept.ask_with(&key).status()), [200; 3]);
    admin.revoke(&id, "compromised", "").expect(303);
    assert_eq!(kept.ask_with(&key).status(), 401);
    assert_eq!(gateway.client().ask_with(&key).status(), 401);
    assert_eq!(platform.requests().len(), 3);
}

pub fn two_authorization_headers_are_refused(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let good = bearer(&keydesk.admin().create_key("ERP Sync").1);
    for lines in [[good.as_str(), &good], [&good, "authorization: Basic Og=="], ["AUTHORIZATION: Basic Og==", &good]] {
        let status = gateway.client().ask(&lines).status();
        assert!(matches!(status, 400 | 401), "{lines:?}: {status}");
    }
    assert_eq!(platform.requests().len(), 0);
}

pub fn a_refusal_costs_no_connection_to_keydesk(start: Start) {
    let (keydesk, platform) = (StandIn::answering(NO), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    assert_eq!([(); 5].map(|()| gateway.client().ask_with("nonsense").status()), [401; 5]);
    assert_eq!((keydesk.requests().len(), keydesk.connections()), (5, 1));
}
