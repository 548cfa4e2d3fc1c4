//! Migrations by another role than the server's.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::page::blocks::block;
use crate::cli::start::refusal;
use crate::cli::{ADMIN, Serving, keydesk, run, text};
use crate::support::{API_KEYS, PASSWORD, database};

#[test]
fn without_migration_a_start_needs_a_current_schema() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let never = ["--migrate", "never", "--database-url", url.as_str()];
    let sentence = refusal(folder.path(), &never, &[]);
    assert!(sentence.contains("keydesk migrate"), "{sentence}");
    assert!(!folder.path().join("keydesk.db").exists() && !folder.path().join("secrets").exists());
    for _ in 0..2 {
        let output = run(folder.path(), &url, &["migrate"], "");
        assert_eq!(text(&output.stdout), "The schema of the database is up to date.\n", "{output:?}");
    }
    let mut command = keydesk(folder.path());
    command.args(never);
    assert_eq!(Serving::start(command, 2).stop(), 0);
    // As after an update of the program, or the restore of an older backup.
    let older =
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    database::tamper(&url, older);
    let sentence = refusal(folder.path(), &never, &[]);
    assert!(sentence.contains("keydesk migrate"), "{sentence}");
    database::tamper(
        &url,
        "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99991231235959', CURRENT_TIMESTAMP)",
    );
    assert!(refusal(folder.path(), &never, &[]).contains("newer version"));
}

#[test]
fn a_role_that_may_only_change_rows_serves() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let owner = database::new_url(&folder);
    let role = format!("server_of_{}", owner.rsplit('/').next().unwrap());
    let of_role = owner.replace("keydesk@", &format!("{role}@"));
    let mut connection = PgConnection::establish(&owner).unwrap();
    let grants = block("Choose a database / Let another role change the schema", "GRANT").text;
    let grants = grants.replace("keydesk_server", &role);
    connection.batch_execute(&format!("CREATE ROLE {role} LOGIN; {grants}")).unwrap();
    // It cannot migrate by itself.
    let sentence = refusal(folder.path(), &["--database-url", &of_role], &[]);
    assert!(sentence.contains("keydesk migrate") && sentence.contains("--migrate never"), "{sentence}");
    assert!(run(folder.path(), &owner, &["migrate"], "").status.success());
    assert!(database::refuses(&of_role, "CREATE TABLE t (a int)"));
    for mode in ["never", "auto"] {
        let mut command = keydesk(folder.path());
        command.args(["--migrate", mode, "--database-url", &of_role]);
        let serving = Serving::start(command, if mode == "never" { 2 } else { 1 });
        let browser = if mode == "never" {
            serving.set_up()
        } else {
            let browser = serving.browser();
            browser.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect_redirect(API_KEYS);
            browser
        };
        browser.get("/readyz").expect(200);
        let (id, key) = browser.create_key(&format!("Service {mode}"));
        browser.bearer("/v1/whoami", &key).expect(200);
        browser.revoke(&id, "unspecified", "").expect(303);
        browser.bearer("/v1/whoami", &key).expect(401);
        assert_eq!(serving.stop(), 0);
    }
    let verified = run(folder.path(), &of_role, &["audit", "verify"], "");
    assert!(verified.status.success(), "{verified:?}");
    connection.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}
