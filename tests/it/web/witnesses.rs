//! What the Audit Trail page says of the checkpoint and of who outside has it.

use keydesk::domain::name::CompanyName;

use crate::support::server::add_brightwater;
use crate::support::{Html, T, TestServer};

fn said(page: &Html) -> String {
    page.text("section[aria-labelledby=checkpoint]")
}

#[test]
fn the_page_leads_to_the_checkpoint_and_its_key_and_says_that_nobody_is_told_by_itself() {
    let server = TestServer::start();
    for reader in [server.admin(), server.auditor()] {
        let page = reader.get(T).expect(200).html();
        let links = page.all("section[aria-labelledby=checkpoint] a");
        let hrefs: Vec<&str> = links.iter().map(|link| link.attr("href").unwrap()).collect();
        assert_eq!(hrefs, [format!("{T}/checkpoint"), format!("{T}/public-key")]);
        for href in hrefs {
            reader.get(href).expect(200);
        }
        assert!(said(&page).contains("Keydesk sends it nowhere by itself"), "{}", said(&page));
    }
}

#[test]
fn the_page_says_when_and_where_the_checkpoint_was_witnessed_and_what_has_come_since() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
    let admin = server.admin();
    server.tell_witnesses();
    let events = server.trail("Brightwater").len();
    let page = || admin.get(T).expect(200).html();
    let known = format!("Last witnessed 23 Nov 2026, 09:00 by {} ({events} events).", path.display());
    assert!(said(&page()).contains(&known) && !said(&page()).contains("since"), "{}", said(&page()));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    admin.create_key("ERP Sync");
    let since = format!("{known} 1 event since is not witnessed yet.");
    assert!(said(&page()).contains(&since), "{}", said(&page()));
    server.tell_witnesses();
    let failed = format!("{since} The last attempt failed, 23 Nov 2026, 09:00: the file cannot be appended to: ");
    assert!(said(&page()).contains(&failed), "{}", said(&page()));
    let without = server.beside();
    let page = without.admin().get(T).expect(200).html();
    assert!(said(&page).contains(&format!("{known} It is told of no new checkpoints.")), "{}", said(&page));
}

#[test]
fn what_is_witnessed_of_another_company_is_not_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
    let elsewhere = server.admin_elsewhere();
    server.tell_witnesses();
    server.admin().create_key("ERP Sync");
    let name = CompanyName::parse("Third").unwrap();
    server.actions.add_company(&name, &keydesk::domain::event::Origin::command_line()).unwrap();
    let page = elsewhere.get(T).expect(200).html();
    assert!(!said(&page).contains("since") && said(&page).contains("(3 events)"), "{}", said(&page));
}
