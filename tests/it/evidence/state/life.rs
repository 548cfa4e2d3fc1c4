//! A random life of a company: its admin does what admins do, over HTTP, and the clock goes on.

use std::time::Duration;

use keydesk::domain::user::profile::Role;

use super::super::random::Random;
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, TestServer, USERS, database};

const NAMES: [&str; 5] = ["ERP Sync", "Reporting", "Gdańsk Scanner", "Straße", "=SUM(A1)"];
const EXPIRIES: [&str; 4] = ["none", "30d", "90d", "365d"];
const OVERLAPS: [&str; 5] = ["none", "1h", "24h", "7d", "30d"];
const REASONS: [&str; 3] = ["unspecified", "compromised", "owner-left"];

pub struct Life<'a> {
    server: &'a TestServer,
    random: &'a mut Random,
    admin: Browser,
}

impl<'a> Life<'a> {
    pub fn new(server: &'a TestServer, random: &'a mut Random) -> Self {
        let admin = server.admin();
        for (name, email, role) in [
            ("Priya Raman", "priya@brightwater.example", Role::Admin),
            ("Jonas Bakke", "jonas@brightwater.example", Role::Auditor),
            ("Sam Okafor", "sam@brightwater.example", Role::Admin),
        ] {
            server.add_person(name, email, role);
        }
        server.other_company_admin().create_key("Northwind ERP");
        Self { server, random, admin }
    }

    /// Takes steps. Some of them are refused, as they would be in real life.
    pub fn run(&mut self, steps: u32) {
        self.admin.create_key_for("ERP Sync", "90d");
        self.add_gateways();
        for _ in 0..steps {
            self.step();
        }
        // Every kind of end is in every life.
        let (revoked, _) = self.admin.create_key("Always revoked");
        self.admin.revoke(&revoked, "compromised", "Seen in a ticket.").expect(303);
        let (rotated, _) = self.admin.create_key_for("Always rotated", "30d");
        self.admin.rotate(&rotated, "7d").expect(201);
    }

    fn add_gateways(&self) {
        use keydesk::domain::text::name::GatewayName;
        let [kept, revoked] = ["edge", "old edge"].map(|name| GatewayName::parse(name).unwrap());
        for name in [&kept, &revoked] {
            self.server.actions.add_gateway(name).unwrap();
        }
        self.server.actions.revoke_gateway(&revoked).unwrap();
    }

    fn step(&mut self) {
        let (name, reason) = (*self.random.of(&NAMES), *self.random.of(&REASONS));
        let key = self.any("api_keys");
        let user = self.any("users");
        match self.random.below(16) {
            0..=3 => drop(self.admin.add_key_with(name, &[("expires", *self.random.of(&EXPIRIES))])),
            4 => self.if_found(&format!("{API_KEYS}/{key}/edit"), &[("name", &format!("{name} II")), ("owner", &user)]),
            5 => self.if_found(&format!("{API_KEYS}/{key}/edit"), &[("name", name), ("owner", &user)]),
            6 | 7 => self.rotate(&key),
            8 => drop(self.admin.change_overlap(&key, "7d")),
            9 => drop(self.admin.change_overlap(&key, "now")),
            10 => drop(self.admin.revoke(&key, reason, "Seen \"today\".\r\nReplaced.")),
            11 | 12 => self.advance(),
            13 => self.change_policy(),
            14 => self.change_user(&user),
            _ => drop(self.admin.get(&format!("{AUDIT_TRAIL}/export.csv"))),
        }
    }

    /// Submits a form, if the page with it is there.
    fn if_found(&self, path: &str, fields: &[(&str, &str)]) {
        if self.admin.get(path).status == 200 {
            self.admin.save(path, fields);
        }
    }

    fn rotate(&mut self, key: &str) {
        let overlap = *self.random.of(&OVERLAPS);
        if self.admin.get(&format!("{API_KEYS}/{key}/rotate")).status == 200 {
            self.admin.rotate(key, overlap);
        }
    }

    fn advance(&mut self) {
        let hours = *self.random.of(&[1, 24, 25, 7 * 24, 31 * 24, 91 * 24]);
        self.server.set_clock(self.server.clock.now() + Duration::from_hours(hours));
        self.server.actions.record_ended_keys().unwrap();
        self.server.actions.end_idle_keys().unwrap();
    }

    fn change_policy(&mut self) {
        let days = *self.random.of(&["none", "90", "365"]);
        let fields = [
            ("company_name", *self.random.of(&["Brightwater", "Brightwater Foods"])),
            ("default_expiry", days),
            ("maximum_lifetime", "none"),
            ("rotation_period", *self.random.of(&["none", "180"])),
            ("idle_end_days", *self.random.of(&["none", "30"])),
            ("rotation_period_reason", *self.random.of(&["", "Risk review of 2026"])),
        ];
        self.admin.save("/administration/company-settings/key-policy", &fields);
    }

    fn change_user(&mut self, user: &str) {
        let maria = self.server.user_id("maria@brightwater.example");
        if user == maria {
            return;
        }
        if self.random.below(3) == 0 {
            let keys = if self.random.below(2) == 0 { ("new_owner", maria.as_str()) } else { ("revoke_keys", "yes") };
            self.admin.post(&format!("{USERS}/{user}/delete"), &[keys]);
        } else {
            let role = *self.random.of(&["admin", "auditor"]);
            self.if_found(&format!("{USERS}/{user}/role"), &[("role", role)]);
        }
    }

    /// The id of a row of the company.
    fn any(&mut self, table: &str) -> String {
        let company = self.server.user("maria@brightwater.example").company_id;
        let rest = format!("FROM {table} WHERE company_id = '{company}' ORDER BY id");
        let ids: Vec<String> = database::column(&self.server.database_url, "id", &rest).into_iter().flatten().collect();
        self.random.of(&ids).clone()
    }
}
