//! Two browsers edit the same thing: the second one does not overwrite the first one's change.

use keydesk::domain::user::profile::Role;
use scraper::ElementRef;

use crate::support::browser::words;
use crate::support::{API_KEYS, Answer, Browser, Html, TestServer, USERS};

const POLICY: &str = "/administration/company-settings/key-policy";
const GENERAL: &str = "/administration/company-settings/general";
const ACCOUNT: &str = "/account";

/// The values of an open form.
#[derive(Clone)]
struct OpenForm(Vec<(String, String)>);

impl OpenForm {
    fn open(browser: &Browser, path: &str) -> Self {
        Self::of(&browser.get(path).expect(200), path)
    }

    /// Reads the form that posts to `path`.
    fn of(page: &Answer, path: &str) -> Self {
        let page = page.html();
        let form = format!("form[action='{path}']");
        let mut values = Vec::new();
        let checked = |input: &ElementRef<'_>| {
            !matches!(input.attr("type"), Some("radio" | "checkbox")) || input.attr("checked").is_some()
        };
        for input in page.all(&format!("{form} input[name]")).iter().filter(|input| checked(input)) {
            values.push((input.attr("name").unwrap().to_owned(), input.attr("value").unwrap_or_default().to_owned()));
        }
        for select in page.all(&format!("{form} select")) {
            let name = select.attr("name").unwrap();
            let chosen = page.all(&format!("{form} select[name='{name}'] option[selected]"));
            let value = |option: &ElementRef<'_>| option.attr("value").map_or_else(|| words(option), str::to_owned);
            let value = chosen.first().map_or_else(String::new, value);
            values.push((name.to_owned(), value));
        }
        Self(values)
    }

    fn get(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }

    fn with(&self, field: &str, value: &str) -> Self {
        let mut form = self.clone();
        form.0.retain(|(name, _)| name != field);
        form.0.push((field.to_owned(), value.to_owned()));
        form
    }

    fn submit(&self, browser: &Browser, path: &str) -> Answer {
        let fields: Vec<_> = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(path, &fields)
    }
}

/// A form, two changes of different fields, and how a third party reads the saved values.
struct Edited {
    path: String,
    first: (&'static str, String),
    second: (&'static str, String),
}

/// Every form that edits something: the key, the policy, a role and the preferences.
fn edited_forms(server: &TestServer, admin: &Browser) -> Vec<Edited> {
    let [key, other] = ["ERP Sync", "Reporting"].map(|name| admin.create_key(name).0);
    let nina = server.user_id("nina@brightwater.example");
    let jonas = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let form = |path: String, first: (&'static str, &str), second: (&'static str, &str)| Edited {
        path,
        first: (first.0, first.1.to_owned()),
        second: (second.0, second.1.to_owned()),
    };
    vec![
        form(format!("{API_KEYS}/{key}/edit"), ("name", "ERP Sync (EU)"), ("owner", &nina)),
        form(format!("{API_KEYS}/{other}/edit"), ("purpose", "Copies orders"), ("contact", "#it")),
        form(POLICY.to_owned(), ("require_second_factor", "yes"), ("rotation_period", "90")),
        form(GENERAL.to_owned(), ("company_name", "Brightwater Foods"), ("company_name", "Brightwater Ltd")),
        form(format!("{USERS}/{jonas}/role"), ("role", "admin"), ("role", "admin")),
        form(ACCOUNT.to_owned(), ("time_zone", "Asia/Tokyo"), ("theme", "dark")),
    ]
}

/// The admin Maria and, for every form but the account's, the admin Nina. Both have a second factor.
fn browsers(server: &TestServer) -> (Browser, Browser) {
    server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    let (maria, nina) = (server.admin(), server.signed_in_as("nina@brightwater.example"));
    server.set_up_second_factor(&maria);
    server.set_up_second_factor(&nina);
    (maria, nina)
}

fn banner(page: &Html) -> String {
    page.text(".banner.error p")
}

#[test]
fn a_change_made_in_the_meantime_is_not_overwritten() {
    let server = TestServer::start();
    let (maria, nina) = browsers(&server);
    for Edited { path, first, second } in edited_forms(&server, &maria) {
        let other = if path == ACCOUNT { &maria } else { &nina };
        let (stale, fresh) = (OpenForm::open(other, &path), OpenForm::open(&maria, &path));
        fresh.with(first.0, &first.1).submit(&maria, &path).expect(303);
        server.advance(std::time::Duration::from_mins(2));
        let refused = stale.with(second.0, &second.1).submit(other, &path).expect(409);
        let again = OpenForm::of(&refused, &path);
        let says = banner(&refused.html());
        let who = if path == ACCOUNT {
            "You changed this 2 minutes ago"
        } else {
            "Maria Lindqvist changed this 2 minutes ago"
        };
        assert!(says.contains(who), "{path}: {says}");
        // Nothing was saved, the typed value is kept, and the untouched field shows the saved value.
        assert_eq!(OpenForm::open(&maria, &path).get(first.0), first.1, "{path}");
        assert_eq!(again.get(second.0), second.1, "{path}: the typed value is kept");
        if first.0 != second.0 {
            assert_eq!(again.get(first.0), first.1, "{path}: the untouched field is current");
            let row = refused.html().texts("table.changes tbody tr");
            assert_eq!(row.len(), 1, "{path}: {row:?}");
        }
        again.submit(other, &path).expect(303);
        let saved = OpenForm::open(&maria, &path);
        assert_eq!(saved.get(second.0), second.1, "{path}");
        if first.0 != second.0 {
            assert_eq!(saved.get(first.0), first.1, "{path}: the first change survives");
        }
    }
}

#[test]
fn a_value_that_was_changed_back_is_another_version() {
    let server = TestServer::start();
    let (maria, nina) = browsers(&server);
    for Edited { path, first, second } in edited_forms(&server, &maria) {
        let other = if path == ACCOUNT { &maria } else { &nina };
        let (stale, fresh) = (OpenForm::open(other, &path), OpenForm::open(&maria, &path));
        let before = fresh.get(first.0).to_owned();
        fresh.with(first.0, &first.1).submit(&maria, &path).expect(303);
        OpenForm::open(&maria, &path).with(first.0, &before).submit(&maria, &path).expect(303);
        stale.with(second.0, &second.1).submit(other, &path).expect(409);
    }
}

#[test]
fn a_missing_or_foreign_version_comes_back_with_the_typed_values() {
    let server = TestServer::start();
    let (maria, _) = browsers(&server);
    let forms = edited_forms(&server, &maria);
    let foreign = OpenForm::open(&maria, &forms[0].path).get("version").to_owned();
    for (number, Edited { path, first, .. }) in forms.iter().enumerate() {
        let form = OpenForm::open(&maria, path);
        let genuine = form.get("version").to_owned();
        let foreign =
            if number == 0 { OpenForm::open(&maria, POLICY).get("version").to_owned() } else { foreign.clone() };
        for version in ["", "nonsense", &genuine[1..], &foreign, &genuine[..genuine.len() - 3]] {
            let refused = form.with(first.0, &first.1).with("version", version).submit(&maria, path).expect(422);
            let again = OpenForm::of(&refused, path);
            assert_eq!(again.get(first.0), first.1, "{path} with {version:?}");
            assert_eq!(again.get("version"), genuine, "{path} with {version:?}");
            assert!(banner(&refused.html()).starts_with("The form was not complete"), "{path}");
        }
        assert_eq!(OpenForm::open(&maria, path).get("version"), genuine, "{path}: nothing changed");
    }
}

#[test]
fn an_invalid_field_does_not_hide_a_conflict() {
    let server = TestServer::start();
    let (maria, nina) = browsers(&server);
    let path = format!("{API_KEYS}/{}/edit", maria.create_key("ERP Sync").0);
    let stale = OpenForm::open(&nina, &path);
    OpenForm::open(&maria, &path).with("name", "ERP Sync (EU)").submit(&maria, &path).expect(303);
    let invalid = stale.with("name", "").submit(&nina, &path).expect(422);
    OpenForm::of(&invalid, &path).with("name", "Other").submit(&nina, &path).expect(409);
}
