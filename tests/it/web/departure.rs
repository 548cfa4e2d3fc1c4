//! When a user leaves: what is erased, what becomes of their keys, what stays.

use keydesk::domain::user::Role;

use crate::cli::keydesk;
use crate::support::{Browser, Html, K, TestServer, U, database};

const JONAS: &str = "jonas.leaver@brightwater.example";
const NAME: &str = "Jonas Quentin Bakke";

/// A server with Maria, and with Jonas, an admin with a second factor, a session and two keys.
struct Leaving {
    server: TestServer,
    admin: Browser,
    jonas: Browser,
    id: String,
    keys: Vec<(String, String)>,
}

impl Leaving {
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

    /// Everything that a refused deletion must leave as it was.
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
        let what = "coalesce(key_id, '-') || ' ' || coalesce(before_json, '-') || ' ' || coalesce(after_json, '-')";
        let rest = format!("FROM events WHERE action = '{action}' ORDER BY sequence");
        self.column(what, &rest).into_iter().flatten().collect()
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
fn deleting_somebody_erases_who_they_were_and_keeps_the_id() {
    let leaving = Leaving::new();
    let (server, id) = (&leaving.server, leaving.id.as_str());
    server.anonymous().post("/sign-in", &[("email", JONAS), ("password", "wrong")]).expect(422);
    server.signed_in_as_far_as_the_code(JONAS);
    leaving.admin.renew_invitation(id);
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
        assert_ne!(leaving.count(table, &format!("user_id = '{id}'")), 0, "{table}");
    }
    assert_ne!(leaving.count("sign_in_failures", "reported_at IS NOT NULL"), 0);
    leaving.admin.delete_user(id, &[("revoke_keys", "yes")]).expect(303);
    leaving.jonas.get(K).expect(303);
    leaving.jonas.get("/account").expect(303);
    for table in own {
        assert_eq!(leaving.count(table, &format!("user_id = '{id}'")), 0, "{table}");
    }
    assert_eq!(leaving.count("sign_in_failures", "reported_at IS NOT NULL"), 0);
    let erased = "name IS NULL AND email IS NULL AND email_folded IS NULL AND password_hash IS NULL \
                  AND time_zone IS NULL AND last_signed_in_at IS NULL AND deleted_at IS NOT NULL";
    assert_eq!(leaving.count("users", &format!("id = '{id}' AND {erased}")), 1);
    if database::postgres().is_none() {
        database::tamper(&server.database_url, "PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = std::fs::read(server.folder.path().join("keydesk.db")).unwrap();
        for word in [NAME, "jonas quentin bakke", "Quentin", JONAS, "jonas.leaver"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} is still in the file");
        }
        assert!(bytes.windows(5).any(|window| window == b"Maria"), "the file holds names that can be looked for");
    }
    let fields = [("email", JONAS), ("password", crate::support::PASSWORD)];
    server.anonymous().post("/sign-in", &fields).expect(422);
    leaving.verify();
}

#[test]
fn whoever_was_deleted_is_a_deleted_user_everywhere() {
    let leaving = Leaving::new();
    let [(kept, _), (revoked, _)] = [&leaving.keys[0], &leaving.keys[1]];
    leaving.jonas.revoke(revoked, "superseded", "").expect(303);
    let maria = leaving.server.user_id("maria@brightwater.example");
    leaving.admin.delete_user(&leaving.id, &[("new_owner", &maria)]).expect(303);
    let active = leaving.admin.get(K).expect(200);
    assert!(row(&active.html(), kept).contains("Deleted user"));
    let dialog = leaving.admin.get(&format!("{K}/{kept}/revoke")).expect(200);
    assert!(dialog.html().text("dialog").contains("Deleted user"), "{}", dialog.html().text("dialog"));
    let ended = leaving.admin.get(&format!("{K}?tab=revoked")).expect(200);
    assert_eq!(row(&ended.html(), revoked).matches("Deleted user").count(), 2);
    let drawer = leaving.admin.get(&format!("{K}?audit=open")).expect(200);
    for action in ["api_key.created", "api_key.revoked"] {
        let found = drawer.html().texts(&format!("[data-action='{action}']"));
        assert!(found.iter().all(|event| event.contains("Deleted user")), "{found:?}");
    }
    let deleted = drawer.html().text("[data-action='user.deleted']");
    assert!(deleted.contains("Maria Lindqvist"), "{deleted}");
    let already = leaving.admin.get(&format!("{K}?tab=revoked&already={revoked}")).html().text(".banner p");
    assert!(already.contains("was already revoked by Deleted user on"), "{already}");
    let narrowed = leaving.admin.get(&format!("{K}/audit-trail?key={kept}")).expect(200);
    assert!(narrowed.body.contains("Deleted user"));
    for answer in [active, dialog, ended, drawer, narrowed, leaving.admin.get(U)] {
        assert!(!answer.body.contains(NAME) && !answer.body.contains(JONAS));
    }
    assert!(!leaving.admin.get(U).body.contains(&leaving.id));
    for path in ["role", "delete"] {
        leaving.admin.get(&format!("{U}/{}/{path}", leaving.id)).expect(404);
    }
    leaving.admin.change_role(&leaving.id, "admin").expect(404);
    leaving.admin.delete_user(&leaving.id, &[]).expect(404);
    leaving.admin.post(&format!("{U}/{}/invitation", leaving.id), &[]).expect(404);
}

#[test]
fn the_address_of_somebody_who_left_can_be_invited_again() {
    let leaving = Leaving::new();
    leaving.admin.delete_user(&leaving.id, &[("revoke_keys", "yes")]).expect(303);
    let link = leaving.admin.invite("Jonas Again", JONAS, "auditor");
    leaving.server.anonymous().accept(&leaving.server.path_of(&link)).expect_redirect(K);
    assert_ne!(leaving.server.user_id(JONAS), leaving.id);
}

#[test]
fn keys_are_handed_over_each_with_its_event_and_only_those_that_are_active() {
    let leaving = Leaving::new();
    let (revoked, _) = leaving.jonas.create_key("Old");
    leaving.jonas.revoke(&revoked, "unspecified", "").expect(303);
    let (marias, _) = leaving.admin.create_key("Marias");
    let (maria, jonas) = (leaving.server.user_id("maria@brightwater.example"), leaving.id.as_str());
    let dialog = leaving.admin.get(&format!("{U}/{jonas}/delete")).expect(200).html();
    assert!(dialog.text("dialog").contains(&format!("2 active keys belong to {NAME}.")));
    assert_eq!(dialog.texts(".owned-keys li").len(), 2);
    let own = leaving.admin.get(&format!("{U}/{maria}/delete")).expect(200).html();
    assert!(own.text("dialog").contains("1 active key belongs to you."), "{}", own.text("dialog"));
    assert!(!dialog.has(&format!("#new_owner option[value='{jonas}']")));
    let before = leaving.count("events", "TRUE");
    let fields = [("revoke_keys", "no"), ("new_owner", maria.as_str())];
    let done = leaving.admin.delete_user(jonas, &fields).expect(303).header("location").to_owned();
    let banner = leaving.admin.get(&done).html().text(".banner[role=status] p");
    assert_eq!(banner, "The user was deleted. 2 keys were handed to Maria Lindqvist.");
    assert_eq!(leaving.count("events", "TRUE"), before + 3);
    let handed = leaving.events("api_key.handed_over");
    assert_eq!(handed.len(), 2);
    for ((id, key), name) in leaving.keys.iter().zip(["ERP Sync", "Reporting"]) {
        let expected = format!(r#"{id} {{"name":"{name}","owner":"{jonas}"}} {{"name":"{name}","owner":"{maria}"}}"#);
        assert!(handed.contains(&expected), "{handed:?}");
        assert_eq!(leaving.server.whoami(key), 200);
    }
    let owners = |id: &str| leaving.column("owner", &format!("FROM api_keys WHERE id = '{id}'")).remove(0).unwrap();
    assert_eq!(leaving.keys.iter().map(|(id, _)| owners(id)).collect::<Vec<_>>(), [maria.clone(), maria.clone()]);
    assert_eq!((owners(&revoked).as_str(), owners(&marias)), (jonas, maria));
    assert_eq!(leaving.events("user.deleted").len(), 1);
    assert!(!leaving.events("user.deleted")[0].contains(NAME));
    leaving.verify();
}

#[test]
fn keys_are_revoked_all_together_because_their_owner_left() {
    let leaving = Leaving::new();
    let (_, marias) = leaving.admin.create_key("Marias");
    let done = leaving.admin.delete_user(&leaving.id, &[("revoke_keys", "yes"), ("new_owner", "")]).expect(303);
    for (id, key) in &leaving.keys {
        assert_eq!(leaving.server.whoami(key), 401);
        let condition = format!("action = 'api_key.revoked' AND key_id = '{id}' AND reason = 'owner-left'");
        assert_eq!(leaving.count("events", &condition), 1);
    }
    assert_eq!(leaving.server.whoami(&marias), 200);
    let banner = leaving.admin.get(done.header("location")).html().text(".banner p");
    assert_eq!(banner, "The user was deleted. 2 keys were revoked.");
    let page = leaving.admin.get(&format!("{K}?tab=revoked")).html();
    let revoked = row(&page, &leaving.keys[0].0);
    assert!(revoked.contains("Maria Lindqvist") && revoked.contains("Deleted user"), "{revoked}");
    leaving.verify();
}

#[test]
fn nothing_happens_while_nobody_said_what_becomes_of_the_keys_or_the_heir_is_none() {
    let leaving = Leaving::new();
    let elsewhere = leaving.server.admin_elsewhere();
    let foreign = leaving.server.user_id("ada@northwind.example");
    leaving.admin.invite("Nina Okafor", "nina@brightwater.example", "auditor");
    let gone = leaving.server.user_id("nina@brightwater.example");
    leaving.admin.delete_user(&gone, &[]).expect(303);
    let before = leaving.state();
    for fields in [vec![], vec![("revoke_keys", "no")], vec![("revoke_keys", "no"), ("new_owner", "")]] {
        let page = leaving.admin.delete_user(&leaving.id, &fields).expect(422).html();
        assert!(page.text("dialog").contains("Choose who gets the keys, or revoke them."));
        assert!(page.text("title").starts_with("Error: Delete "));
        assert_eq!(page.attribute("input[name=revoke_keys][checked]", "value"), "no");
    }
    let missing = "01940000-0000-7000-8000-000000000000";
    let bodies: Vec<String> = [foreign.as_str(), missing, "nonsense", &foreign.to_uppercase(), &gone, &leaving.id]
        .into_iter()
        .map(|owner| leaving.admin.delete_user(&leaving.id, &[("new_owner", owner)]).expect(404).body)
        .collect();
    assert!(bodies[0].contains("This user does not exist.") && bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(leaving.state(), before);
    assert!(leaving.keys.iter().all(|(_, key)| leaving.server.whoami(key) == 200));
    leaving.jonas.get(K).expect(200);
    elsewhere.get(K).expect(200);
}

#[test]
fn an_heir_who_is_none_is_refused_whether_or_not_there_is_anything_to_inherit() {
    let server = TestServer::start();
    let id = server.add_person(NAME, JONAS, Role::Auditor);
    server.admin_elsewhere();
    let (admin, foreign) = (server.admin(), server.user_id("ada@northwind.example"));
    for owner in ["nonsense", "01940000-0000-7000-8000-000000000000", foreign.as_str(), id.as_str()] {
        let status = admin.delete_user(&id, &[("new_owner", owner)]).status;
        assert_eq!((status, server.events("user.deleted")), (404, 0), "{owner}");
    }
}

#[test]
fn an_admin_can_delete_themselves_while_another_is_there() {
    let leaving = Leaving::new();
    let maria = leaving.server.user_id("maria@brightwater.example");
    let page = leaving.jonas.get(&format!("{U}/{}/delete", leaving.id)).expect(200).html();
    assert!(page.text("dialog").contains("You are signed out and can no longer sign in."));
    let answer = leaving.jonas.delete_user(&leaving.id, &[("new_owner", &maria)]).expect(303);
    let next = leaving.jonas.get(answer.header("location")).expect(303);
    assert!(next.header("location").starts_with("/sign-in"));
    let drawer = leaving.admin.get(&format!("{K}?audit=open")).html();
    assert!(drawer.text("[data-action='user.deleted']").contains("Deleted user deleted a user"));
    assert_eq!(leaving.server.admins_who_can_sign_in(), 1);
    leaving.verify();
}
