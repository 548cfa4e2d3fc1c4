//! The Users page: the list, invitations and refused fields.

use std::collections::BTreeSet;
use std::time::Duration;

use keydesk::actions::NewUser;
use keydesk::actions::RequestContext;
use keydesk::domain::text::name::PersonName;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::profile::Role;

use crate::support::{Answer, Browser, Html, TestServer, USERS, database};

const MARIA: &str = "maria@brightwater.example";
pub const LAST_ADMIN: &str = "This is the only administrator. Make someone else an administrator first.";

fn row(page: &Html, id: &str) -> String {
    page.text(&format!("tr[data-user-id='{id}']"))
}

fn add(admin: &Browser, name: &str, email: &str, role: &str) -> Answer {
    admin.post(USERS, &[("name", name), ("email", email), ("role", role)])
}

#[test]
fn the_list_shows_users_and_how_they_sign_in() {
    let server = TestServer::start();
    let jonas = server.add_person("Jonas Bakke", "jonas@brightwater.example", Role::Auditor);
    let admin = server.admin();
    server.set_up_second_factor(&admin);
    admin.invite("Nina Okafor", "nina@brightwater.example", "admin");
    let page = admin.get(USERS).expect(200).html();
    assert_eq!(page.texts("tr[data-user-id] th bdi"), ["Jonas Bakke", "Maria Lindqvist", "Nina Okafor"]);
    let maria = row(&page, &server.user_id(MARIA));
    assert!(maria.contains("You") && maria.contains("Admin On") && maria.contains("09:00"), "{maria}");
    let auditor = row(&page, &jonas);
    assert!(auditor.contains("Auditor Off Never signed in") && !auditor.contains("You"), "{auditor}");
    let nina = row(&page, &server.user_id("nina@brightwater.example"));
    assert!(nina.contains("nina@brightwater.example") && nina.contains("Invitation pending"), "{nina}");
    server.advance(Duration::from_mins(30));
    let reader = server.signed_in_as("jonas@brightwater.example");
    let page = reader.get(USERS).expect(200).html();
    assert!(row(&page, &jonas).contains("09:30"), "{}", row(&page, &jonas));
    assert!(!page.has("a[href$='/new']") && !page.has("a[href$='/delete']") && !page.has("td form"));
}

#[test]
fn the_link_of_a_new_user_is_shown_once_and_not_stored() {
    let server = TestServer::with(&["--public-url", "https://keys.example.com"], |actions| {
        let company = crate::support::companies::add_company(actions, "Brightwater");
        crate::support::companies::add_user(actions, company, "Maria Lindqvist", MARIA, Role::Admin);
    });
    let admin = server.anonymous();
    // The cookie of an https server is Secure. The client only sends it by hand over http.
    let fields = [("email", MARIA), ("password", crate::support::PASSWORD)];
    let signed_in = admin.post("/sign-in", &fields).expect(303);
    let cookie = signed_in.cookie("__Host-keydesk");
    let cookie = cookie.split(';').next().unwrap();
    let form = [("name", "Nina Okafor"), ("email", "Nina@Brightwater.example"), ("role", "auditor")];
    let request = admin.request("POST", USERS).header("Cookie", cookie).header("Sec-Fetch-Site", "same-origin");
    let answer = crate::support::browser::send(request.header("Host", "evil.example").form(&form)).expect(201);
    let link: String = answer.html().all("#invitation-link")[0].text().collect();
    let token = link.strip_prefix("https://keys.example.com/invitation?token=").unwrap();
    assert!(token.len() >= 22 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(answer.body.matches(token).count(), 1);
    let dialog = answer.html().text("dialog");
    assert!(dialog.contains("Nina@Brightwater.example") && dialog.contains("26 Nov 2026"), "{dialog}");
    let list = crate::support::browser::send(admin.request("GET", USERS).header("Cookie", cookie)).expect(200);
    assert!(!list.body.contains(token));
    for file in std::fs::read_dir(server.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{}", path.display());
    }
    assert_eq!((server.event_count("user.added"), server.event_count("user.invited")), (2, 1));
}

#[test]
fn invalid_fields_are_refused_with_a_sentence_and_kept() {
    let server = TestServer::start();
    let admin = server.admin();
    let (long_name, long_local) = ("é".repeat(65), format!("{}@example.com", "a".repeat(65)));
    let long_address = format!("a@{}.example", "b".repeat(245));
    assert_eq!(long_address.len(), 255);
    let (good_name, good_email) = ("Nina Okafor", "nina@brightwater.example");
    let malformed = "Enter an email address such as name@example.com";
    for (name, email, field, sentence) in [
        ("", good_email, "name", "Enter a name"),
        (" \u{3000} ", good_email, "name", "Enter a name"),
        (long_name.as_str(), good_email, "name", "Name must be 64 characters or fewer"),
        ("Ni\u{202E}na", good_email, "name", "The name contains a character that cannot be seen (U+202E). Remove it."),
        ("Ni\0na", good_email, "name", "The name contains a character that cannot be seen (U+0000). Remove it."),
        (good_name, "", "email", "Enter an email address"),
        (good_name, "nina", "email", malformed),
        (good_name, "nina@brightwater.example\0", "email", malformed),
        (good_name, "ni\u{202E}na@brightwater.example", "email", malformed),
        (good_name, "nina@brightwater.example\r\nBcc: x@y.z", "email", malformed),
        (good_name, long_local.as_str(), "email", malformed),
        (good_name, long_address.as_str(), "email", "The email address must be 254 characters or fewer"),
    ] {
        let answer = add(&admin, name, email, "admin");
        assert_eq!(answer.status, 422, "{name:?} {email:?}");
        let page = answer.html();
        let input = format!("input[name={field}]");
        assert_eq!(page.attribute(&input, "aria-invalid"), "true", "{name:?} {email:?}");
        assert!(page.text("dialog").contains(sentence), "{name:?} {email:?}: {}", page.text("dialog"));
        assert!(page.text("title").starts_with("Error: Add user"));
        let (other_field, other) = if field == "name" { ("email", email) } else { ("name", name) };
        assert_eq!(page.attribute(&format!("input[name={other_field}]"), "value"), other);
        assert_eq!(page.attribute("input[name=role][checked]", "value"), "admin");
    }
    assert_eq!(add(&admin, &long_name, good_email, "admin").html().attribute("input[name=name]", "value"), long_name);
    for role in ["", "Admin", "owner"] {
        let page = add(&admin, good_name, good_email, role).expect(422).html();
        assert!(page.text("dialog").contains("Select a role"));
        assert_eq!(page.attribute("input[name=name]", "value"), good_name);
        assert!(!page.has("input[name=role][checked]"));
    }
    assert_eq!(database::count(&server.database_url, "users", "TRUE"), 1);
    assert_eq!(database::count(&server.database_url, "invitations", "TRUE"), 0);
    let longest = format!("a@{}.example", "b".repeat(244));
    add(&admin, &"é".repeat(64), &longest, "auditor").expect(201);
}

#[test]
fn a_used_address_is_refused_in_any_spelling_and_company() {
    let server = TestServer::start();
    let other_company = server.other_company_admin();
    other_company.invite("J", "jörg@northwind.example", "auditor");
    let admin = server.admin();
    admin.invite("Nina Okafor", "Nina@Brightwater.example", "auditor");
    let pages: Vec<String> = [
        "maria@brightwater.example",
        " MARIA@Brightwater.EXAMPLE ",
        "nina@brightwater.example",
        "ada@northwind.example",
        "jo\u{308}rg@northwind.example",
        "JÖRG@northwind.example",
    ]
    .into_iter()
    .map(|email| {
        let answer = add(&admin, "Another User", email, "auditor");
        assert_eq!(answer.status, 422, "{email}");
        let page = answer.html();
        assert!(page.text("dialog").contains("This email address cannot be used."), "{email}");
        assert_eq!(page.attribute("input[name=email]", "value"), email);
        answer.body.replace(email, "EMAIL")
    })
    .collect();
    assert_eq!(pages[2], pages[3], "the page reveals the company of an address");
    assert_eq!(database::count(&server.database_url, "users", "TRUE"), 4);
}

#[test]
fn of_two_concurrent_invitations_to_an_address_one_wins() {
    let server = TestServer::start();
    let browsers = [server.admin(), server.other_company_admin()];
    for round in 0..10 {
        let email = format!("nina{round}@brightwater.example");
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads = browsers.each_ref().map(|browser| {
                let email = &email;
                scope.spawn(move || add(browser, "Nina Okafor", email, "auditor").status)
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201) && statuses.contains(&422), "{statuses:?}");
    }
}

#[test]
fn a_key_pasted_into_a_field_is_refused_and_not_repeated() {
    let server = TestServer::start();
    let admin = server.admin();
    let (_, key) = admin.create_key("ERP Sync");
    let (inside, address) = (format!("Nina {key}"), format!("{key}@example.com"));
    for (name, email) in [
        (key.as_str(), "nina@brightwater.example"),
        (inside.as_str(), "nina@brightwater.example"),
        ("Nina", key.as_str()),
        ("Nina", address.as_str()),
    ] {
        let answer = add(&admin, name, email, "auditor").expect(422);
        assert!(answer.body.contains("This looks like an API key."), "{name} {email}");
        assert!(!answer.body.contains(&key[4..38]));
    }
    assert_eq!(database::count(&server.database_url, "users", "TRUE"), 1);
    assert_eq!(server.whoami(&key), 200);
}

#[test]
fn a_long_user_list_is_paged_both_ways() {
    let server = TestServer::start();
    let company = server.company("Brightwater");
    for number in 0..120 {
        // Many users share a name, and some names sort differently by bytes than by letters.
        let name = ["Anna", "anna", "Åsa", "Zoë", "李"][number % 5];
        let (name, email) = (PersonName::parse(name).unwrap(), format!("p{number}@brightwater.example"));
        let user = NewUser { role: Role::Auditor, name: &name, email: &EmailAddress::parse(&email).unwrap() };
        server.actions.invite_user(&RequestContext::command_line(company), &user).unwrap();
    }
    let admin = server.admin();
    let ids = |page: &Html| -> Vec<String> {
        page.all("tr[data-user-id]").iter().map(|row| row.attr("data-user-id").unwrap().to_owned()).collect()
    };
    let mut pages = vec![admin.get(USERS).expect(200).html()];
    while pages.last().unwrap().has("a[rel=next]") {
        let next = pages.last().unwrap().attribute("a[rel=next]", "href");
        pages.push(admin.get(&next).expect(200).html());
        assert!(pages.len() < 9);
    }
    let forth: Vec<Vec<String>> = pages.iter().map(ids).collect();
    assert_eq!(forth.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 21]);
    assert_eq!(forth.iter().flatten().collect::<BTreeSet<_>>().len(), 121);
    assert!(!pages[0].has("a[rel=prev]") && pages[0].text(".list-foot").contains("121 users"));
    let mut back = vec![forth[2].clone()];
    let mut page = pages.pop().unwrap();
    while page.has("a[rel=prev]") {
        page = admin.get(&page.attribute("a[rel=prev]", "href")).expect(200).html();
        back.push(ids(&page));
        assert!(back.len() < 9);
    }
    back.reverse();
    assert_eq!(back, forth);
    for cursor in ["", "nonsense", "YQ", "%00", &"a".repeat(3_000)] {
        admin.get(&format!("{USERS}?cursor={cursor}")).expect(404);
    }
}

#[test]
fn the_only_admin_is_not_offered_what_is_refused() {
    let server = TestServer::start();
    let admin = server.admin();
    let own = format!("#user-{}", server.user_id("maria@brightwater.example"));
    let actions = || admin.get(USERS).expect(200).html().text(&format!("{own} .row-actions"));
    assert_eq!(actions(), "Only administrator");
    server.add_person("Nina Okafor", "nina@brightwater.example", Role::Admin);
    assert_eq!(actions(), "Change role Delete");
}
