//! An upgrade on SQLite, from a database that an older version left, and the way back.

use std::fs;

use super::{Sections, walk};
use crate::operation::readiness::wait_until;
use crate::operation::upgrade::{State, recorded};
use crate::support::database;

pub const SECTIONS: Sections = &["Upgrade"];

#[test]
fn the_commands_that_upgrade_sqlite_and_go_back_work() {
    walk(SECTIONS, false, |machine| {
        let state = State::restore(&recorded()[0]);
        machine.set("KEYDESK_DATA_DIR", machine.file("var/lib/keydesk").to_str().unwrap());
        machine.prepare("mkdir -p -m 700 /var/lib/keydesk");
        machine.prepare(&format!("cp {}/* /var/lib/keydesk", state.folder.path().display()));
        let before = state.last_migration();
        // The program of before is another file.
        machine.prepare("rm /usr/local/bin/keydesk; touch /usr/local/bin/keydesk");
        machine.open("Upgrade");
        machine.run("install -m 755 target/release/keydesk");
        machine.sees("database copied before its migration", &machine.journal());
        wait_until(&machine.browser(), 200);
        machine.prepare("keydesk key create --company 'Brightwater Foods' --name 'After the upgrade'");

        let copy = format!("keydesk.db.before-{}-{before}", env!("CARGO_PKG_VERSION"));
        machine.replace("keydesk.db.before-0.2.0-20261129230000", &copy);
        machine.replace("OLD/keydesk", machine.file("work/target/release/keydesk").to_str().unwrap());
        assert!(fs::exists(machine.file("var/lib/keydesk").join(&copy)).unwrap());
        machine.run("systemctl stop keydesk");
        let url = format!("sqlite://{}", machine.file("var/lib/keydesk/keydesk.db").display());
        assert_eq!(database::count(&url, "service_accounts", "name = 'After the upgrade'"), 0);
        // The change since the upgrade is lost, and the server says so.
        assert!(wait_until(&machine.browser(), 503).contains("missing"), "{}", machine.journal());
        machine.pass("keydesk migrate");
    });
}
