//! Servers with different clocks share the clock of the database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keydesk::domain::user::profile::Role;
use reqwest::cookie::CookieStore;

use crate::support::{API_KEYS, Browser, TestServer, browser, database, figures};

const MILLISECOND: i64 = 1_000;
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// A server with the right clock and one with a wrong clock. `None` on SQLite, where all servers are on one machine.
fn servers(skew: i64) -> Option<(TestServer, TestServer)> {
    database::postgres()?;
    let server = TestServer::with_system_clock();
    let other = server.second_server_with_skew(skew);
    Some((server, other))
}

/// Revokes a busy key on one server and returns the number of requests that another one accepted after that, as the
/// key's page counts them.
fn accepted_after_revocation(revoking: &TestServer, accepting: &TestServer, name: &str) -> u64 {
    let admin = revoking.admin();
    let (id, key) = admin.create_key(name);
    let is_revoked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let client = accepting.anonymous();
                loop {
                    let status = client.bearer("/v1/whoami", &key).status;
                    if status != 200 && is_revoked.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
        assert_eq!(accepting.whoami(&key), 200);
        admin.revoke(&id, "compromised", "").expect(303);
        is_revoked.store(true, Ordering::SeqCst);
    });
    for server in [revoking, accepting, revoking] {
        server.record_usage();
    }
    let condition = format!("key_id = '{id}' AND accepted_after_end > 0");
    let accepted = format!("key_id = '{id}' AND last_used_at IS NOT NULL");
    assert_eq!(database::count(&accepting.database_url, "key_usage", &accepted), 1, "the key was not used");
    database::count(&accepting.database_url, "key_usage", &condition)
}

#[test]
fn a_wrong_clock_accuses_no_server_of_a_late_acceptance() {
    let magnitudes = [0, MILLISECOND, 2 * MILLISECOND, 20 * MILLISECOND, 500 * MILLISECOND, 120 * SECOND, HOUR];
    for skew in magnitudes.into_iter().flat_map(|skew| [skew, -skew]) {
        let Some((right, wrong)) = servers(skew) else { return };
        let ahead = accepted_after_revocation(&right, &wrong, "Busy on the wrong server");
        let behind = accepted_after_revocation(&wrong, &right, "Busy on the right server");
        assert_eq!((ahead, behind), (0, 0), "{skew} microseconds");
    }
    figures::print(
        "R14",
        format!("0 false sentences with clocks apart by up to an hour, {} distances", 2 * magnitudes.len()),
    );
}

#[test]
fn a_late_acceptance_is_found_with_wrong_clocks() {
    for skew in [-HOUR, HOUR] {
        let Some((right, wrong)) = servers(skew) else { return };
        let (id, key) = right.admin().create_key("ERP Sync");
        assert_eq!(wrong.whoami(&key), 200);
        wrong.record_usage();
        right.admin().revoke(&id, "compromised", "").expect(303);
        right.record_usage();
        // The other server is wrong on purpose: it accepts the key although the revocation was acknowledged.
        let acknowledged = format!(
            "UPDATE api_keys SET revoked_at = NULL, revoked_by_type = NULL, revoked_by = NULL, \
                                    revocation_reason = NULL WHERE id = '{id}'"
        );
        let sql = format!("SELECT revoked_at, revoked_by FROM api_keys WHERE id = '{id}'");
        let kept =
            database::column(&right.database_url, "revoked_at || ' ' || revoked_by", &sql[sql.find("FROM").unwrap()..]);
        let (at, by) =
            kept[0].as_ref().unwrap().split_once(' ').map(|(at, by)| (at.to_owned(), by.to_owned())).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        database::tamper(&right.database_url, &acknowledged);
        assert_eq!(wrong.whoami(&key), 200);
        let restored = format!(
            "UPDATE api_keys SET revoked_at = {at}, revoked_by_type = 'user', revoked_by = '{by}', \
                                revocation_reason = 'compromised' WHERE id = '{id}'"
        );
        database::tamper(&right.database_url, &restored);
        wrong.record_usage();
        let condition = format!("key_id = '{id}' AND accepted_after_end = 1");
        assert_eq!(database::count(&right.database_url, "key_usage", &condition), 1, "{skew}");
    }
}

#[test]
fn sessions_forms_and_codes_work_on_every_server() {
    for skew in [-65 * 60 * SECOND, 65 * 60 * SECOND] {
        let Some((right, wrong)) = servers(skew) else { return };
        right.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
        let admin = right.admin();
        let submission = admin.submission();
        let cookie = admin.cookies.cookies(&right.url("/").parse().unwrap()).unwrap();
        let on_other =
            |method: &str, path: &str| Browser::new(wrong.address).request(method, path).header("Cookie", &cookie);
        assert_eq!(browser::send(on_other("GET", API_KEYS)).status, 200);
        let form = on_other("POST", API_KEYS).header("Sec-Fetch-Site", "same-origin");
        let created = browser::send(form.form(&[("name", "ERP Sync"), ("submission", &submission)]));
        assert_eq!(created.status, 201, "{}", created.body);
        // A session that began on the other server, and an expiry that is judged there.
        let nina = wrong.signed_in_as("nina@brightwater.example");
        let secret = wrong.set_up_second_factor(&nina);
        right.awaiting_code("nina@brightwater.example");
        let code = right.code(&secret);
        assert_eq!(code.len(), 6);
        assert_eq!(admin.get(API_KEYS).status, 200, "the session did not end");
        let ready = wrong.anonymous().get("/readyz").expect(200).body;
        assert!(ready.contains("Synchronise it."), "{ready}");
        let ready = right.anonymous().get("/readyz").expect(200).body;
        assert!(!ready.contains("clock") && ready.matches("warning").count() == 1, "the lease alone: {ready}");
    }
}
