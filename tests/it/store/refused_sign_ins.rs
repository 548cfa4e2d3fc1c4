//! A refused sign-in runs the same statements for an address of a user and for one that no user has.

use std::time::Duration;

use keydesk::actions::{Actions, SignInError};
use keydesk::domain::client::Client;
use keydesk::domain::token::TokenDigest;
use keydesk::domain::user::password::Password;

use super::captured_sql::{CapturedStore, statements_of};
use crate::support::TestServer;

/// The statements of a sign-in with a wrong password.
fn statements(actions: &Actions, email: &str, device: Option<&str>) -> Vec<String> {
    let client = Client { address: Some("192.0.2.1".parse().unwrap()), ..Client::none() };
    let device = device.map(TokenDigest::of);
    let (refused, sent) = statements_of(|| {
        actions.admit_sign_in(email, device, &client).unwrap();
        actions.sign_in(email, &Password::presented("not the password"), device, &client)
    });
    assert!(matches!(refused, Err(SignInError::Refused)), "{refused:?}");
    sent
}

#[test]
fn refusals_run_the_same_statements_whether_or_not_a_user_exists() {
    let server = TestServer::start();
    let captured = CapturedStore::connect(&server.database_url);
    let actions = Actions { store: captured.store.clone(), ..server.actions.clone() };
    for (what, device, hours) in [("first", None, 0), ("second", None, 0), ("an hour later", Some("stolen"), 1)] {
        server.advance(Duration::from_hours(hours));
        // The counter of the client exists and is recent in both cases.
        statements(&actions, &format!("{what}@brightwater.example").replace(' ', "-"), device);
        let user = statements(&actions, "maria@brightwater.example", device);
        let stranger = statements(&actions, "nobody@brightwater.example", device);
        assert!(user.len() > 6, "{user:?}");
        assert_eq!(user, stranger, "{what} refusal");
    }
    server.actions.report_refused_sign_ins().unwrap();
    assert_eq!(server.event_count("user.sign_in_refused"), 2);
}
