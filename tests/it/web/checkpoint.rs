//! The checkpoint and its key, downloaded by those who may see the trail.

use keydesk::domain::checkpoint::CheckpointKey;

use crate::cli::{run, text};
use crate::support::{T, TestServer, database};

#[test]
fn the_checkpoint_that_is_downloaded_verifies_under_the_key_that_is_downloaded() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    admin.create_key("ERP Sync");
    let size = database::count(&server.database_url, "events", "TRUE");
    for reader in [&admin, &auditor] {
        let checkpoint = reader.get(&format!("{T}/checkpoint")).expect(200);
        let key = reader.get(&format!("{T}/public-key")).expect(200);
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
fn every_company_gets_its_own_checkpoint_and_after_each_change_a_new_one() {
    let server = TestServer::start();
    let (here, elsewhere) = (server.admin(), server.admin_elsewhere());
    let path = format!("{T}/checkpoint");
    let (before, theirs) = (here.get(&path).expect(200).body, elsewhere.get(&path).expect(200).body);
    let origin = |note: &str| note.lines().next().unwrap().to_owned();
    assert!(origin(&before).ends_with(&server.company("Brightwater").to_string()), "{before}");
    assert!(origin(&theirs).ends_with(&server.company("Northwind").to_string()), "{theirs}");
    here.create_key("ERP Sync");
    let after = here.get(&path).expect(200).body;
    assert!(origin(&after) == origin(&before) && after != before);
    assert_eq!(elsewhere.get(&path).expect(200).body, theirs);
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
        assert_eq!(text(&printed.stdout), admin.get(&format!("{T}/{page}")).expect(200).body);
    }
    let own = run(&["audit", "checkpoint"]);
    let installation = server.actions.installation;
    assert!(text(&own.stdout).starts_with(&format!("keydesk/{installation}/{installation}\n0\n")));
    let nobody = run(&["audit", "checkpoint", "--company", "Nobody"]);
    assert_eq!((nobody.status.code(), text(&nobody.stdout).as_str()), (Some(1), ""));
    assert!(text(&nobody.stderr).contains("There is no company “Nobody”"));
}
