//! The files and the database of an installation, by the functions with which a server starts and serves.

use std::num::NonZero;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use super::backup;
use super::finding::{Finding, Report};
use super::subject::Subject;
use crate::api::conditions;
use crate::checkpoint_memory::summary_of;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::secrets::Secrets;
use crate::server::error::StartError;
use crate::server::file_access::{self, Purpose};
use crate::server::open::{ReadOnlyInstallation, no_installation, open_read_only};
use crate::server::{disk, file_permissions, wal_watch};
use crate::store::{Store, StoreError, WriteTrouble};
use crate::witness::{Witnesses, oldest_unwitnessed};

/// The alerts in deploy/prometheus have the same limit.
const MAX_UNWITNESSED: Duration = Duration::from_mins(15);
/// A beat or a change that takes longer hangs.
const MAX_WAIT: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// What needs a database that can be used.
const OF_DATABASE: [Subject; 10] = [
    Subject::Installation,
    Subject::Schema,
    Subject::Secrets,
    Subject::Trails,
    Subject::Lease,
    Subject::Writes,
    Subject::Connections,
    Subject::Clock,
    Subject::Checkpoints,
    Subject::Backup,
];

/// Examines all that does not need the running server.
pub(super) fn examine(config: &Config, clock: &Clock) -> Report {
    let mut report = vec![(Subject::Files, files(config)), (Subject::Disk, disk::trouble(config).into())];
    match opened(config, clock) {
        Ok(installation) => {
            let good = [Subject::Database, Subject::Installation, Subject::Schema, Subject::Secrets];
            report.extend(good.map(|subject| (subject, Finding::Good)));
            report.extend(of_database(config, &installation));
        }
        Err((subject, trouble)) => {
            report.push((subject, Finding::Trouble(trouble)));
            // Those before it are good: the first step that fails decides.
            let good = [Subject::Database, Subject::Installation, Subject::Schema, Subject::Secrets];
            report.extend(good.into_iter().filter(|good| *good < subject).map(|good| (good, Finding::Good)));
            let later = OF_DATABASE.into_iter().chain([Subject::WriteAheadLog]).filter(|later| *later > subject);
            let reason = format!("first mend what is wrong with the {}", subject.label());
            report.extend(later.map(|later| (later, Finding::Unknown(reason.clone()))));
        }
    }
    report
}

fn files(config: &Config) -> Finding {
    let checked = file_access::check(config, Purpose::Change).and_then(|()| file_permissions::check(config));
    checked.err().map(|error| error.to_string()).into()
}

/// Opens the installation as a command that reads, or returns what is wrong.
fn opened(config: &Config, clock: &Clock) -> Result<ReadOnlyInstallation, (Subject, String)> {
    let of = |subject: Subject| move |error: StartError| (subject, error.to_string());
    let inspection = Store::inspect(&config.database).map_err(|error| of(Subject::Database)(error.into()))?;
    if !inspection.has_installation {
        return Err(of(Subject::Installation)(no_installation(config)));
    }
    inspection.schema.require_current().map_err(|error| of(Subject::Schema)(error.into()))?;
    Secrets::open(&config.secrets_file, true).map_err(|error| of(Subject::Secrets)(error.into()))?;
    open_read_only(config, clock).map_err(|error| {
        let subject = match &error {
            StartError::Secrets(_) | StartError::Open(_) => Subject::Secrets,
            StartError::Memory(_) => Subject::Trails,
            _ => Subject::Database,
        };
        of(subject)(error)
    })
}

fn of_database(config: &Config, installation: &ReadOnlyInstallation) -> Report {
    let ReadOnlyInstallation { store, clock, shortfalls, .. } = installation;
    let is_remote = store.is_remote();
    vec![
        (Subject::Trails, conditions::shortened_trails(summary_of(shortfalls)).into()),
        (Subject::Lease, if is_remote { lease(&config.database) } else { Finding::Good }),
        (Subject::Writes, writes(store)),
        (Subject::Connections, connections(store)),
        (Subject::Clock, conditions::clock_warning(clock).into()),
        (Subject::WriteAheadLog, store.wal_bytes().and_then(wal_watch::warning).into()),
        (Subject::Checkpoints, checkpoints(config, installation)),
        (Subject::Backup, backup::examine(config, installation.id, clock.now())),
    ]
}

/// Commits a beat, as a server does four times a second.
fn lease(database: &Database) -> Finding {
    // Of its own: from the first beat on, this store answers as long as beats go on.
    let store = match Store::connect(database) {
        Ok(store) => store,
        Err(error) => return Finding::Trouble(error.to_string()),
    };
    let Some(watch) = store.primary_watch() else { return Finding::Good };
    watch.require_beats();
    let beating = store.clone();
    let beat = move || beating.open_beats()?.beat();
    if let Err(error) = within(MAX_WAIT, beat, || false) {
        return Finding::Trouble(error.to_string());
    }
    match (conditions::lost_lease(&store), conditions::missing_lease(&store)) {
        (Some(trouble), _) => Finding::Trouble(trouble),
        (None, Some(note)) => Finding::Note(note),
        (None, None) => Finding::Good,
    }
}

/// Tries to save a change, as a server does every two seconds.
fn writes(store: &Store) -> Finding {
    let trying = store.clone();
    let try_to_write = move || {
        trying.probe_write();
        Ok(())
    };
    let is_slow = || matches!(store.write_health().trouble(), Some(WriteTrouble::Slow(_)));
    let _ = within(MAX_WAIT, try_to_write, is_slow);
    conditions::write_trouble(store).into()
}

/// Runs `work`, which may hang, in a thread of its own. Returns its error, if it ends in time.
fn within(
    time: Duration,
    work: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
    is_enough: impl Fn() -> bool,
) -> Result<(), StoreError> {
    let started = Instant::now();
    let spawned = thread::Builder::new().name("doctor".to_owned()).spawn(work);
    let thread = spawned.map_err(StoreError::unavailable)?;
    while !thread.is_finished() {
        if started.elapsed() >= time || is_enough() {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    thread.join().unwrap_or_else(|_| Err(StoreError::unexpected("a thread panicked")))
}

fn connections(store: &Store) -> Finding {
    let workers = available_parallelism().map_or(1, NonZero::get);
    store.check_connections(workers).err().map(|error| error.to_string()).into()
}

/// Whether the witnesses have the checkpoints of all events that are not new.
fn checkpoints(config: &Config, installation: &ReadOnlyInstallation) -> Finding {
    let names = Witnesses::names(&config.witnesses);
    let since = match oldest_unwitnessed(&installation.store, names.iter().map(String::as_str)) {
        Ok(since) => since,
        Err(error) => return Finding::Unknown(error.to_string()),
    };
    let age = since.map(|since| installation.clock.now().since(since)).unwrap_or_default();
    if age <= MAX_UNWITNESSED {
        return Finding::Good;
    }
    Finding::Trouble(format!(
        "A witness has no checkpoint of events that are {} minutes old. The page Audit Trail says which one and why.",
        age.as_secs() / 60
    ))
}
