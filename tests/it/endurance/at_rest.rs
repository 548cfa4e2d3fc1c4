//! S4: no key, password or session token in the database, its log, the server's log, backups and exports.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use reqwest::cookie::CookieStore;

use crate::cli::{ADMIN, Serving, keydesk, run, text};
use crate::support::authenticator::Authenticator;
use crate::support::cluster::run_program;
use crate::support::figures::{self, count};
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, PASSWORD, database};

/// The number of bytes by which secrets are looked up.
const BEGINNING: usize = 8;

/// The values of the cookies of a browser, and their parts.
fn tokens(browser: &Browser) -> Vec<String> {
    let origin = format!("http://{}/", browser.address()).parse().unwrap();
    let cookies = browser.cookies.cookies(&origin).unwrap();
    let cookies = cookies.to_str().unwrap().to_owned();
    let values = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
    values
        .flat_map(|(_, value)| {
            let parts = value.split(['.', '%', '"', ':', '=']).map(str::to_owned).collect::<Vec<_>>();
            parts.into_iter().chain([value.to_owned()])
        })
        .filter(|part| part.len() >= 16)
        .collect()
}

/// Uses the product, and returns every secret that it gave or got.
fn journey(data_dir: &Path, url: &str, admin: &Browser) -> Vec<String> {
    let mut secrets = vec![PASSWORD.to_owned(), "a wrong password 1".to_owned()];
    for number in 0..count(20, 1_000) {
        let (id, key) = admin.create_key(&format!("Service {number}"));
        admin.bearer("/v1/whoami", &key).expect(200);
        if number % 5 == 0 {
            let (_, new) = admin.rotate(&id, "24h").shown_key();
            // The random part alone, without the prefix and the checksum.
            secrets.push(new[4..30].to_owned());
        }
        admin.get(&format!("{API_KEYS}?q={key}")).expect(200);
        secrets.extend([key[4..30].to_owned(), key]);
    }
    let wrong = Browser::new(admin.address());
    wrong.post("/sign-in", &[("email", ADMIN), ("password", "a wrong password 1")]).expect(422);
    for credential in ["edge", "old edge"] {
        let added = run(data_dir, url, &["gateway", "add", credential], "");
        secrets.push(text(&added.stdout).trim().to_owned());
    }
    let invitation = admin.invite("Jonas Bakke", "jonas@brightwater.example", "auditor");
    secrets.push(invitation.rsplit('=').next().unwrap().to_owned());
    secrets.extend(tokens(admin));
    let (_, codes) = Authenticator::set_up(admin, keydesk::clock::Clock::system().now());
    secrets.extend(codes);
    secrets.extend(tokens(admin));
    secrets
}

#[test]
fn nothing_at_rest_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (data, url) = (folder.path().join("data"), database::new_url(&folder));
    let mut command = keydesk(&data);
    command.args(["--database-url", &url, "--log-level", "trace"]);
    let serving = Serving::start(command, 2);
    let admin = serving.set_up();
    let secrets = journey(&data, &url, &admin);
    let mut files: Vec<(String, Vec<u8>)> = ["export.csv", "export.jsonl"]
        .map(|name| (name.to_owned(), admin.get(&format!("{AUDIT_TRAIL}/{name}")).expect(200).body.into_bytes()))
        .into();
    if database::postgres().is_some() {
        let dump = folder.path().join("dump.sql");
        run_program(Command::new("pg_dump").arg("--file").arg(&dump).arg(&url));
    } else {
        let backup = run(&data, &url, &["backup", folder.path().join("backup").to_str().unwrap()], "");
        assert!(backup.status.success(), "{backup:?}");
    }
    // The log of the database is there while the server runs.
    let listed = fs::read_dir(folder.path()).unwrap().chain(fs::read_dir(&data).unwrap());
    for path in listed.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        files.push((path.display().to_string(), fs::read(path).unwrap()));
    }
    files.push(("the log".to_owned(), serving.stop_and_read_log().into_bytes()));
    assert!(
        files.len() >= 6 && files.iter().all(|(name, bytes)| !bytes.is_empty() || name.ends_with("lock")),
        "{}",
        files.len()
    );
    let mut hits = 0;
    for (name, bytes) in &files {
        for secret in found(bytes, &secrets) {
            println!("{secret} is in {name}");
            hits += 1;
        }
    }
    figures::print("S4", format!("{hits} hits of {} secrets in {} files", secrets.len(), files.len()));
    assert_eq!(hits, 0);
}

/// The secrets that these bytes hold, in one pass for all of them.
fn found<'a>(bytes: &[u8], secrets: &'a [String]) -> Vec<&'a str> {
    let mut by_beginning: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for secret in secrets {
        assert!(secret.len() >= BEGINNING, "too short to be looked for: {secret}");
        by_beginning.entry(&secret.as_bytes()[..BEGINNING]).or_default().push(secret);
    }
    let places = bytes.windows(BEGINNING).enumerate();
    let candidates = places.filter_map(|(at, beginning)| Some((at, by_beginning.get(beginning)?)));
    candidates
        .flat_map(|(at, secrets)| {
            secrets.iter().copied().filter(move |secret| bytes[at..].starts_with(secret.as_bytes()))
        })
        .collect()
}

#[test]
fn a_secret_is_found_wherever_it_is() {
    let secrets = ["twelve bytes".to_owned(), "twelve bowls".to_owned()];
    assert_eq!(found(b"..twelve bowls.twelve b", &secrets), ["twelve bowls"]);
    assert!(found(b"twelve bow", &secrets).is_empty());
}
