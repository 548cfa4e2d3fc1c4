//! The checkpoint and its witnesses on the Audit Trail page.

use keydesk::domain::text::name::CompanyName;

use crate::support::companies::add_brightwater;
use crate::support::{AUDIT_TRAIL, Html, TestServer};

fn checkpoint_text(page: &Html) -> String {
    page.text("section[aria-labelledby=checkpoint]")
}

#[test]
fn without_witnesses_the_page_says_so_and_links_the_checkpoint() {
    let server = TestServer::start();
    for reader in [server.admin(), server.auditor()] {
        let page = reader.get(AUDIT_TRAIL).expect(200).html();
        let links = page.all("section[aria-labelledby=checkpoint] a");
        let hrefs: Vec<&str> = links.iter().map(|link| link.attr("href").unwrap()).collect();
        assert_eq!(hrefs, [format!("{AUDIT_TRAIL}/checkpoint"), format!("{AUDIT_TRAIL}/public-key")]);
        for href in hrefs {
            reader.get(href).expect(200);
        }
        assert!(
            checkpoint_text(&page).contains("Checkpoints are not sent anywhere yet."),
            "{}",
            checkpoint_text(&page)
        );
    }
}

#[test]
fn the_page_shows_when_and_where_a_checkpoint_was_witnessed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
    let admin = server.admin();
    server.publish_checkpoints();
    let events = server.trail("Brightwater").len();
    let page = || admin.get(AUDIT_TRAIL).expect(200).html();
    let known = format!("Last witnessed 23 Nov 2026, 09:00 by {} ({events} events).", path.display());
    assert!(
        checkpoint_text(&page()).contains(&known) && !checkpoint_text(&page()).contains("since"),
        "{}",
        checkpoint_text(&page())
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    admin.create_key("ERP Sync");
    let since = format!("{known} 1 event since then has not been sent yet.");
    assert!(checkpoint_text(&page()).contains(&since), "{}", checkpoint_text(&page()));
    server.publish_checkpoints();
    let failed = format!("{since} The last attempt failed, 23 Nov 2026, 09:00: the file cannot be appended to: ");
    assert!(checkpoint_text(&page()).contains(&failed), "{}", checkpoint_text(&page()));
    let without = server.second_server();
    let page = without.admin().get(AUDIT_TRAIL).expect(200).html();
    assert!(
        checkpoint_text(&page).contains(&format!("{known} No longer receives checkpoints.")),
        "{}",
        checkpoint_text(&page)
    );
}

#[test]
fn witnesses_of_another_company_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let server = TestServer::with(&["--checkpoint-file", path.to_str().unwrap()], add_brightwater);
    let other_company = server.other_company_admin();
    server.publish_checkpoints();
    server.admin().create_key("ERP Sync");
    let name = CompanyName::parse("Third").unwrap();
    server.actions.add_company(&name).unwrap();
    let page = other_company.get(AUDIT_TRAIL).expect(200).html();
    assert!(
        !checkpoint_text(&page).contains("since") && checkpoint_text(&page).contains("(3 events)"),
        "{}",
        checkpoint_text(&page)
    );
}
