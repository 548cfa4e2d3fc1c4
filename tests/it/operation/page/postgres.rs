//! Sections about PostgreSQL, run on the server of the suite.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::blocks::block;
use super::{Machine, Sections, walk};
use crate::cli::{ADMIN, Serving};
use crate::operation::readiness::wait_until;
use crate::operation::upgrade::{State, recorded};
use crate::support::{API_KEYS, PASSWORD, database};

pub const SECTIONS: Sections = &[
    "Choose a database",
    "Choose a database / Let another role change the schema",
    "Back up / PostgreSQL",
    "Restore / PostgreSQL",
];

pub const MOVES: Sections = &["Move to PostgreSQL, or back"];

/// A new database on the server of the suite.
fn new_database() -> String {
    database::new_url(&tempfile::tempdir().unwrap())
}

/// Creates a role that may log in. Returns its name and the URL with it.
fn new_role(owner: &str) -> (String, String) {
    let role = format!("role_of_{}", owner.rsplit('/').next().unwrap());
    database::tamper(owner, &format!("CREATE ROLE {role} LOGIN"));
    let url = owner.replace("keydesk@", &format!("{role}@"));
    (role, url)
}

#[test]
fn the_commands_for_postgresql_work() {
    walk(SECTIONS, true, |machine| {
        let url = new_database();
        machine.open("Choose a database");
        machine.replace("postgres://keydesk:PASSWORD@localhost/keydesk", &url);
        let serving = machine.serve("export KEYDESK_DATABASE_URL", 2);
        serving.set_up().create_key("ERP Sync");
        assert_eq!(serving.stop(), 0);

        another_role_serves(machine);

        machine.open("Back up / PostgreSQL");
        machine.set("KEYDESK_DATABASE_URL", &url);
        machine.run("pg_dump");
        for passed in ["archive_mode", "pg_basebackup", "[global]", "archive_mode", "pgbackrest", "pgbackrest"] {
            machine.pass(passed);
        }
        machine.prepare("keydesk audit checkpoint --company Brightwater > latest.checkpoint; keydesk audit public-key --company Brightwater > keydesk.vkey");

        machine.open("Restore / PostgreSQL");
        machine.set("NEW_DATABASE_URL", &new_database());
        let verified = machine.run("pg_restore");
        assert!(verified.contains("all as they were recorded"), "{verified}");
        for passed in ["restore_command", "mv", "pgbackrest"] {
            machine.pass(passed);
        }
    });
}

fn another_role_serves(machine: &Machine) {
    let owner = new_database();
    let (role, of_role) = new_role(&owner);
    machine.open("Choose a database / Let another role change the schema");
    machine.replace("postgres://keydesk_server@localhost/keydesk", &of_role);
    machine.replace("postgres://keydesk_owner@localhost/keydesk", &owner);
    machine.replace("keydesk_server", &role);
    machine.set("KEYDESK_DATA_DIR", machine.file("work/of-role").to_str().unwrap());
    database::tamper(&owner, &machine.content("GRANT"));
    let serving = machine.serve("keydesk migrate", 3);
    serving.set_up().create_key("ERP Sync");
    assert_eq!(serving.stop(), 0);
    machine.unset("KEYDESK_DATA_DIR");
    assert!(database::refuses(&of_role, "CREATE TABLE t (a int)"));
    database::tamper(&owner, &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn the_commands_that_move_a_database_work() {
    walk(MOVES, true, |machine| {
        machine.set("KEYDESK_DATA_DIR", machine.file("var/lib/keydesk").to_str().unwrap());
        machine.prepare("mkdir -p -m 700 /var/lib/keydesk");
        let serving = Serving::start(machine.prepared("exec keydesk serve"), 2);
        let admin = serving.set_up();
        admin.invite("Jonas", "jonas@example.com", "auditor");
        let (_, key) = admin.create_key("ERP Sync");
        admin.create_key("Orders");
        assert_eq!(serving.stop(), 0);
        machine.prepare("systemctl start keydesk");

        machine.open("Move to PostgreSQL, or back");
        let url_file = machine.file("etc/keydesk/postgres-url");
        fs::write(&url_file, new_database()).unwrap();
        fs::set_permissions(&url_file, fs::Permissions::from_mode(0o600)).unwrap();
        machine.run("systemctl stop keydesk");
        machine.run("keydesk database copy --to-file");
        machine.set("KEYDESK_DATABASE_URL_FILE", url_file.to_str().unwrap());
        machine.prepare("systemctl start keydesk");
        assert_served(machine, &key);
        machine.run("systemctl stop keydesk");
        machine.unset("KEYDESK_DATABASE_URL_FILE");
        machine.prepare("systemctl start keydesk");
        assert_served(machine, &key);
    });
}

/// The key is good, the admin signs in, and nothing is wrong.
fn assert_served(machine: &Machine, key: &str) {
    let browser = machine.browser();
    wait_until(&browser, 200);
    browser.bearer("/v1/whoami", key).expect(200);
    browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect_redirect(API_KEYS);
    browser.create_key(&format!("Key {}", keydesk::clock::Clock::system().now().as_micros()));
}

#[test]
fn the_command_that_migrates_postgresql_works() {
    if database::postgres().is_none() {
        return;
    }
    let state = State::restore(&recorded()[0]);
    let script = block("Upgrade", "keydesk migrate --database-url").text;
    let script = script.replace("postgres://keydesk_owner@localhost/keydesk", &state.url);
    let before = state.last_migration();
    let machine = Machine::new();
    machine.set("KEYDESK_DATA_DIR", state.folder.path().to_str().unwrap());
    machine.prepare(&script);
    assert_ne!(state.last_migration(), before);
}
