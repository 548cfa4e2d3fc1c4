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
use crate::support::figures::{self, count, judge_time, seconds};
use crate::support::{API_KEYS, Browser, database};

const WRITERS: usize = 16;
/// The acknowledged changes before each kill.
pub const CHANGES_PER_KILL: usize = 60;
const BACK_IN: Duration = Duration::from_secs(5);

/// What a client was told of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Created,
    Revoked,
    /// A revocation was sent and not acknowledged.
    Unknown,
}

/// Tells threads to end when it is dropped, also by a panic: their scope waits for them.
pub struct End<'a>(pub &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What all clients were told.
#[derive(Default)]
pub struct Acknowledged {
    keys: Mutex<Vec<(String, Told)>>,
    refused: Mutex<usize>,
    has_ended: AtomicBool,
}

impl Acknowledged {
    pub fn count(&self) -> usize {
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
    pub fn collect(&self, browser: &Browser, round: usize, during: impl FnOnce()) {
        self.has_ended.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || self.write(browser, writer, round));
            }
            let _ends = End(&self.has_ended);
            during();
        });
    }

    /// Waits, while clients write, until there are this many changes more.
    pub fn await_changes(&self, more: usize) {
        let (began, before) = (Instant::now(), self.count());
        while self.count() < before + more {
            assert!(began.elapsed() < Duration::from_mins(1), "only {} changes", self.count() - before);
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Fails if a change that was acknowledged is lost. Returns the number of changes, to print it.
    pub fn assert_true(&self, row: &str, browser: &Browser) -> String {
        let (mut lost, mut revived) = (0, 0);
        for (key, told) in self.keys.lock().unwrap().iter() {
            match (told, browser.bearer("/v1/whoami", key).status) {
                (Told::Created, 200) | (Told::Revoked, 401) | (Told::Unknown, 200 | 401) => {}
                (Told::Created, _) => lost += 1,
                (Told::Revoked, 200) => revived += 1,
                (told, status) => panic!("{row}: {status} for {told:?}"),
            }
        }
        let figure = format!("{lost} of {} acknowledged changes lost, {revived} keys revived", self.count());
        assert_eq!((lost, revived), (0, 0), "{row}: {figure}");
        figure
    }
}

/// Creates a key. `None` if that was not acknowledged.
pub fn created(browser: &Browser, name: &str) -> Option<String> {
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
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Rows, events and trails agree.
pub fn assert_verified(folder: &Path, url: &str) {
    let output = run(folder, url, &["audit", "verify"], "");
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
    let (kills, mut slowest) = (count(3, 100), Duration::ZERO);
    for round in 0..kills {
        acknowledged.collect(&browser, round, || {
            acknowledged.await_changes(CHANGES_PER_KILL);
            // SIGKILL, in the middle of the group that commits now.
            serving.signal("-KILL");
        });
        drop(serving);
        let began = Instant::now();
        serving = Serving::start(keydesk_at(folder.path(), &address), 1);
        wait_until(&browser, 200);
        slowest = slowest.max(began.elapsed());
    }
    let figure = acknowledged.assert_true("R1", &browser);
    serving.stop();
    assert_verified(folder.path(), &file_url(folder.path()));
    figures::print("R1", format!("{figure} by {kills} kills, ready again in {} (≤ 5 s)", seconds(slowest)));
    judge_time("R1", slowest, BACK_IN);
}

fn file_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("keydesk.db").display())
}

/// Makes three of ten writes to the database and its log, and as many flushes, fail while the file `$FAULTY_DISK` exists.
/// The file `$FLUSHES` lists the calls that flush the log.
pub const SHIM: &str = r#"
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

/// Compiles a library that takes the place of functions of the C library. `None` without a C compiler.
pub fn shim(folder: &Path, text: &str) -> Option<PathBuf> {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, text).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    match compiled {
        Ok(status) => {
            assert!(status.success());
            Some(library)
        }
        Err(error) => {
            eprintln!("SKIPPED: no C compiler, so the disk is not tested: {error}");
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
    let Some(shim) = shim(tools.path(), SHIM) else { return };
    let (address, faulty) = (free_address(), tools.path().join("faulty"));
    let mut command = keydesk_at(folder.path(), &address);
    command.env("LD_PRELOAD", shim).env("FAULTY_DISK", &faulty);
    let serving = Serving::start(command, 2);
    let browser = serving.set_up();
    let acknowledged = Acknowledged::default();
    acknowledged.collect(&browser, 0, || {
        std::fs::write(&faulty, "").unwrap();
        thread::sleep(Duration::from_secs(count(4, 60)));
        std::fs::remove_file(&faulty).unwrap();
        // Changes are made again without a restart.
        acknowledged.await_changes(CHANGES_PER_KILL);
    });
    let refused = *acknowledged.refused.lock().unwrap();
    assert!(refused > 0, "the disk did not fail");
    wait_until(&browser, 200);
    acknowledged.assert_true("R5", &browser);
    // After a crash, the same is true of what is on the disk.
    serving.signal("-KILL");
    drop(serving);
    let serving = Serving::start(keydesk_at(folder.path(), &address), 1);
    wait_until(&browser, 200);
    let figure = acknowledged.assert_true("R5", &browser);
    serving.stop();
    assert_verified(folder.path(), &file_url(folder.path()));
    figures::print("R5", format!("{figure} while 30 % of the writes failed, {refused} refused"));
}

#[test]
fn a_commit_waits_for_fdatasync() {
    if database::postgres().is_some() || !cfg!(target_os = "linux") {
        return;
    }
    let (folder, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(shim) = shim(tools.path(), SHIM) else { return };
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
