//! R7: the clock of a server jumps back two days, and forward more than a year.

use std::time::Duration;

use crate::support::{API_KEYS, TestServer, database, figures};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn a_clock_that_jumps_leaves_keys_and_the_trail_right() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, unlimited) = admin.create_key("Unlimited");
    let (_, limited) = admin.create_key_for("Limited", "365d");
    let (id, revoked) = admin.create_key("Revoked");
    admin.revoke(&id, "compromised", "").expect(303);
    let start = server.clock.now();
    let mut judged = 0;
    let mut expect = |statuses: [u16; 3]| {
        for (key, status) in [&unlimited, &limited, &revoked].into_iter().zip(statuses) {
            assert_eq!(server.whoami(key), status);
            judged += 1;
        }
    };
    server.clock.set(start - 2 * DAY);
    expect([200, 200, 401]);
    admin.get(API_KEYS).expect(303);
    server.admin().create_key("Before its time");
    server.clock.set(start + 400 * DAY);
    expect([200, 401, 401]);
    let later = server.admin();
    later.create_key("After a year");
    server.clock.set(start);
    expect([200, 200, 401]);
    later.get(API_KEYS).expect(303);
    // The order of the trail is that of the changes, whatever their times.
    let company = server.company("Brightwater");
    let times = database::column(
        &server.database_url,
        "at",
        &format!("FROM events WHERE trail_id = '{company}' AND action = 'api_key.created' ORDER BY sequence"),
    );
    let times: Vec<i64> = times.into_iter().map(|at| at.unwrap().parse().unwrap()).collect();
    assert!(times.len() == 5 && times[3] < times[0] && times[4] > times[0], "{times:?}");
    let verified = crate::cli::run(server.folder.path(), &server.database_url, &["audit", "verify"], "");
    assert!(verified.status.success(), "{verified:?}");
    figures::print(
        "R7",
        format!("{judged} of {judged} answers right at −2 and +400 days, the trail verifies, sessions ended"),
    );
}
