//! Deleting a user: erased data, the keys of the user, and what stays.

use keydesk::domain::user::profile::Role;

use crate::cli::keydesk;
use crate::support::{API_KEYS, Browser, Html, TestServer, USERS, database};

const JONAS: &str = "jonas.leaver@brightwater.example";
const NAME: &str = "Jonas Quentin Bakke";

/// A server with Maria, and with Jonas, an admin with a second factor, a session and two keys.
struct Setup {
    server: TestServer,
    admin: Browser,
    jonas: Browser,
    id: String,
    keys: Vec<(String, String)>,
}

impl Setup {
    fn new() -> Self {
        let server = TestServer::start();
        let id = server.add_person(NAME, JONAS, Role::Admin);
        let (admin, jonas) = (server.admin(), server.signed_in_as(JONAS));
        server.set_up_second_factor(&jonas);
        let keys = ["ERP Sync", "Reporting"].map(|name| jonas.create_key(name)).to_vec();
        Self { server, admin, jonas, id, keys }
    }

    fn column(&self, expression: &str, rest: &str) -> Vec<Option<String>> {
        database::column(&self.server.database_url, expression, rest)
    }

    fn count(&self, table: &str, condition: &str) -> u64 {
        database::count(&self.server.database_url, table, condition)
    }

    /// Everything that a refused deletion must not change.
    fn state(&self) -> Vec<Vec<Option<String>>> {
        let all = |expression: &str, rest: &str| self.column(expression, rest);
        vec![
            all("count(*)", "FROM events"),
            all("count(*)", "FROM sessions"),
            all("id || owner || coalesce(revoked_by, '')", "FROM api_keys ORDER BY id"),
            all("id || role || coalesce(name, '') || coalesce(email, '')", "FROM users ORDER BY id"),
        ]
    }

    /// The events of an action, oldest first: key, before and after.
    fn events(&self, action: &str) -> Vec<String> {
        let columns = "coalesce(key_id, '-') || ' ' || coalesce(before_json, '-') || ' ' || coalesce(after_json, '-')";
        let rest = format!("FROM events WHERE action = '{action}' ORDER BY sequence");
        self.column(columns, &rest).into_iter().flatten().collect()
    }

    fn verify(&self) {
        let mut command = keydesk(self.server.folder.path());
        let output = command.args(["audit", "verify", "--database-url", &self.server.database_url]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn row(page: &Html, id: &str) -> String {
    page.text(&format!("tr[data-key-id='{id}']"))
}

#[test]
fn deleting_a_user_erases_personal_data_and_keeps_the_id() {
    let setup = Setup::new();
    let (server, id) = (&setup.server, setup.id.as_str());
    server.anonymous().post("/sign-in", &[("email", JONAS), ("password", "wrong")]).expect(422);
    server.awaiting_code(JONAS);
    setup.admin.renew_invitation(id);
    let own = [
        "sessions",
        "known_devices",
        "invitations",
        "second_factors",
        "recovery_codes",
        "used_codes",
        "sign_ins_awaiting_code",
    ];
    for table in own {
        assert_ne!(setup.count(table, &format!("user_id = '{id}'")), 0, "{table}");
    }
    assert_ne!(setup.count("sign_in_failures", "reported_at IS NOT NULL"), 0);
    setup.admin.delete_user(id, &[("revoke_keys", "yes")]).expect(303);
    setup.jonas.get(API_KEYS).expect(303);
    setup.jonas.get("/account").expect(303);
    for table in own {
        assert_eq!(setup.count(table, &format!("user_id = '{id}'")), 0, "{table}");
    }
    assert_eq!(setup.count("sign_in_failures", "reported_at IS NOT NULL"), 0);
    let erased = "name IS NULL AND email IS NULL AND email_folded IS NULL AND password_hash IS NULL \
                  AND time_zone IS NULL AND last_signed_in_at IS NULL AND deleted_at IS NOT NULL";
    assert_eq!(setup.count("users", &format!("id = '{id}' AND {erased}")), 1);
    if database::postgres().is_none() {
        database::tamper(&server.database_url, "PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = std::fs::read(server.folder.path().join("keydesk.db")).unwrap();
        for word in [NAME, "jonas quentin bakke", "Quentin", JONAS, "jonas.leaver"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} is still in the file");
        }
        assert!(bytes.windows(5).any(|window| window == b"Maria"), "the file contains names in clear text");
    }
    let fields = [("email", JONAS), ("password", crate::support::PASSWORD)];
    server.anonymous().post("/sign-in", &fields).expect(422);
    setup.verify();
}

#[test]
fn a_deleted_user_has_no_name_on_any_page() {
    let setup = Setup::new();
    let [(kept, _), (revoked, _)] = [&setup.keys[0], &setup.keys[1]];
    setup.jonas.revoke(revoked, "superseded", "").expect(303);
    let maria = setup.server.user_id("maria@brightwater.example");
    setup.admin.delete_user(&setup.id, &[("new_owner", &maria)]).expect(303);
    let active = setup.admin.get(API_KEYS).expect(200);
    assert!(row(&active.html(), kept).contains("Deleted user"));
    let dialog = setup.admin.get(&format!("{API_KEYS}/{kept}/revoke")).expect(200);
    assert!(dialog.html().text("dialog").contains("Deleted user"), "{}", dialog.html().text("dialog"));
    let ended = setup.admin.get(&format!("{API_KEYS}?tab=revoked")).expect(200);
    assert_eq!(row(&ended.html(), revoked).matches("Deleted user").count(), 2);
    let drawer = setup.admin.get(&format!("{API_KEYS}?audit=open")).expect(200);
    for action in ["api_key.created", "api_key.revoked"] {
        let found = drawer.html().texts(&format!("[data-action='{action}']"));
        assert!(found.iter().all(|event| event.contains("Deleted user")), "{found:?}");
    }
    let deleted = drawer.html().text("[data-action='user.deleted']");
    assert!(deleted.contains("Maria Lindqvist"), "{deleted}");
    let already = setup.admin.get(&format!("{API_KEYS}?tab=revoked&already={revoked}")).html().text(".banner p");
    assert!(already.contains("was already revoked by Deleted user on"), "{already}");
    let filtered = setup.admin.get(&format!("{API_KEYS}/audit-trail?key={kept}")).expect(200);
    assert!(filtered.body.contains("Deleted user"));
    for answer in [active, dialog, ended, drawer, filtered, setup.admin.get(USERS)] {
        assert!(!answer.body.contains(NAME) && !answer.body.contains(JONAS));
    }
    assert!(!setup.admin.get(USERS).body.contains(&setup.id));
    for path in ["role", "delete"] {
        setup.admin.get(&format!("{USERS}/{}/{path}", setup.id)).expect(404);
    }
    setup.admin.change_role(&setup.id, "admin").expect(404);
    setup.admin.delete_user(&setup.id, &[]).expect(404);
    setup.admin.post(&format!("{USERS}/{}/invitation", setup.id), &[]).expect(404);
}

#[test]
fn the_address_of_a_deleted_user_can_be_invited_again() {
    let setup = Setup::new();
    setup.admin.delete_user(&setup.id, &[("revoke_keys", "yes")]).expect(303);
    let link = setup.admin.invite("Jonas Again", JONAS, "auditor");
    setup.server.anonymous().accept(&setup.server.path_of(&link)).expect_redirect(API_KEYS);
    assert_ne!(setup.server.user_id(JONAS), setup.id);
}

#[test]
fn only_active_keys_are_handed_over_each_with_an_event() {
    let setup = Setup::new();
    let (revoked, _) = setup.jonas.create_key("Old");
    setup.jonas.revoke(&revoked, "unspecified", "").expect(303);
    let (marias, _) = setup.admin.create_key("Marias");
    let (maria, jonas) = (setup.server.user_id("maria@brightwater.example"), setup.id.as_str());
    let dialog = setup.admin.get(&format!("{USERS}/{jonas}/delete")).expect(200).html();
    assert!(dialog.text("dialog").contains(&format!("2 active keys belong to {NAME}.")));
    assert_eq!(dialog.texts(".owned-keys li").len(), 2);
    let own = setup.admin.get(&format!("{USERS}/{maria}/delete")).expect(200).html();
    assert!(own.text("dialog").contains("1 active key belongs to you."), "{}", own.text("dialog"));
    assert!(!dialog.has(&format!("#new_owner option[value='{jonas}']")));
    let before = setup.count("events", "TRUE");
    let fields = [("revoke_keys", "no"), ("new_owner", maria.as_str())];
    let done = setup.admin.delete_user(jonas, &fields).expect(303).header("location").to_owned();
    let banner = setup.admin.get(&done).html().text(".banner[role=status] p");
    assert_eq!(banner, "User deleted. Maria Lindqvist now owns their 2 keys.");
    assert_eq!(setup.count("events", "TRUE"), before + 3);
    let handed = setup.events("api_key.handed_over");
    assert_eq!(handed.len(), 2);
    for ((id, key), name) in setup.keys.iter().zip(["ERP Sync", "Reporting"]) {
        let expected = format!(r#"{id} {{"name":"{name}","owner":"{jonas}"}} {{"name":"{name}","owner":"{maria}"}}"#);
        assert!(handed.contains(&expected), "{handed:?}");
        assert_eq!(setup.server.whoami(key), 200);
    }
    let owners = |id: &str| setup.column("owner", &format!("FROM api_keys WHERE id = '{id}'")).remove(0).unwrap();
    assert_eq!(setup.keys.iter().map(|(id, _)| owners(id)).collect::<Vec<_>>(), [maria.clone(), maria.clone()]);
    assert_eq!((owners(&revoked).as_str(), owners(&marias)), (jonas, maria));
    assert_eq!(setup.events("user.deleted").len(), 1);
    assert!(!setup.events("user.deleted")[0].contains(NAME));
    setup.verify();
}

#[test]
fn all_keys_of_a_deleted_owner_can_be_revoked() {
    let setup = Setup::new();
    let (_, marias) = setup.admin.create_key("Marias");
    let done = setup.admin.delete_user(&setup.id, &[("revoke_keys", "yes"), ("new_owner", "")]).expect(303);
    for (id, key) in &setup.keys {
        assert_eq!(setup.server.whoami(key), 401);
        let condition = format!("action = 'api_key.revoked' AND key_id = '{id}' AND reason = 'owner-left'");
        assert_eq!(setup.count("events", &condition), 1);
    }
    assert_eq!(setup.server.whoami(&marias), 200);
    let banner = setup.admin.get(done.header("location")).html().text(".banner p");
    assert_eq!(banner, "User deleted. 2 keys were revoked.");
    let page = setup.admin.get(&format!("{API_KEYS}?tab=revoked")).html();
    let revoked = row(&page, &setup.keys[0].0);
    assert!(revoked.contains("Maria Lindqvist") && revoked.contains("Deleted user"), "{revoked}");
    setup.verify();
}

#[test]
fn a_deletion_without_a_valid_choice_for_the_keys_is_refused() {
    let setup = Setup::new();
    let other_company = setup.server.other_company_admin();
    let foreign = setup.server.user_id("ada@northwind.example");
    setup.admin.invite("Nina Okafor", "nina@brightwater.example", "auditor");
    let gone = setup.server.user_id("nina@brightwater.example");
    setup.admin.delete_user(&gone, &[]).expect(303);
    let before = setup.state();
    for fields in [vec![], vec![("revoke_keys", "no")], vec![("revoke_keys", "no"), ("new_owner", "")]] {
        let page = setup.admin.delete_user(&setup.id, &fields).expect(422).html();
        assert!(page.text("dialog").contains("Select a new owner, or revoke the keys."));
        assert!(page.text("title").starts_with("Error: Delete "));
        assert_eq!(page.attribute("input[name=revoke_keys][checked]", "value"), "no");
    }
    let missing = "01940000-0000-7000-8000-000000000000";
    let bodies: Vec<String> = [foreign.as_str(), missing, "nonsense", &foreign.to_uppercase(), &gone, &setup.id]
        .into_iter()
        .map(|owner| setup.admin.delete_user(&setup.id, &[("new_owner", owner)]).expect(404).without_reference())
        .collect();
    assert!(bodies[0].contains("This user does not exist.") && bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(setup.state(), before);
    assert!(setup.keys.iter().all(|(_, key)| setup.server.whoami(key) == 200));
    setup.jonas.get(API_KEYS).expect(200);
    other_company.get(API_KEYS).expect(200);
}

#[test]
fn an_invalid_new_owner_is_refused_even_without_keys() {
    let server = TestServer::start();
    let id = server.add_person(NAME, JONAS, Role::Auditor);
    server.other_company_admin();
    let (admin, foreign) = (server.admin(), server.user_id("ada@northwind.example"));
    for owner in ["nonsense", "01940000-0000-7000-8000-000000000000", foreign.as_str(), id.as_str()] {
        let status = admin.delete_user(&id, &[("new_owner", owner)]).status;
        assert_eq!((status, server.event_count("user.deleted")), (404, 0), "{owner}");
    }
}

#[test]
fn an_admin_can_delete_their_own_account_if_another_is_left() {
    let setup = Setup::new();
    let maria = setup.server.user_id("maria@brightwater.example");
    let page = setup.jonas.get(&format!("{USERS}/{}/delete", setup.id)).expect(200).html();
    assert!(page.text("dialog").contains("You will be signed out and cannot sign in again."));
    let answer = setup.jonas.delete_user(&setup.id, &[("new_owner", &maria)]).expect(303);
    let next = setup.jonas.get(answer.header("location")).expect(303);
    assert!(next.header("location").starts_with("/sign-in"));
    let drawer = setup.admin.get(&format!("{API_KEYS}?audit=open")).html();
    assert!(drawer.text("[data-action='user.deleted']").contains("Deleted user deleted a user"));
    assert_eq!(setup.server.admins_who_can_sign_in(), 1);
    setup.verify();
}

#[test]
fn new_owners_who_can_change_keys_come_first() {
    let server = TestServer::start();
    let admin = server.admin();
    server.auditor();
    let tomasz = server.add_person("Tomasz Wójcik", "tomasz@brightwater.example", Role::Admin);
    server.signed_in_as("tomasz@brightwater.example").create_key("ERP Sync");
    server.add_person("Elif Demir", "elif@brightwater.example", Role::Auditor);
    let page = admin.get(&format!("{USERS}/{tomasz}/delete")).expect(200).html();
    let options = page.texts("#new_owner option");
    assert_eq!(options, ["Select a new owner", "Maria Lindqvist", "Elif Demir (has not signed in yet)", "Jonas Bakke"]);
    assert_eq!(page.attribute("#new_owner optgroup", "label"), "Cannot change keys");
    assert_eq!(page.texts("#new_owner optgroup option").len(), 2);
}
