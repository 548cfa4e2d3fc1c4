//! Error pages: signed-in users keep the navigation.

use crate::support::{API_KEYS, Html, TestServer, USERS};

fn has_navigation(page: &Html) -> bool {
    page.has(".rail a[href]") && page.has("form[action='/sign-out']") && page.text(".brand") == "Brightwater"
}

#[test]
fn an_error_page_keeps_the_navigation_of_a_session() {
    let server = TestServer::start();
    let (admin, auditor) = (server.admin(), server.auditor());
    let key = admin.create_key("ERP Sync").0;
    admin.revoke(&key, "unspecified", "").expect(303);
    for (browser, path, status, heading) in [
        (&admin, "/nowhere".to_owned(), 404, "Not found"),
        (&admin, format!("{API_KEYS}/nothing"), 404, "Not found"),
        (&admin, format!("{API_KEYS}?q=a&q=b"), 400, "Bad request"),
        (&admin, "/sign-out".to_owned(), 405, "Not possible here"),
        (&admin, format!("{API_KEYS}/{key}/edit"), 409, "Nothing was changed"),
        (&auditor, format!("{USERS}/new"), 403, "Not allowed"),
    ] {
        let answer = browser.get(&path).expect(status);
        let page = answer.html();
        assert!(has_navigation(&page), "{path}");
        assert_eq!((page.text("h1"), page.text("title")), (heading.to_owned(), format!("{heading} – Brightwater")));
        assert!(!page.text(".message p").contains(heading), "{path}: the sentence repeats the heading");
        assert!(page.text("main").contains(&format!("Reference: {}", answer.header("x-request-id"))), "{path}");
    }
}

#[test]
fn an_error_page_without_a_session_has_no_navigation() {
    let server = TestServer::start();
    let admin = server.admin();
    let anonymous = server.anonymous();
    let page = anonymous.get("/nowhere").expect(404).html();
    assert!(!has_navigation(&page) && page.text("title") == "Not found – Go Autonomous administration");
    admin.post("/sign-out", &[]).expect(303);
    assert!(!has_navigation(&admin.get("/nowhere").expect(404).html()));
}
