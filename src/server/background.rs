//! Background jobs of the server: record usage, record expired keys, delete old usage, publish checkpoints, read the
//! numbers for the metrics, empty a large write-ahead log.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{future, io, thread};

use actix_web::rt::spawn;
use actix_web::web::block;

use super::clock_warning::ClockWarning;
use super::open::signing_key;
use super::sampler::Sampler;
use super::secrets_watch::{self, SecretsWatch};
use super::wal_watch::WalWatch;
use crate::actions::Actions;
use crate::checkpoint_memory::CheckpointMemory;
use crate::clock::Clock;
use crate::domain::token::{Token, TokenDigest};
use crate::evidence::{ContinuityCheck, StateMonitor};
use crate::store::{PrimaryWatch, Store, StoreError};
use crate::verify::UsageCounter;
use crate::witness::{Witness, Witnesses};

/// The shortest pause between two records of usage.
const USAGE_INTERVAL: Duration = Duration::from_secs(3);
/// A job that takes long is repeated less often: it takes at most 1/20 of the time of one thread.
const MIN_PAUSE_PER_WORK: u32 = 19;
/// A deleted or replaced file is noticed within this time.
const FILES_INTERVAL: Duration = Duration::from_secs(1);
/// A database that was put back to an older state is noticed within this time.
const CONTINUITY_INTERVAL: Duration = Duration::from_secs(1);
const CONTINUITY_RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// With very many companies, comparisons take at most a fifth of the time of one thread.
const MIN_PAUSE_PER_COMPARISON: u32 = 4;
/// Pages assess what is due when they are read, so this only keeps the numbers of companies that nobody looks at.
const ASSESSMENT_INTERVAL: Duration = Duration::from_secs(30);
const KEY_ENDS_INTERVAL: Duration = Duration::from_secs(20);
/// A checkpoint is witnessed within a minute, even if one attempt fails and there are many trails.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(15);
/// About as often as metrics are scraped.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(15);
const WAL_INTERVAL: Duration = Duration::from_secs(1);
const DELETE_OLD_USAGE_INTERVAL: Duration = Duration::from_hours(1);
const IDLE_KEYS_INTERVAL: Duration = Duration::from_mins(10);

/// Trouble is seen within five seconds: after this pause, and the time after which an attempt counts as slow.
const WRITE_ATTEMPT_POLL: Duration = Duration::from_millis(20);
const WRITE_PROBE_INTERVAL: Duration = Duration::from_secs(2);
const FIRST_WRITE_PROBE: Duration = Duration::from_secs(2);
/// Several renewals fit into the life of a link.
const SETUP_LINK_INTERVAL: Duration = Duration::from_secs(5);

/// The first check of trails and tables starts after this time, so that it does not slow down the start.
const FIRST_STATE_CHECK: Duration = Duration::from_mins(1);
const STATE_CHECK_INTERVAL: Duration = Duration::from_hours(1);

/// Writes counted usage to the database.
#[derive(Clone, Debug)]
pub struct UsageRecorder {
    pub(super) actions: Actions,
    pub(super) usage_counter: UsageCounter,
    pub(super) clock_warning: ClockWarning,
}

impl UsageRecorder {
    /// Writes the usage that was counted since the last call, and reports refused keys and sign-ins in the trail.
    ///
    /// # Errors
    /// [`StoreError`]; the next call writes the rest.
    pub fn record(&self) -> Result<(), StoreError> {
        // The times of the usage are compared with those of other servers.
        self.actions.align_clock()?;
        self.clock_warning.update(&self.actions.clock);
        let now = self.actions.clock.now();
        let (unwritten, recorded) = self.actions.record_usage(self.usage_counter.take(), now);
        self.usage_counter.merge_back(unwritten);
        recorded?;
        self.actions.report_refusals()?;
        self.actions.report_refused_sign_ins()
    }
}

/// Ends the set-up link of a server.
#[derive(Debug)]
pub struct SetupLinkCloser {
    pub(super) actions: Actions,
    pub(super) token: Option<TokenDigest>,
}

impl SetupLinkCloser {
    /// Ends the link, which otherwise ends half a minute later.
    pub fn close(&self) {
        if let Some(token) = &self.token
            && let Err(error) = self.actions.close_setup_link(token)
        {
            tracing::warn!(%error, "set-up link not closed");
        }
    }
}

/// Compares the trails with the remembered checkpoints, and remembers new ones.
#[derive(Clone, Debug)]
pub struct Continuity {
    check: ContinuityCheck,
    memory: CheckpointMemory,
}

impl Continuity {
    #[must_use]
    pub fn new(actions: &Actions) -> Self {
        let (store, memory) = (actions.store.clone(), actions.memory.clone());
        let check = ContinuityCheck::new(store, memory.clone(), actions.installation, signing_key(&actions.secrets));
        Self { check, memory }
    }

    /// Compares all trails, and writes the memory if it has changed.
    ///
    /// # Errors
    /// [`StoreError`]: the database could not be read. What was remembered before is written all the same.
    pub fn run(&self) -> Result<(), StoreError> {
        let compared = self.check.run();
        if let Err(error) = self.memory.save() {
            tracing::warn!(%error, "checkpoints not remembered");
        }
        compared
    }
}

/// Starts the periodic jobs.
pub(super) fn start_jobs(
    actions: &Actions,
    recorder: UsageRecorder,
    sampler: Sampler,
    wal_watch: WalWatch,
    secrets: SecretsWatch,
) {
    let renewing = secrets.clone();
    spawn(repeat("digests not renewed", secrets_watch::RENEWAL_INTERVAL, move || renewing.renew_digests()));
    spawn(repeat("secrets not checked", secrets_watch::INTERVAL, move || secrets.check()));
    let ends = actions.clone();
    spawn(repeat("key ends not recorded", KEY_ENDS_INTERVAL, move || ends.record_ended_keys()));
    let assessing = actions.clone();
    spawn(repeat("keys not assessed", ASSESSMENT_INTERVAL, move || assessing.assess_due_keys()));
    let idle = actions.clone();
    spawn(repeat("idle keys not ended", IDLE_KEYS_INTERVAL, move || idle.end_idle_keys()));
    spawn(repeat("usage not recorded", USAGE_INTERVAL, move || recorder.record()));
    let store = actions.store.clone();
    // A missing file is logged when it is noticed, not each second.
    spawn(repeat("files not checked", FILES_INTERVAL, move || store.check_files().or(Ok(()))));
    spawn(repeat("numbers for metrics not read", SAMPLE_INTERVAL, move || sampler.sample()));
    spawn(repeat("write-ahead log not checked", WAL_INTERVAL, move || wal_watch.check()));
    let actions = actions.clone();
    spawn(repeat("old usage not deleted", DELETE_OLD_USAGE_INTERVAL, move || actions.delete_old_usage()));
}

/// Starts one thread per witness, which publishes new checkpoints until the server stops. A slow witness therefore
/// delays neither a page nor another witness nor the end of the process.
pub(super) fn start_publishing(witnesses: &Witnesses) -> io::Result<()> {
    for witness in witnesses.iter() {
        let witness = Arc::clone(witness);
        let stopped = server_stop();
        thread::Builder::new().name("witness".to_owned()).spawn(move || {
            while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                publish(&witness);
                // Returns early when the server stops.
                let _ = stopped.recv_timeout(PUBLISH_INTERVAL);
            }
        })?;
    }
    Ok(())
}

/// Starts the thread that compares the trails with the remembered checkpoints until the server stops. While the database
/// cannot be reached it tries more often, as nothing is verified before the first comparison after that.
pub(super) fn start_comparisons(continuity: Continuity) -> io::Result<()> {
    let stopped = server_stop();
    thread::Builder::new().name("continuity".to_owned()).spawn(move || {
        let (mut pause, mut was_compared) = (Duration::ZERO, true);
        while stopped.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
            let started = Instant::now();
            let compared = match catch_unwind(AssertUnwindSafe(|| continuity.run())) {
                Ok(compared) => compared,
                Err(_) => Err(StoreError::unexpected("the thread panicked")),
            };
            if let Err(error) = &compared
                && was_compared
            {
                tracing::warn!(%error, "audit trails not compared");
            }
            was_compared = compared.is_ok();
            pause = if was_compared {
                CONTINUITY_INTERVAL.max(started.elapsed() * MIN_PAUSE_PER_COMPARISON)
            } else {
                CONTINUITY_RETRY_INTERVAL
            };
        }
    })?;
    Ok(())
}

/// Starts the thread that checks trails and tables until the server stops. It works for 1/20 of the time.
pub(super) fn start_state_checks(monitor: StateMonitor, clock: Clock) -> io::Result<()> {
    let stopped = server_stop();
    thread::Builder::new().name("state-check".to_owned()).spawn(move || {
        let goes_on = |pause: Duration| stopped.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout);
        let pause = |work: Duration| goes_on(work * MIN_PAUSE_PER_WORK);
        let mut wait = FIRST_STATE_CHECK;
        while goes_on(wait) {
            match catch_unwind(AssertUnwindSafe(|| monitor.check_all(|| clock.now(), &pause))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "trails and tables not checked"),
                Err(_) => tracing::warn!(error = "the thread panicked", "trails and tables not checked"),
            }
            wait = STATE_CHECK_INTERVAL;
        }
    })?;
    Ok(())
}

/// Starts the thread that tries to write. Waits a moment for its first result, so that the server is ready when it
/// listens.
pub(super) fn start_write_probe(store: &Store) -> io::Result<()> {
    let (stopped, store) = (server_stop(), store.clone());
    let (tried, first) = mpsc::channel();
    thread::Builder::new().name("write-probe".to_owned()).spawn(move || {
        loop {
            try_to_write(&store);
            let _ = tried.send(());
            if stopped.recv_timeout(WRITE_PROBE_INTERVAL) == Err(mpsc::RecvTimeoutError::Disconnected) {
                break;
            }
        }
    })?;
    let _ = first.recv_timeout(FIRST_WRITE_PROBE);
    Ok(())
}

/// Tries to write, in a thread of its own: an attempt on a primary that is frozen may hang for any time, and ends here
/// once there is another primary.
fn try_to_write(store: &Store) {
    let generation = || store.primary_watch().map(PrimaryWatch::generation);
    let (began_on, trying) = (generation(), store.clone());
    let spawned = thread::Builder::new().name("write-attempt".to_owned()).spawn(move || {
        if catch_unwind(AssertUnwindSafe(|| trying.probe_write())).is_err() {
            tracing::error!("trying to write panicked");
        }
    });
    match spawned {
        Ok(attempt) => {
            while !attempt.is_finished() && generation() == began_on {
                thread::sleep(WRITE_ATTEMPT_POLL);
            }
        }
        Err(error) => tracing::warn!(%error, "thread not started"),
    }
}

/// Keeps the set-up link of this server valid while set-up is open.
pub(super) fn start_renewing_setup_link(actions: &Actions, token: Option<&Token>) {
    let Some(token) = token.map(Token::digest) else { return };
    let actions = actions.clone();
    spawn(async move {
        loop {
            tokio::time::sleep(SETUP_LINK_INTERVAL).await;
            let actions = actions.clone();
            match block(move || actions.renew_setup_link(&token)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => break,
                Ok(Err(error)) => tracing::warn!(%error, "set-up link not renewed"),
                Err(error) => tracing::warn!(%error, "set-up link not renewed"),
            }
        }
    });
}

/// Returns a channel that is disconnected when the server stops.
pub(super) fn server_stop() -> mpsc::Receiver<()> {
    let (server, stopped) = mpsc::channel::<()>();
    spawn(async move {
        let _server = server;
        future::pending::<()>().await;
    });
    stopped
}

fn publish(witness: &Witness) {
    match catch_unwind(AssertUnwindSafe(|| witness.publish())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "checkpoints not published"),
        Err(_) => tracing::warn!(error = "the thread panicked", "checkpoints not published"),
    }
}

async fn repeat(
    failure: &'static str,
    interval: Duration,
    job: impl Fn() -> Result<(), StoreError> + Clone + Send + 'static,
) {
    let warn = |error: &dyn Display| tracing::warn!(%error, "{failure}");
    loop {
        let started = Instant::now();
        match block(job.clone()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn(&error),
            Err(error) => warn(&error),
        }
        tokio::time::sleep(interval.max(started.elapsed() * MIN_PAUSE_PER_WORK)).await;
    }
}
