//! The Evidence page: the checkpoint, its witnesses, the state in one line, and the export with a proof.

use keydesk::domain::text::name::CompanyName;

use crate::support::companies::add_brightwater;
use crate::support::{AUDIT_TRAIL, Html, TestServer};

const EVIDENCE: &str = "/administration/company-settings/evidence";

fn state(page: &Html) -> String {
    page.text("#evidence-state")
}

fn checkpoint_text(page: &Html) -> String {
    page.text("section[aria-labelledby=checkpoint]")
}

#[test]
fn without_witnesses_the_page_says_so_and_links_the_checkpoint() {
    let server = TestServer::start();
    for reader in [server.admin(), server.auditor()] {
        let page = reader.get(EVIDENCE).expect(200).html();
        let links = page.all("section[aria-labelledby=checkpoint] a");
        let hrefs: Vec<&str> = links.iter().map(|link| link.attr("href").unwrap()).collect();
        assert_eq!(hrefs, [format!("{AUDIT_TRAIL}/checkpoint"), format!("{AUDIT_TRAIL}/public-key")]);
        for href in hrefs {
            reader.get(href).expect(200);
        }
        let events = server.trail("Brightwater").len();
        let unchecked = format!("Not sent to a witness · {events} events · not checked since this server started");
        assert_eq!(state(&page), unchecked);
        assert_eq!(page.text("title"), "Evidence – Company Settings – Brightwater");
        assert_eq!(page.text(".rail [aria-current=page]"), "Evidence");
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
    let page = || admin.get(EVIDENCE).expect(200).html();
    let known = format!("Last witnessed 23 Nov 2026, 09:00 by {} ({events} events).", path.display());
    assert!(
        checkpoint_text(&page()).contains(&known) && !checkpoint_text(&page()).contains("since"),
        "{}",
        checkpoint_text(&page())
    );
    assert!(state(&page()).starts_with(&format!("Witnessed just now · {events} events · ")), "{}", state(&page()));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    admin.create_key("ERP Sync");
    let since = format!("{known} 1 event since then has not been sent yet.");
    assert!(checkpoint_text(&page()).contains(&since), "{}", checkpoint_text(&page()));
    server.publish_checkpoints();
    let failed = format!("{since} The last attempt failed, 23 Nov 2026, 09:00: the file cannot be appended to: ");
    assert!(checkpoint_text(&page()).contains(&failed), "{}", checkpoint_text(&page()));
    server.advance(std::time::Duration::from_mins(12));
    assert!(state(&page()).starts_with("Witnessed 12 minutes ago · "), "{}", state(&page()));
    let without = server.second_server();
    let page = without.admin().get(EVIDENCE).expect(200).html();
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
    let page = other_company.get(EVIDENCE).expect(200).html();
    assert!(
        !checkpoint_text(&page).contains("since") && checkpoint_text(&page).contains("(3 events)"),
        "{}",
        checkpoint_text(&page)
    );
}

#[test]
fn the_checkpoint_form_of_an_export_keeps_the_filters() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let (id, _) = admin.create_key("ERP Sync");
    for browser in [&admin, &auditor] {
        let form = browser.get(&format!("{EVIDENCE}?from=2026-11-23&action=user.added&key={id}")).expect(200).html();
        assert_eq!(form.attribute("form.since", "action"), format!("{AUDIT_TRAIL}/export.jsonl"));
        let hidden = form.all("form.since [type=hidden]").into_iter();
        let hidden: Vec<_> = hidden.map(|field| (field.attr("name").unwrap(), field.attr("value").unwrap())).collect();
        assert_eq!(hidden, [("from", "2026-11-23"), ("action", "user.added"), ("key", id.as_str())]);
        assert_eq!(form.text("label[for=since]"), "Checkpoint size");
    }
    let file = auditor.get(&format!("{AUDIT_TRAIL}/export.jsonl?action=user.added&since=2")).expect(200);
    assert!(file.body.contains("\"size\":2,"), "{}", file.body);
    assert!(
        auditor.get(&format!("{EVIDENCE}?from=soon")).expect(422).html().has("#from-error"),
        "a date is corrected on the Audit Trail page"
    );
}

#[test]
fn an_unknown_checkpoint_size_comes_back_with_an_error() {
    let server = TestServer::start();
    let admin = server.admin();
    let (size, query) = (server.trail("Brightwater").len(), "action=company.created&since=");
    for wrong in ["many", "-1", "9999"] {
        let page = admin.get(&format!("{AUDIT_TRAIL}/export.jsonl?{query}+{wrong}")).expect(422).html();
        let error = page.text("#since-error");
        assert!(error.contains(&format!("The audit trail has {size} events. If a genuine checkpoint")), "{error}");
        let attribute = |name: &str| page.attribute("#since", name);
        assert_eq!((attribute("value"), attribute("aria-invalid")), (wrong.to_owned(), "true".to_owned()));
        assert_eq!(attribute("aria-describedby"), "since-error since-hint");
        assert_eq!(page.text(".rail [aria-current=page]"), "Evidence");
        assert_eq!(page.attribute("form.since [name=action]", "value"), "company.created");
        assert!(page.text("title").starts_with("Error: "));
    }
    admin.get(&format!("{AUDIT_TRAIL}/export.jsonl?{query}1&since=2")).expect(400);
    assert_eq!(server.trail("Brightwater").len(), size, "no export was recorded");
}
