//! The pages of the account: long and odd inputs never cause a 500.

use keydesk::domain::user::profile::Role;

use crate::support::companies::{add_company, add_user};
use crate::support::{Browser, PASSWORD, TestServer};

/// Texts for every field.
fn odd_texts() -> Vec<String> {
    let characters =
        ["\0", "\u{1}", "\r\n", "\u{202E}", "\u{200B}", "\u{FFFD}", "\u{10FFFF}", "é", "e\u{301}", "語", "𝒶", "😀"];
    let words = ["", " ", "'\"<>&;", "%00", "../../etc/passwd", "null", "-1", "1e999", "Europe/Oslo\0", "__proto__"];
    let repeated = characters.iter().flat_map(|character| [1, 65, 2_000].map(|count| character.repeat(count)));
    let long = ["a", " ", "0", "語"].map(|character| character.repeat(20_000 / character.len()));
    repeated.chain(words.map(str::to_owned)).chain(long).collect()
}

/// The forms under `/account`, with their fields.
const FORMS: [(&str, &[&str]); 6] = [
    ("/account", &["name", "time_zone", "theme"]),
    ("/account/password", &["current_password", "new_password"]),
    ("/account/second-factor", &["code", "current_password"]),
    ("/account/second-factor", &["current_password"]),
    ("/account/sessions/end-others", &["id"]),
    ("/account/sessions/{id}/end", &["id"]),
];

/// Returns the status, which is not a server error.
fn status(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> u16 {
    let status = browser.post(path, fields).status;
    let lengths: Vec<_> = fields.iter().map(|(name, text)| (name, text.chars().next(), text.len())).collect();
    assert!(status < 500, "{path} answers {status} to {lengths:?}");
    status
}

#[test]
fn the_forms_are_all_the_forms_of_the_account() {
    for page in keydesk::web::route_table().iter().filter(|page| page.path.starts_with("/account")) {
        let has_post = page.methods().any(|method| method == "POST");
        assert!(!has_post || FORMS.iter().any(|(path, _)| *path == page.path), "{} has no entry", page.path);
    }
}

#[test]
fn no_input_of_an_account_form_causes_a_500() {
    let server = TestServer::start();
    let user = server.user("maria@brightwater.example");
    for (path, fields) in FORMS {
        let mut browser = server.admin();
        for text in odd_texts() {
            for field in fields {
                let others = fields.iter().filter(|other| *other != field).map(|other| match *other {
                    "current_password" => (*other, PASSWORD),
                    _ => (*other, "Maria"),
                });
                let fields: Vec<_> = [(*field, text.as_str())].into_iter().chain(others).collect();
                let id = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
                // Longer heads are refused by the HTTP library.
                let id = if id.len() < 4_000 { id } else { "x".repeat(4_000) };
                let status = status(&browser, &path.replace("{id}", &id), &fields);
                if (path, status) == ("/account/password", 303) {
                    server.actions.set_password(&user, PASSWORD).unwrap();
                    browser = server.admin();
                }
                // A wait after wrong passwords would hide the form from the next input.
                server.actions.unlock(&user).unwrap();
            }
        }
        for page in ["/account", "/account/second-factor"] {
            browser.get(page).expect(200);
        }
    }
}

#[test]
fn the_account_pages_open_for_the_longest_names() {
    for letter in ["a", "é", "語", "𝒶"] {
        let email = format!("{}@{}.example", "é".repeat(32), letter.repeat(213));
        assert_eq!(email.chars().count(), 254);
        let platform = letter.repeat(500);
        let server = TestServer::with(&["--platform-name", &platform], |actions| {
            let company = add_company(actions, &letter.repeat(64));
            add_user(actions, company, &letter.repeat(64), &email, Role::Admin);
        });
        let browser = server.signed_in_as(&email);
        browser.get("/account").expect(200);
        let page = browser.get("/account/second-factor").expect(200).html();
        assert_eq!(page.text("#second-factor-secret").replace(' ', "").len(), 32, "{letter}");
        assert!(page.has("svg.qr path"), "{letter}");
        server.set_up_second_factor(&browser);
        browser.get("/account/second-factor").expect(200);
    }
}
