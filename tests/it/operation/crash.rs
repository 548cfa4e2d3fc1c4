//! A SQLite server that is killed, or whose disk fails, while many clients write: every acknowledgement is true.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::readiness::wait_until;
use crate::cli::{Serving, keydesk_at, run, text};
use crate::support::{API_KEYS, Browser, database};

const WRITERS: usize = 16;
/// The number of kills; 100 by `KEYDESK_TEST_KILLS=100`.
const KILLS: usize = 3;
/// The acknowledged changes before each kill.
const CHANGES_PER_KILL: usize = 60;
const BACK_IN: Duration = Duration::from_secs(15);
/// How long the disk fails; `KEYDESK_TEST_FAULTY_SECONDS` sets it.
const FAULTY_SECONDS: u64 = 4;

fn from_environment<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What a client was told of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Created,
    Revoked,
    /// A revocation was sent and not acknowledged.
    Unknown,
}

/// What all clients were told.
#[derive(Default)]
struct Acknowledged {
    keys: Mutex<Vec<(String, Told)>>,
    refused: Mutex<usize>,
    has_ended: AtomicBool,
}

impl Acknowledged {
    fn count(&self) -> usize {
        self.keys.lock().unwrap().iter().map(|(_, told)| if *told == Told::Created { 1 } else { 2 }).sum()
    }

    /// Creates keys and revokes every second one until it is told to end. The server may die meanwhile.
    fn write(&self, browser: &Browser, writer: usize, round: usize) {
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let mut number = 0;
        while !self.has_ended.load(Ordering::Relaxed) {
            number += 1;
            let name = format!("Sync {round}-{writer}-{number}");
            let Some(key) = created(browser, &name) else {
                *self.refused.lock().unwrap() += 1;
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            let mut told = Told::Created;
            if number % 2 == 0 {
                let url = format!("http://{}/v1/revoke", browser.address());
                let answer = client.post(url).form(&[("token", &key)]).send();
                let is_revoked = answer.is_ok_and(|answer| answer.status() == 200);
                told = if is_revoked { Told::Revoked } else { Told::Unknown };
            }
            self.keys.lock().unwrap().push((key, told));
        }
    }

    /// Writes with many clients while `during` runs.
    fn collect(&self, browser: &Browser, round: usize, during: impl FnOnce()) {
        self.has_ended.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || self.write(browser, writer, round));
            }
            during();
            self.has_ended.store(true, Ordering::Relaxed);
        });
    }

    fn assert_true(&self, browser: &Browser) {
        for (key, told) in self.keys.lock().unwrap().iter() {
            let status = browser.bearer("/v1/whoami", key).status;
            match told {
                Told::Created => assert_eq!(status, 200, "an acknowledged key is lost"),
                Told::Revoked => assert_eq!(status, 401, "a revoked key is valid again"),
                Told::Unknown => assert!(status == 200 || status == 401, "{status}"),
            }
        }
    }
}

/// Creates a key. `None` if that was not acknowledged.
fn created(browser: &Browser, name: &str) -> Option<String> {
    let send = |request: reqwest::blocking::RequestBuilder| {
        let response = request.send().ok()?;
        let (status, body) = (response.status().as_u16(), response.text().ok()?);
        matches!(status, 200 | 201).then_some(body)
    };
    let form = send(browser.request("GET", &format!("{API_KEYS}/new")))?;
    let form = crate::support::browser::Html(scraper::Html::parse_document(&form));
    let submission = form.attribute("input[name=submission]", "value");
    let fields = [("name", name), ("submission", submission.as_str())];
    let page = send(browser.request("POST", API_KEYS).header("Sec-Fetch-Site", "same-origin").form(&fields))?;
    let page = crate::support::browser::Html(scraper::Html::parse_document(&page));
    Some(page.text("#new-key"))
}

/// An address that is free now. The session cookie is named after the port, so all servers of a test have the same one.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Rows, events and trails agree.
fn assert_verified(folder: &Path) {
    let url = format!("sqlite://{}", folder.join("keydesk.db").display());
    let output = run(folder, &url, &["audit", "verify"], "");
    assert!(output.status.success(), "{} {}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn acknowledged_changes_survive_kills() {
    if database::postgres().is_some() {
        return;
    }
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let acknowledged = Acknowledged::default();
    let mut serving = Serving::start(keydesk_at(folder.path(), &address), 2);
    let browser = serving.set_up();
    for round in 0..from_environment("KEYDESK_TEST_KILLS", KILLS) {
        let before = acknowledged.count();
        acknowledged.collect(&browser, round, || {
            let began = Instant::now();
            while acknowledged.count() < before + CHANGES_PER_KILL {
                assert!(began.elapsed() < Duration::from_mins(1), "only {} changes", acknowledged.count() - before);
                thread::sleep(Duration::from_millis(2));
            }
            // SIGKILL, in the middle of the group that commits now.
            serving.signal("-KILL");
        });
        drop(serving);
        let began = Instant::now();
        serving = Serving::start(keydesk_at(folder.path(), &address), 1);
        wait_until(&browser, 200);
        assert!(began.elapsed() < BACK_IN, "back after {:?}", began.elapsed());
    }
    acknowledged.assert_true(&browser);
    serving.stop();
    assert_verified(folder.path());
}

/// Makes three of ten writes to the database and its log, and as many flushes, fail while the file `$FAULTY_DISK` exists.
/// The file `$FLUSHES` lists the calls that flush the log.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name_of(int file, char *name, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, size - 1);
    name[length < 0 ? 0 : length] = 0;
    return name;
}

static void note(const char *call, int file) {
    const char *flushes = getenv("FLUSHES");
    char name[4096];
    if (!flushes || !strstr(name_of(file, name, sizeof name), "keydesk.db-wal")) return;
    FILE *list = fopen(flushes, "a");
    if (!list) abort();
    fprintf(list, "%s\n", call);
    fclose(list);
}

static int fails(int file) {
    const char *faulty = getenv("FAULTY_DISK");
    char name[4096];
    if (!faulty || access(faulty, F_OK) != 0) return 0;
    name_of(file, name, sizeof name);
    if (!strstr(name, "keydesk.db") || strstr(name, "-shm")) return 0;
    if (random() % 10 >= 3) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t count) { REAL(write); return fails(file) ? -1 : real(file, bytes, count); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { REAL(pwrite); return fails(file) ? -1 : real(file, bytes, count, at); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) { REAL(pwrite64); return fails(file) ? -1 : real(file, bytes, count, at); }
int fsync(int file) { REAL(fsync); note("fsync", file); return fails(file) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); note("fdatasync", file); return fails(file) ? -1 : real(file); }
"#;

/// Compiles the shim. `None` without a C compiler.
fn shim(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    match compiled {
        Ok(status) => {
            assert!(status.success());
            Some(library)
        }
        Err(error) => {
            eprintln!("SKIPPED: no C compiler, so no disk that fails: {error}");
            None
        }
    }
}

#[test]
fn every_acknowledgement_is_true_on_a_failing_disk() {
    if database::postgres().is_some() || !cfg!(target_os = "linux") {
        return;
    }
    let (folder, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(shim) = shim(tools.path()) else { return };
    let (address, faulty) = (free_address(), tools.path().join("faulty"));
    let mut command = keydesk_at(folder.path(), &address);
    command.env("LD_PRELOAD", shim).env("FAULTY_DISK", &faulty);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let acknowledged = Acknowledged::default();
    acknowledged.collect(&browser, 0, || {
        std::fs::write(&faulty, "").unwrap();
        thread::sleep(Duration::from_secs(from_environment("KEYDESK_TEST_FAULTY_SECONDS", FAULTY_SECONDS)));
        std::fs::remove_file(&faulty).unwrap();
        // Changes are made again without a restart.
        let (began, before) = (Instant::now(), acknowledged.count());
        while acknowledged.count() < before + CHANGES_PER_KILL {
            assert!(began.elapsed() < Duration::from_mins(1), "no changes: {}", serving.written_log());
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(*acknowledged.refused.lock().unwrap() > 0, "the disk did not fail");
    wait_until(&browser, 200);
    acknowledged.assert_true(&browser);
    // After a crash, the same is true of what is on the disk.
    serving.signal("-KILL");
    drop(serving);
    let serving = Serving::start(keydesk_at(folder.path(), &address), 1);
    wait_until(&browser, 200);
    acknowledged.assert_true(&browser);
    serving.stop();
    assert_verified(folder.path());
}

#[test]
fn a_commit_waits_for_fdatasync() {
    if database::postgres().is_some() || !cfg!(target_os = "linux") {
        return;
    }
    let (folder, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(shim) = shim(tools.path()) else { return };
    let (address, flushes) = (free_address(), tools.path().join("flushes"));
    let mut command = keydesk_at(folder.path(), &address);
    command.env("LD_PRELOAD", shim).env("FLUSHES", &flushes);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let calls = || std::fs::read_to_string(&flushes).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let before = calls().len();
    assert!(created(&browser, "ERP Sync").is_some());
    let calls = calls();
    assert!(calls.len() > before && calls.iter().all(|call| call == "fdatasync"), "{calls:?}");
    serving.stop();
}
