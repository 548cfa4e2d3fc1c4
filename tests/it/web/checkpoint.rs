//! Downloads of the checkpoint and the public key.

use keydesk::domain::trail::checkpoint::CheckpointKey;

use crate::cli::{run, text};
use crate::support::{AUDIT_TRAIL, TestServer, database};

#[test]
fn the_downloaded_checkpoint_verifies_with_the_downloaded_key() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    admin.create_key("ERP Sync");
    let size = database::count(&server.database_url, "events", "TRUE");
    for reader in [&admin, &auditor] {
        let checkpoint = reader.get(&format!("{AUDIT_TRAIL}/checkpoint")).expect(200);
        let key = reader.get(&format!("{AUDIT_TRAIL}/public-key")).expect(200);
        for answer in [&checkpoint, &key] {
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        let file = format!("attachment; filename=\"brightwater-{size}.checkpoint\"");
        assert_eq!(checkpoint.header("content-disposition"), file);
        assert_eq!(key.header("content-disposition"), "attachment; filename=\"brightwater.vkey\"");
        assert_eq!(format!("{}\n", checkpoint.header("x-keydesk-public-key")), key.body);
        let (name, key) = CheckpointKey::parse_vkey(&key.body).unwrap();
        assert_eq!(checkpoint.body.lines().next(), Some(name.as_str()));
        assert_eq!(key.verify(&checkpoint.body, &name).unwrap().size, size);
    }
}

#[test]
fn every_change_gives_a_company_a_new_checkpoint_of_its_own() {
    let server = TestServer::start();
    let (admin, other_company) = (server.admin(), server.other_company_admin());
    let path = format!("{AUDIT_TRAIL}/checkpoint");
    let (before, theirs) = (admin.get(&path).expect(200).body, other_company.get(&path).expect(200).body);
    let origin = |note: &str| note.lines().next().unwrap().to_owned();
    assert!(origin(&before).ends_with(&server.company("Brightwater").to_string()), "{before}");
    assert!(origin(&theirs).ends_with(&server.company("Northwind").to_string()), "{theirs}");
    admin.create_key("ERP Sync");
    let after = admin.get(&path).expect(200).body;
    assert!(origin(&after) == origin(&before) && after != before);
    assert_eq!(other_company.get(&path).expect(200).body, theirs);
}

#[test]
fn the_commands_print_the_same_bytes_as_the_pages() {
    let server = TestServer::start();
    let admin = server.admin();
    admin.create_key("ERP Sync");
    let run = |words: &[&str]| run(server.folder.path(), &server.database_url, words, "");
    for (command, page) in [("checkpoint", "checkpoint"), ("public-key", "public-key")] {
        let printed = run(&["audit", command, "--company", "brightwater"]);
        assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
        assert_eq!(text(&printed.stdout), admin.get(&format!("{AUDIT_TRAIL}/{page}")).expect(200).body);
    }
    let own = run(&["audit", "checkpoint"]);
    let installation = server.actions.installation;
    assert!(text(&own.stdout).starts_with(&format!("keydesk/{installation}/{installation}\n0\n")));
    let unknown = run(&["audit", "checkpoint", "--company", "Nowhere"]);
    assert_eq!((unknown.status.code(), text(&unknown.stdout).as_str()), (Some(1), ""));
    assert!(text(&unknown.stderr).contains("There is no company “Nowhere”"));
}
