//! What `keydesk audit verify` prints about rows and files.

use std::fs;

use super::tampering::literals;
use crate::cli::{keydesk, text};
use crate::support::{TestServer, database};

fn verify(server: &TestServer, words: &[&str]) -> (i32, String, String) {
    let mut command = keydesk(server.folder.path());
    command.args(["--database-url", &server.database_url, "audit", "verify"]).args(words);
    let result = command.output().unwrap();
    (result.status.code().unwrap(), text(&result.stdout), text(&result.stderr))
}

fn event(server: &TestServer, key: &str, action: &str) -> String {
    let rest = format!("FROM events WHERE key_id = '{key}' AND action = '{action}' ORDER BY sequence DESC");
    database::column(&server.database_url, "sequence || ' (' || id || ', ' || action || ')'", &rest).remove(0).unwrap()
}

#[test]
fn matching_rows_are_counted() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.rotate(&id, "24h").expect(201);
    let (code, output, _) = verify(&server, &[]);
    assert_eq!(code, 0, "{output}");
    assert!(
        output.contains("all as they were recorded; 2 keys, 1 service account and 1 user as they say\n"),
        "{output}"
    );
    assert!(output.contains("Installation: 0 events, all as they were recorded\n"), "{output}");
    assert!(!output.contains("fingerprint"), "{output}");
    let setting = "current_setting('data_checksums')";
    let has_no_checksums = database::postgres().is_some()
        && database::column(&server.database_url, setting, "")[0].as_deref() == Some("off");
    assert_eq!(output.contains("PostgreSQL keeps no checksums"), has_no_checksums, "{output}");
}

#[test]
fn a_revived_key_is_named_with_its_revocation() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.revoke(&id, "compromised", "").expect(303);
    database::tamper(
        &server.database_url,
        "UPDATE api_keys SET revoked_at = NULL, revoked_by_type = NULL, revoked_by = NULL, revocation_reason = NULL",
    );
    assert_eq!(server.whoami(&key), 200, "the database decides");
    let (code, output, error) = verify(&server, &[]);
    let named = format!(
        "API key {id}: revoked_at, revoked_by_type, revoked_by and revocation_reason are not as event {} says",
        event(&server, &id, "api_key.revoked")
    );
    assert_eq!(code, 1);
    assert!(output.contains(&format!("Brightwater: {named}\n")), "{output}");
    assert_eq!(error, format!("The database is not what the audit trail of Brightwater says: {named}.\n"));
}

#[test]
fn exchanged_digests_are_named_with_both_keys() {
    let server = TestServer::start();
    let admin = server.admin();
    let (one, other) = (admin.create_key("ERP Sync"), admin.create_key("Reporting"));
    let digest = |id: &str| literals(&server, "digest", &format!("FROM api_keys WHERE id = '{id}'")).remove(0);
    let (of_one, of_other) = (digest(&one.0), digest(&other.0));
    let set = |id: &str, digest: &str| format!("UPDATE api_keys SET digest = {digest} WHERE id = '{id}';");
    let temporary = if database::postgres().is_some() { "'none'" } else { "X'00'" };
    let statements = [set(&one.0, temporary), set(&other.0, &of_one), set(&one.0, &of_other)];
    database::tamper(&server.database_url, &statements.concat());
    let (code, output, _) = verify(&server, &["--company", "Brightwater"]);
    assert_eq!(code, 1);
    for (id, _) in [one, other] {
        let named = format!("API key {id}: digest is not as event {} says", event(&server, &id, "api_key.created"));
        assert!(output.contains(&named), "{output}");
    }
}

#[test]
fn rows_of_no_company_are_named() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    super::tampering::unlock(&server);
    let off = if database::postgres().is_some() { "" } else { "PRAGMA foreign_keys = OFF;" };
    database::tamper(&server.database_url, &format!("{off} UPDATE users SET company_id = 'Brightwater: all well\n'"));
    let (code, output, error) = verify(&server, &[]);
    let user = server.actions.store.query(|db| db.stored_rows().strays(9)).unwrap().remove(0).subject.id;
    assert_eq!(code, 1);
    assert!(output.contains(&format!("user {user} is missing")), "{output}");
    assert!(output.contains(&format!("\nuser {user} was never recorded")), "{output}");
    assert!(error.contains(&user) && error.lines().count() == 1, "{error}");
}

#[test]
fn torn_pages_of_a_copy_are_found() {
    if database::postgres().is_some() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    for number in 0..40 {
        let (id, _) = admin.create_key(&format!("Service {number}"));
        admin.revoke(&id, "unspecified", "").expect(303);
    }
    // Without free pages, every page means something.
    database::tamper(&server.database_url, "VACUUM");
    server.actions.store.truncate_wal();
    let path = server.folder.path().join("keydesk.db");
    let whole = fs::read(&path).unwrap();
    let page_size = 4_096;
    let copy = tempfile::tempdir().unwrap();
    fs::copy(server.folder.path().join("secrets"), copy.path().join("secrets")).unwrap();
    let (mut torn, mut found) = (0, 0);
    for page in (2..whole.len() / page_size).step_by(7) {
        let mut bytes = whole.clone();
        // The second half of the page was never written.
        let half = &mut bytes[page * page_size + page_size / 2..(page + 1) * page_size];
        if half.iter().all(|byte| *byte == 0) {
            continue;
        }
        half.fill(0);
        fs::write(copy.path().join("keydesk.db"), &bytes).unwrap();
        for rest in ["keydesk.db-wal", "keydesk.db-shm"] {
            let _ = fs::remove_file(copy.path().join(rest));
        }
        let result = keydesk(copy.path()).args(["audit", "verify"]).output().unwrap();
        torn += 1;
        found += u32::from(!result.status.success());
    }
    assert!(torn > 5 && found == torn, "{found} of {torn} torn pages found");
}
