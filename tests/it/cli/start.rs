//! Starting the server: created files, refused settings and the log.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Serving, keydesk, keydesk_at};
use crate::support::{Browser, database, figures};

pub fn refusal(data_dir: &Path, flags: &[&str], variables: &[(&str, &str)]) -> String {
    let output = keydesk(data_dir).args(flags).envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(sentence.trim().lines().count(), 1, "{sentence}");
    sentence
}

#[test]
fn the_first_start_creates_its_files_and_prints_two_lines() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let serving = Serving::start(keydesk(&data), 2);
    let address = serving.line("Listening on ");
    let link = serving.line("Set-up link: ");
    assert!(address.starts_with("http://127.0.0.1:") && !address.ends_with(":0"), "{address}");
    assert!(link.starts_with(&format!("{address}/setup?token=")), "{link}");
    assert_eq!(reqwest::blocking::get(&link).unwrap().status(), 200);
    assert_eq!(reqwest::blocking::get(format!("{address}/readyz")).unwrap().status(), 200);
    assert_eq!(fs::metadata(data.join("secrets")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(data.join("keydesk.db").exists());
    assert_eq!(serving.stop(), 0);
}

#[test]
fn every_start_has_its_own_set_up_link() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["serve", "--public-url", "https://keys.example.com"]);
    let first = Serving::start(command, 2);
    let link = first.line("Set-up link: ");
    assert!(link.starts_with("https://keys.example.com/setup?token="), "{link}");
    drop(first);
    let second = Serving::start(keydesk(folder.path()), 2);
    assert_ne!(second.line("Set-up link: ").rsplit('=').next(), link.rsplit('=').next());
}

#[test]
fn unsafe_and_unknown_settings_are_refused_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert!(refusal(data, &[], &[("KEYDESK_LISTN", "x")]).contains("KEYDESK_LISTN"));
    assert!(refusal(data, &["--listen", "0.0.0.0:0"], &[]).contains("--allow-plain-http"));
    assert!(refusal(data, &["--public-url", "http://keys.example.com"], &[]).contains("--public-url"));
    assert!(refusal(data, &["--database-url", "mysql://u:hunter2@h/d"], &[]).contains("--database-url"));
    let remote = refusal(data, &["--database-url", "postgres://u:hunter2@db.example.com/d"], &[]);
    assert!(remote.contains("another machine") && !remote.contains("hunter2"));
    assert!(refusal(data, &[], &[("KEYDESK_DATABASE_URL", "sqlite://")]).contains("--database-url"));
    assert!(!data.join("keydesk.db").exists());
    // A command does not wait for the database, as the server does.
    let nowhere = ["gateway", "list", "--database-url", "postgres://u:hunter2@127.0.0.1:9/d"];
    let nowhere = refusal(data, &nowhere, &[]);
    assert!(nowhere.contains("--database-url") && !nowhere.contains("hunter2"), "{nowhere}");
    assert!(refusal(data, &["--database-url", "sqlite:///nonexistent/folder/k.db"], &[]).contains("--database-url"));
    for wrong in ["hunter2%", "hunter2%zz", "hunter2%00"] {
        let sentence = refusal(data, &["--database-url", &format!("postgres://u:{wrong}@127.0.0.1:9/d")], &[]);
        assert!(sentence.contains("%25") && !sentence.contains("hunter2"), "{sentence}");
    }
    let parameter = refusal(data, &["--database-url", "postgres://u:hunter2@127.0.0.1:9/d?hunter2=hunter2"], &[]);
    assert!(parameter.contains("--database-url") && !parameter.contains("hunter2"), "{parameter}");
    figures::print("C3", "unsafe and unknown settings are refused with a sentence");
}

#[test]
fn the_url_of_the_database_is_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("url"));
    fs::write(&file, format!("sqlite://{}\n", data.join("own.db").display())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let variable = [("KEYDESK_DATABASE_URL_FILE", file.to_str().unwrap())];
    assert!(refusal(&data, &[], &variable).contains("chmod 600"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let mut command = keydesk(&data);
    command.envs(variable);
    assert_eq!(Serving::start(command, 2).stop(), 0);
    assert!(data.join("own.db").exists() && !data.join("keydesk.db").exists());
}

#[test]
fn empty_variables_and_those_of_kubernetes_pass() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    let settings = keydesk::cli::command();
    let names: Vec<_> = settings.get_arguments().filter_map(clap::Arg::get_env).collect();
    assert!(names.len() > 10);
    command.envs(names.into_iter().map(|name| (name, "")));
    command.envs([
        ("KEYDESK_SERVICE_HOST", "10.0.0.1"),
        ("KEYDESK_SERVICE_PORT", "80"),
        ("KEYDESK_SERVICE_PORT_HTTP", "80"),
        ("KEYDESK_PORT", "tcp://10.0.0.1:80"),
        ("KEYDESK_PORT_80_TCP_ADDR", "10.0.0.1"),
    ]);
    let output = command.args(["company", "add", "--name", "Brightwater"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(refusal(folder.path(), &[], &[("KEYDESK_PORT", "8080")]).contains("KEYDESK_PORT"));
    let lists = [("KEYDESK_TRUSTED_PROXY", "10.0.0.1, 10.0.0.2"), ("KEYDESK_KEY_PREFIX", "acme, goa")];
    let output = keydesk(folder.path()).envs(lists).args(["gateway", "list"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn files_and_folders_that_others_can_write_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (folder.path().join("data"), folder.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    let database = format!("sqlite://{}", elsewhere.join("own.db").display());
    let secrets = elsewhere.join("secrets");
    let flags = ["--database-url", database.as_str(), "--secrets-file", secrets.to_str().unwrap()];
    let run = || keydesk(&data).args(flags).args(["gateway", "list"]).output().unwrap();
    let added = keydesk(&data).args(flags).args(["company", "add", "--name", "Brightwater"]).output().unwrap();
    assert!(added.status.success());
    for (path, mode) in [
        (&data, 0o777),
        (&data, 0o720),
        (&data, 0o1777),
        (&elsewhere, 0o770),
        (&elsewhere, 0o707),
        (&elsewhere.join("own.db"), 0o660),
        (&elsewhere.join("own.db"), 0o602),
    ] {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let sentence = refusal(&data, &flags, &[]);
        assert!(sentence.contains(&format!("chmod go-w {}\n", path.display())), "{sentence}");
        fs::set_permissions(path, before).unwrap();
    }
    // Users cannot replace each other's files in such a folder.
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(run().status.success());
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [&["--nonsense"][..], &["frobnicate"], &["--listen", "nowhere"], &["user", "add"]] {
        assert_eq!(keydesk(folder.path()).args(flags).output().unwrap().status.code(), Some(2), "{flags:?}");
    }
    assert_eq!(keydesk(folder.path()).arg("--help").output().unwrap().status.code(), Some(0));
}

#[test]
fn unsafe_missing_and_foreign_secrets_are_refused() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Serving::start(keydesk(folder.path()), 2));
    drop(Serving::start(keydesk(other.path()), 2));
    let secrets = folder.path().join("secrets");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal(folder.path(), &[], &[]).contains("chmod 600"));
    fs::remove_file(&secrets).unwrap();
    assert!(refusal(folder.path(), &[], &[]).contains("missing"));
    assert!(!secrets.exists());
    fs::copy(other.path().join("secrets"), &secrets).unwrap();
    assert!(refusal(folder.path(), &[], &[]).contains("another database"));
}

#[test]
fn a_schema_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let flags = ["--database-url", url.as_str()];
    let mut command = keydesk(folder.path());
    command.args(flags);
    drop(Serving::start(command, 2));
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('20991231235959', CURRENT_TIMESTAMP)";
    database::tamper(&url, newer);
    assert!(refusal(folder.path(), &flags, &[]).contains("newer version"));
}

#[test]
fn an_address_in_use_is_refused_with_a_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = keydesk_at(folder.path(), &address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&address));
}

#[test]
fn the_demo_serves_a_company_and_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.arg("demo").env("TMPDIR", folder.path());
    let serving = Serving::start(command, 3);
    let address = serving.line("Listening on http://").parse().unwrap();
    let browser = Browser::new(address);
    let (email, password) = (serving.line("Email: "), serving.line("Password: "));
    let fields = [("email", email.as_str()), ("password", password.as_str())];
    browser.post("/sign-in", &fields).expect_redirect(crate::support::API_KEYS);
    let active = browser.get(crate::support::API_KEYS).expect(200).html();
    let names = active.key_names();
    assert!(names.len() >= 9 && names.iter().any(|name| name.chars().count() == 64), "{names:?}");
    assert!(names.iter().any(|name| name.contains('ש')), "{names:?}");
    assert!(browser.get(&format!("{}?tab=revoked", crate::support::API_KEYS)).html().key_names().len() >= 3);
    assert!(browser.get(&format!("{}?audit=open", crate::support::API_KEYS)).html().all(".day").len() > 10);
    assert_eq!(serving.stop(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_large_demo_has_as_many_keys_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    // Two batches, of which the second is not full.
    command.args(["demo", "--large=4000"]).env("TMPDIR", folder.path());
    let serving = Serving::start(command, 3);
    let browser = serving.browser();
    let (email, password) = (serving.line("Email: "), serving.line("Password: "));
    browser.post("/sign-in", &[("email", &email), ("password", &password)]).expect_redirect(crate::support::API_KEYS);
    let counters = browser.get(crate::support::API_KEYS).html().counters();
    let digits = |counter: &String| counter.chars().filter(char::is_ascii_digit).collect::<String>();
    let counted: u64 = counters.iter().map(|counter| digits(counter).parse::<u64>().unwrap()).sum();
    assert!((4_010..4_030).contains(&counted), "{counters:?}");
    let found = browser.get(&format!("{}?q=Gdańsk", crate::support::API_KEYS)).html().key_names();
    assert!(found.iter().any(|name| name.starts_with("Freezer Sensor Gdańsk")), "{found:?}");
    let demo = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let verified = keydesk(&demo).args(["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert_eq!(serving.stop(), 0);
}

#[test]
fn the_debug_log_names_requests_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command.args(["demo", "--log-level", "debug"]).env("TMPDIR", folder.path());
    let serving = Serving::start(command, 3);
    let browser = Browser::new(serving.line("Listening on http://").parse().unwrap());
    let (email, password) = (serving.line("Email: "), serving.line("Password: "));
    browser.post("/sign-in", &[("email", &email), ("password", "a wrong password")]).expect(422);
    let signed_in = browser.post("/sign-in", &[("email", &email), ("password", &password)]).expect(303);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let (_, key) = browser.create_key("Secret Keeper");
    browser.bearer("/v1/whoami", &key).expect(200);
    browser.get(&format!("{}?q={key}", crate::support::API_KEYS)).expect(200);
    browser.get(&format!("/{key}")).expect(404);
    browser.bearer("/v1/whoami", &format!("{}0", &key[..41]));
    let request = browser.get("/sign-in").header("x-request-id").to_owned();
    let log = serving.log();
    assert!(log.contains(&request) && log.contains("status=422"), "{log}");
    assert!(log.lines().any(|line| line.contains("db.keys.") && line.contains("time.busy=")), "{log}");
    for secret in [
        &key,
        &key[4..20],
        &password,
        "a wrong password",
        &cookie,
        &cookie[cookie.len() - 20..],
        &email,
        "Secret Keeper",
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn a_signal_right_after_the_first_line_stops_it_cleanly() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Serving::start(keydesk(folder.path()), 1).stop(), 0);
    }
}

#[test]
fn the_secrets_file_may_be_a_bare_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = keydesk(folder.path());
    command
        .args(["user", "set-role", "--email", "a@b.example", "--role", "admin", "--secrets-file", "own.json"])
        .current_dir(folder.path());
    let sentence = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(sentence.contains("No user has the email address"), "{sentence}");
    assert!(folder.path().join("own.json").exists());
    assert_eq!(fs::metadata(folder.path().join("keydesk.db")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_proxy_that_is_not_listed_is_warned_of_once() {
    let warnings = |flags: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = keydesk(folder.path());
        command.args(flags);
        let serving = Serving::start(command, 1);
        let address = serving.line("Listening on http://").parse().unwrap();
        for number in 1..=5 {
            let request = Browser::new(address).request("GET", "/v1/whoami");
            let request = request.header("X-Forwarded-For", format!("203.0.113.{number}")).bearer_auth("nothing");
            assert_eq!(crate::support::browser::send(request).status, 401);
        }
        let log = serving.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("x-forwarded-for ignored")).collect();
        assert!(lines.iter().all(|line| line.contains("127.0.0.1") && !line.contains("203.0.113")), "{lines:?}");
        lines.len()
    };
    assert_eq!(warnings(&[]), 1);
    assert_eq!(warnings(&["--trusted-proxy", "127.0.0.1"]), 0);
}
