//! Sections about companies, users and keys.

use std::fs;

use super::{Sections, walk};
use crate::support::{API_KEYS, PASSWORD};

pub const SECTIONS: Sections = &[
    "Manage users and keys on the command line",
    "Change and delete users on the command line",
    "Import keys from another system",
    "Help a user who cannot sign in",
];

const ADMIN: &str = "admin@example.com";

#[test]
fn the_commands_for_users_and_keys_work() {
    walk(SECTIONS, false, |machine| {
        machine.set("KEYDESK_DATA_DIR", machine.file("var/lib/keydesk").to_str().unwrap());
        machine.prepare("mkdir -p -m 700 /var/lib/keydesk; systemctl start keydesk");
        machine.open("Manage users and keys on the command line");
        machine.run("keydesk company add");
        machine.run("printf '%s' \"$PASSWORD\" | keydesk user add");
        let invitation = machine.prepare(
            "keydesk user add --company 'Brightwater Foods' --name Jonas --email jonas@example.com --role admin",
        );
        machine.sees("Invitation link:", &invitation);
        let browser = machine.browser();
        browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect_redirect(API_KEYS);
        let (id, key) = browser.create_key("ERP Sync Service");
        machine.replace("01a2082b-82b6-7183-8ff4-2d2b7d40f48d", &id);
        machine.run("keydesk key list --company");
        browser.bearer("/v1/whoami", &key).expect(200);
        machine.run("keydesk key revoke");
        browser.bearer("/v1/whoami", &key).expect(401);
        machine.run("keydesk audit verify");
        machine.run("keydesk key create");
        let created = fs::read_to_string(machine.file("work/key")).unwrap();
        browser.bearer("/v1/whoami", created.trim()).expect(200);
        machine.run("keydesk key list --state active --format csv");
        let listed = fs::read_to_string(machine.file("work/keys.csv")).unwrap();
        assert!(listed.contains("Stock Feed") && !listed.contains("ERP Sync"), "{listed}");
        assert!(machine.run("keydesk key show").contains("ERP Sync Service"));

        machine.open("Change and delete users on the command line");
        machine.prepare("printf %s 'a password of before' | keydesk user add --name Maria --email maria@example.com --role admin --password-stdin");
        machine.prepare("keydesk key create --name 'Key of Jonas' --owner jonas@example.com");
        let listed = machine.run("keydesk user list");
        assert!(listed.contains("jonas@example.com"), "{listed}");
        let listed = machine.prepare("keydesk user list");
        assert!(!listed.contains("jonas@example.com"), "{listed}");

        machine.open("Import keys from another system");
        let stock_feed =
            machine.prepare("keydesk key list --state active --format csv | grep 'Stock Feed' | cut -d, -f1");
        machine.prepare(&format!("keydesk key revoke {}", stock_feed.trim()));
        machine.write("cat keys.csv", "work/keys.csv");
        machine.run("keydesk key import keys.csv --dry-run");
        machine.run("keydesk key import keys.csv");

        machine.open("Help a user who cannot sign in");
        let sign_in = [("email", "maria@example.com"), ("password", PASSWORD)];
        machine.browser().post("/sign-in", &sign_in).expect(422);
        machine.run("printf");
        machine.browser().post("/sign-in", &sign_in).expect_redirect(API_KEYS);
        for _ in 0..7 {
            machine.browser().post("/sign-in", &[("email", "maria@example.com"), ("password", "wrong")]).expect(422);
        }
        machine.browser().post("/sign-in", &sign_in).expect(429);
        machine.run("keydesk user unlock");
        machine.browser().post("/sign-in", &sign_in).expect_redirect(API_KEYS);
        let browser = machine.browser();
        browser.post("/sign-in", &sign_in).expect_redirect(API_KEYS);
        crate::support::authenticator::Authenticator::set_up(&browser, keydesk::clock::Clock::system().now());
        machine.browser().post("/sign-in", &sign_in).expect_redirect("/sign-in/code");
        machine.run("keydesk user remove-second-factor");
        machine.browser().post("/sign-in", &sign_in).expect_redirect(API_KEYS);
    });
}
