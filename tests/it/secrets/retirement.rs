//! A set is retired once nothing needs it, or with all that still does.

use super::{active_set, add_set, keydesk, refusal, renew, rotate, wait_until};
use crate::support::authenticator::Authenticator;
use crate::support::{TestServer, database};

#[test]
fn a_set_that_active_keys_need_is_not_retired() {
    let server = TestServer::start();
    let (admin, first) = (server.admin(), active_set(&server));
    let (used, unused) = (admin.create_key("Used"), admin.create_key("Unused"));
    let active = refusal(&server, &["secrets", "retire", &first]);
    assert!(active.contains("is active"), "{active}");
    let second = rotate(&[&server]);
    renew(&server, &used, &second);
    let refused = refusal(&server, &["secrets", "retire", &first]);
    assert!(refused.contains("1 active keys and 0 second factors"), "{refused}");
    assert_eq!(server.whoami(&unused.1), 200);
    wait_until("the last key has moved", || keydesk(&server, &["secrets", "status"]).contains("All 2 active keys"));
    let retired = keydesk(&server, &["secrets", "retire", &first]);
    assert_eq!(retired, format!("Retired: {first}\n"));
    let file = std::fs::read_to_string(server.folder.path().join("secrets")).unwrap();
    assert!(!file.contains(&first) && file.contains(&second));
    assert_eq!(database::count(&server.database_url, "secret_checks", &format!("id = '{first}'")), 0);
    assert!(refusal(&server, &["secrets", "retire", &first]).contains("There is no set"));
    assert_eq!([&used, &unused].map(|(_, key)| server.whoami(key)), [200; 2]);
}

#[test]
fn the_rest_is_revoked_with_the_set() {
    let server = TestServer::start();
    let (admin, auditor, first) = (server.admin(), server.auditor(), active_set(&server));
    Authenticator::set_up(&auditor, server.clock.now());
    let keys: Vec<_> = (0..60).map(|number| admin.create_key(&format!("Key {number}"))).collect();
    let second = rotate(&[&server]);
    renew(&server, &keys[0], &second);
    let retired = keydesk(&server, &["secrets", "retire", &first, "--revoke-rest"]);
    assert_eq!(retired, format!("Retired: {first}\nRevoked 59 keys.\nRemoved 1 second factor.\n"));
    assert_eq!(server.whoami(&keys[0].1), 200);
    assert_eq!(keys[1..].iter().map(|(_, key)| server.whoami(key)).collect::<Vec<_>>(), [401; 59]);
    let compromised = "action = 'api_key.revoked' AND reason = 'compromised' AND actor_type = 'command_line'";
    assert_eq!(database::count(&server.database_url, "events", compromised), 59);
    assert_eq!(server.event_count("user.second_factor_changed"), 2);
    keydesk(&server, &["audit", "verify"]);
}

#[test]
fn a_pending_set_can_be_retired() {
    let server = TestServer::start();
    let first = active_set(&server);
    drop(server.admin());
    let folder = std::sync::Arc::clone(&server.folder);
    let url = server.database_url.clone();
    drop(server);
    let added = super::keydesk_in(folder.path(), &url, &["secrets", "rotate"]);
    let id = added.lines().next().unwrap().strip_prefix("Added: ").unwrap().to_owned();
    let retired = super::keydesk_in(folder.path(), &url, &["secrets", "retire", &id]);
    assert_eq!(retired, format!("Retired: {id}\n"));
    let status = super::keydesk_in(folder.path(), &url, &["secrets", "status"]);
    assert!(status.contains(&format!("{first}\tactive")) && !status.contains(&id), "{status}");
}

#[test]
fn there_are_at_most_four_sets() {
    let server = TestServer::start();
    for _ in 0..3 {
        add_set(&server);
    }
    let refused = refusal(&server, &["secrets", "rotate"]);
    assert!(refused.contains("Retire one first"), "{refused}");
}
