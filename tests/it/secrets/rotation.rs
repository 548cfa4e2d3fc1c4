//! Keys work on every server while the secrets are rotated, and move to the new pepper when they are used.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{active_set, add_set, keydesk, pepper_of, renew, rotate, wait_until};
use crate::support::{AUDIT_TRAIL, TestServer, database};

#[test]
fn no_server_refuses_a_key_while_secrets_are_rotated() {
    let server = TestServer::start();
    let other = server.second_node();
    let admin = server.admin();
    let old: Vec<_> = (0..3).map(|number| admin.create_key(&format!("Old {number}"))).collect();
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let second = std::thread::scope(|scope| {
        for target in [&server, &other] {
            let (old, is_over, answered) = (&old, &is_over, &answered);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    for (_, key) in old {
                        assert_eq!(target.whoami(key), 200);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let mut second = String::new();
        for number in 0..2 {
            second = rotate(&[&server, &other]);
            let (id, key) = admin.create_key(&format!("New {number}"));
            assert_eq!(pepper_of(&server, &id), second);
            assert_eq!([&server, &other].map(|server| server.whoami(&key)), [200; 2]);
            wait_until("the old keys are renewed", || old.iter().all(|(id, _)| pepper_of(&server, id) == second));
        }
        is_over.store(true, Ordering::Relaxed);
        second
    });
    assert!(answered.load(Ordering::Relaxed) > 10);
    assert_eq!([&server, &other].map(active_set), [second.clone(), second]);
    assert_eq!(old.iter().map(|(_, key)| other.whoami(key)).collect::<Vec<_>>(), [200; 3]);
}

#[test]
fn the_status_says_how_many_keys_have_moved() {
    let server = TestServer::start();
    let admin = server.admin();
    let status = || keydesk(&server, &["secrets", "status"]);
    assert!(status().contains("There are no active keys."), "{}", status());
    let mut keys = vec![admin.create_key("Key 0")];
    assert!(status().contains("The only active key is under the active pepper."), "{}", status());
    keys.extend((1..3).map(|number| admin.create_key(&format!("Key {number}"))));
    let first = active_set(&server);
    assert!(status().contains("All 3 active keys are under the active pepper."), "{}", status());
    assert!(status().contains(&format!("{first}\tactive\t")), "{}", status());
    let second = rotate(&[&server]);
    assert!(status().contains("0 of 3 active keys are under the new pepper; the others were never used."));
    renew(&server, &keys[0], &second);
    let sql = format!("UPDATE key_usage SET last_used_at = 1795424400000000 WHERE key_id = '{}'", keys[1].0);
    database::tamper(&server.database_url, &sql);
    let sentence = "1 of 3 active keys are under the new pepper; the others were last used 2026-11-23T09:00:00Z.";
    assert!(status().contains(sentence), "{}", status());
    let lines = [format!("{first}\tformer\t"), format!("{second}\tactive\t")];
    assert!(lines.iter().all(|line| status().contains(line)), "{}", status());
    renew(&server, &keys[1], &second);
    renew(&server, &keys[2], &second);
    assert!(status().contains("All 3 active keys are under the active pepper."), "{}", status());
}

#[test]
fn a_renewal_leaves_the_cached_keys_and_the_key_of_its_holder_alone() {
    let server = TestServer::start();
    let admin = server.admin();
    let key = admin.create_key("ERP Sync");
    let epoch = || {
        let is_sqlite = server.database_url.starts_with("sqlite");
        if is_sqlite { database::column(&server.database_url, "epoch", "FROM key_epoch") } else { Vec::new() }
    };
    let row =
        || database::column(&server.database_url, "version || preview || created_at || refused_from", "FROM api_keys");
    let second = rotate(&[&server]);
    let before = (epoch(), row());
    renew(&server, &key, &second);
    assert_eq!((epoch(), row()), before);
    assert_eq!(server.event_count("api_key.digest_renewed"), 1);
    assert_eq!(server.whoami(&key.1), 200);
    let drawer = admin.get(&format!("{}/{}/activity", crate::support::API_KEYS, key.0)).body;
    assert!(!drawer.contains("the stored digest of"), "{drawer}");
    let trail = admin.get(AUDIT_TRAIL).expect(200).body;
    assert!(trail.contains("the stored digest of"), "{trail}");
}

#[test]
fn the_trails_account_for_renewed_digests_and_new_sets() {
    let server = TestServer::start();
    let admin = server.admin();
    let (used, unused) = (admin.create_key("Used"), admin.create_key("Unused"));
    let second = rotate(&[&server]);
    renew(&server, &used, &second);
    let (id, _) = admin.create_key("Newer");
    assert_eq!(pepper_of(&server, &id), second);
    assert_ne!(pepper_of(&server, &unused.0), second);
    keydesk(&server, &["audit", "verify"]);
    let recorded = database::column(&server.database_url, "after_json", "FROM events WHERE action = 'secrets.rotated'");
    let states: Vec<String> = recorded.into_iter().flatten().collect();
    assert_eq!(states, ["pending", "active"].map(|state| format!(r#"{{"set":"{second}","state":"{state}"}}"#)));
    let sql = format!("UPDATE api_keys SET pepper_id = 'x' WHERE id = '{}'", used.0);
    database::tamper(&server.database_url, &sql);
    let output = crate::cli::run(server.folder.path(), &server.database_url, &["audit", "verify"], "");
    assert_eq!(output.status.code(), Some(1), "a pepper that no event names is reported");
}

#[test]
fn a_set_that_a_server_lacks_stays_pending() {
    let server = TestServer::start();
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("secrets");
    std::fs::copy(server.folder.path().join("secrets"), &copy).unwrap();
    let behind = server.node_with(&["--secrets-file", copy.to_str().unwrap()]);
    let (_, old) = server.admin().create_key("Old");
    let first = active_set(&server);
    let second = add_set(&server);
    wait_until("the server has read the file", || server.actions.secrets.keyring().set(&second).is_some());
    let status = || keydesk(&server, &["secrets", "status"]);
    wait_until("the status counts both servers", || status().contains("1 of 2 running servers have it"));
    assert_eq!([&server, &behind].map(active_set), [first.clone(), first]);
    std::fs::copy(server.folder.path().join("secrets"), &copy).unwrap();
    wait_until("both use the set", || [&server, &behind].iter().all(|server| active_set(server) == second));
    assert_eq!([&server, &behind].map(|server| server.whoami(&old)), [200; 2]);
}

#[test]
fn a_server_that_lacks_the_active_set_is_not_ready_and_calls_no_key_unknown() {
    let server = TestServer::start();
    let (_, known) = server.admin().create_key("Known");
    let second = add_set(&server);
    wait_until("the set is active", || active_set(&server) == second);
    let sql = "INSERT INTO secret_sets (id, created_at, activated_at) VALUES ('elsewhere', 1895424400000000, 1795424400000001)";
    database::tamper(&server.database_url, sql);
    wait_until("the server is not ready", || server.anonymous().get("/readyz").status == 503);
    let reasons = server.anonymous().get("/readyz").body;
    assert!(reasons.contains("lacks the set elsewhere"), "{reasons}");
    let unknown = server.actions.key_format.generate(&mut keydesk::random::system());
    assert_eq!(server.whoami(unknown.expose_secret()), 503);
    assert_eq!(server.whoami(&known), 200);
    database::tamper(&server.database_url, "DELETE FROM secret_sets WHERE id = 'elsewhere'");
    wait_until("the server is ready", || server.anonymous().get("/readyz").status == 200);
    assert_eq!(server.whoami(unknown.expose_secret()), 401);
}
