//! The log: its fields in both formats, and that no secret is in it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use keydesk::clock::Clock;
use keydesk::domain::text::escape::is_unprintable;
use serde_json::{Map, Value};

use super::{ADMIN, Serving, keydesk, run, text};
use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, Browser, PASSWORD, browser, database};

const METRICS_TOKEN: &str = "a-token-for-metrics";
const DATABASE_PASSWORD: &str = "violet-hunter2";

/// Starts the server on a new database, and creates its first admin.
fn set_up(folder: &Path, url: &str, flags: &[&str]) -> (Serving, Browser, String) {
    let mut command = keydesk(folder);
    command.args(["--database-url", url]).args(flags).stdin(Stdio::null());
    let serving = Serving::start(command, 2);
    let (browser, link) = (serving.set_up(), serving.line("Set-up link: "));
    (serving, browser, link)
}

/// The objects of a log in JSON.
fn objects(log: &str) -> Vec<Map<String, Value>> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(parse).collect()
}

fn find<'a>(objects: &'a [Map<String, Value>], message: &str, request: &str) -> &'a Map<String, Value> {
    let is_it = |object: &&Map<String, Value>| object["message"] == message && object["request"] == request;
    objects.iter().find(is_it).unwrap_or_else(|| panic!("no “{message}” of {request}: {objects:?}"))
}

/// The names in a line of text, such as `status=200`.
fn names(line: &str) -> BTreeSet<String> {
    let words = line.split(' ').filter_map(|word| word.split_once('='));
    words.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn both_formats_have_the_same_fields() {
    let mut fields = Vec::new();
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        let flags = ["--log-format", format, "--trusted-proxy", "10.0.0.0/8"];
        let (serving, admin, _) = set_up(folder.path(), &url, &flags);
        let list = admin.get(&format!("{API_KEYS}?q=secret")).expect(200);
        let refused = admin.post("/sign-in", &[("email", ADMIN), ("password", "not it")]).expect(422);
        let list = list.header("x-request-id").to_owned();
        let log = serving.stop_and_read_log();
        if format == "text" {
            let line = |words: [&str; 2]| {
                let found = log.lines().find(|line| words.iter().all(|word| line.contains(word)));
                names(found.unwrap_or_else(|| panic!("{words:?} are in no line: {log}")))
            };
            fields.push([
                line(["request completed", &list]),
                line(["sign-in", refused.header("x-request-id")]),
                line(["server started", "version="]),
            ]);
            assert!(log.lines().last().unwrap().ends_with("server stopped"), "{log}");
            continue;
        }
        let objects = objects(&log);
        for object in &objects {
            let level = object["level"].as_str().unwrap();
            assert!(object["time"].as_str().unwrap().ends_with('Z') && ["INFO", "WARN"].contains(&level), "{object:?}");
        }
        let request = find(&objects, "request completed", &list);
        assert_eq!((&request["method"], &request["status"]), (&"GET".into(), &200.into()));
        assert_eq!((&request["route"], &request["client_address"]), (&API_KEYS.into(), &"127.0.0.1".into()));
        assert!(request["milliseconds"].is_u64());
        let of_user = |name: &str| request[name].as_str().unwrap().to_owned();
        assert_eq!(database::count(&url, "users", &format!("id = '{}'", of_user("user_id"))), 1);
        assert_eq!(database::count(&url, "companies", &format!("id = '{}'", of_user("company_id"))), 1);
        let sign_in = find(&objects, "sign-in", refused.header("x-request-id"));
        assert_eq!(sign_in["outcome"], "refused");
        let started = objects.iter().find(|object| object["message"] == "server started").unwrap();
        let kind = if database::postgres().is_some() { "postgres" } else { "sqlite" };
        assert_eq!((&started["database"], &started["trusted_proxies"]), (&kind.into(), &"10.0.0.0/8".into()));
        // No lease without a synchronous standby, and none on SQLite.
        let lease = started.get("lease").map(|lease| lease.as_str().unwrap());
        assert_eq!(lease, database::postgres().map(|_| "missing"));
        assert_eq!(objects.last().unwrap()["message"], "server stopped");
        let without_prefix = |object: &Map<String, Value>| {
            let prefix = ["time", "level", "target", "message"];
            object.keys().filter(|name| !prefix.contains(&name.as_str())).cloned().collect::<BTreeSet<_>>()
        };
        fields.push([request, sign_in, started].map(without_prefix));
    }
    assert_eq!(fields[0], fields[1]);
}

#[test]
fn a_migration_of_existing_data_is_logged_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    drop(set_up(folder.path(), &url, &[]));
    // The last migration creates nothing that a second run would find.
    let last = database::column(&url, "version", "FROM __diesel_schema_migrations ORDER BY version DESC");
    let last = last.into_iter().next().flatten().unwrap();
    let mut down = std::fs::read_dir("migrations/sqlite").unwrap().map(|entry| entry.unwrap().path());
    let down = down.find(|path| path.to_str().unwrap().replace('-', "").contains(&last)).unwrap();
    let tree = if database::postgres().is_some() { "postgres" } else { "sqlite" };
    let down = Path::new("migrations").join(tree).join(down.file_name().unwrap()).join("down.sql");
    database::tamper(&url, &std::fs::read_to_string(down).unwrap());
    database::tamper(&url, &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{last}'"));
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url, "--log-format", "json"]);
    let log = Serving::start(command, 1).stop_and_read_log();
    let objects = objects(&log);
    let applied = objects.iter().find(|line| line["message"] == "migration applied").expect(&log);
    assert!(applied["migration"].as_str().unwrap().replace('-', "").starts_with(&last), "{log}");
    assert!(applied["milliseconds"].is_u64(), "{log}");
}

#[test]
fn json_lines_hold_foreign_text_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["--trusted-proxy", "127.0.0.1", "--log-format", "json", "--log-level", "trace"]);
    let serving = Serving::start(command, 2);
    let browser = Browser::new(serving.line("Listening on http://").parse().unwrap());
    let entry = "\u{9b}31m\u{202e}\"} {\"level\":\"x\u{2028}".as_bytes();
    let request = browser.request("GET", "/v1/whoami").header("X-Forwarded-For", entry).bearer_auth("goa_x");
    browser::send(request).expect(401);
    let log = serving.log();
    assert!(!log.chars().any(|character| character != '\n' && is_unprintable(character)), "{log}");
    let objects = objects(&log);
    let refused = objects.iter().find(|object| object["message"].as_str().unwrap().contains("X-Forwarded-For refused"));
    assert_eq!(refused.unwrap()["entry"], "\\u{9b}31m\\u{202e}\"} {\"level\":\"x\\u{2028}", "{log}");
    assert!(objects.iter().any(|object| object.get("span").is_some_and(|span| span.as_str().unwrap().contains("db."))));
}

/// Everything that a log must not contain, from a journey through the whole product.
fn secrets_of_a_journey(folder: &Path, url: &str, serving: &Serving, admin: &Browser, link: &str) -> Vec<String> {
    let other_browser = || Browser::new(serving.line("Listening on http://").parse().unwrap());
    let mut secrets = vec![link.rsplit('=').next().unwrap().to_owned()];
    let cookie = |answer: &crate::support::Answer| {
        let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
        cookies.map(|cookie| cookie.split([';', '=']).nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let credential = text(&run(folder, url, &["gateway", "add", "edge"], "").stdout).trim().to_owned();
    admin.post("/sign-in", &[("email", ADMIN), ("password", "a wrong password")]).expect(422);
    let signed_in = admin.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect(303);
    secrets.extend(cookie(&signed_in));
    let (id, key) = admin.create_key("Secret Keeper");
    let (_, rotated) = admin.rotate(&id, "24h").expect(201).shown_key();
    for presented in [&key, &rotated, &format!("{}0", &key[..41])] {
        admin.bearer("/v1/whoami", presented);
        admin.bearer("/v1/forward-auth/a?b=c", presented);
        let introspection = admin.request("POST", "/v1/introspect").bearer_auth(&credential);
        browser::send(introspection.form(&[("token", presented)])).expect(200);
        admin.get(&format!("{API_KEYS}?q={presented}"));
        admin.get(&format!("/{presented}")).expect(404);
        admin.post(&format!("{API_KEYS}/identify"), &[("key", presented)]);
        browser::send(admin.request("GET", "/v1/whoami").header("User-Agent", presented.as_str()));
    }
    admin.revoke(&id, "compromised", "A comment that is nobody's business").expect(303);
    admin.bearer("/v1/whoami", &key).expect(401);
    browser::send(admin.request("POST", "/v1/revoke").form(&[("token", &rotated)])).expect(200);
    admin.bearer("/metrics", METRICS_TOKEN).expect(200);
    let invitation = admin.invite("Jonas", "jonas@brightwater.example", "auditor");
    let path = invitation.split_once("/invitation").map(|(_, query)| format!("/invitation{query}")).unwrap();
    let auditor = other_browser();
    auditor.get(&path).expect(200);
    secrets.extend(cookie(&auditor.post(&path, &[("password", "seven quiet harbours 9")]).expect(303)));
    auditor.get(&path).expect(404);
    let form = admin.get("/account/second-factor").html().text("#second-factor-secret");
    let (_, codes) = Authenticator::set_up(admin, Clock::system().now());
    let again = other_browser();
    again.post("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]).expect(303);
    again.post("/sign-in/code", &[("code", "123 456 wrong")]).expect(422);
    secrets.extend(cookie(&again.post("/sign-in/code", &[("code", &codes[0])]).expect(303)));
    let change = [("current_password", PASSWORD), ("new_password", "eleven copper lanterns 4")];
    secrets.extend(cookie(&again.post("/account/password", &change).expect(303)));
    again.get("/administration/company-settings/audit-trail/export.jsonl").expect(200);
    again.post("/sign-out", &[]).expect(303);
    // Database failures quote statements in some drivers.
    database::take_away(url);
    admin.bearer("/v1/whoami", &rotated);
    admin.get(&format!("{API_KEYS}?q={rotated}"));
    database::give_back(url);
    secrets.extend(codes);
    secrets.push(form.replace(' ', ""));
    secrets.push(path.rsplit('=').next().unwrap().to_owned());
    secrets.extend([key[4..20].to_owned(), rotated[4..20].to_owned(), credential]);
    let fixed = [
        PASSWORD,
        "a wrong password",
        "seven quiet harbours 9",
        "eleven copper lanterns 4",
        "123 456 wrong",
        METRICS_TOKEN,
        DATABASE_PASSWORD,
        ADMIN,
        "jonas@brightwater.example",
        "Secret Keeper",
        "nobody's business",
    ];
    secrets.extend(fixed.map(str::to_owned));
    secrets
}

#[test]
fn the_most_detailed_log_holds_no_secret() {
    let command = keydesk::cli::command();
    let levels = command.get_arguments().find(|argument| argument.get_id() == "log_level").unwrap();
    let level = levels.get_possible_values().last().unwrap().get_name().to_owned();
    assert_eq!(level, "trace");
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        // The tests' PostgreSQL asks for no password, but libpq and Keydesk know this one.
        let password =
            if database::postgres().is_some() { format!("?password={DATABASE_PASSWORD}") } else { String::new() };
        let flags = ["--log-level", &level, "--log-format", format, "--metrics-token", METRICS_TOKEN];
        let (serving, admin, link) = set_up(folder.path(), &format!("{url}{password}"), &flags);
        let secrets = secrets_of_a_journey(folder.path(), &url, &serving, &admin, &link);
        let log = serving.stop_and_read_log();
        assert!(log.lines().count() > 500 && log.contains("db.keys."), "{log}");
        for secret in secrets {
            assert!(secret.len() >= 5, "{secret:?} is too short to be found");
            assert!(!log.contains(&secret), "{secret} is in the log");
        }
    }
}
