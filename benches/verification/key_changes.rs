//! A child process that creates and revokes keys through the actions while verification is measured.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use keydesk::actions::{Actions, RequestContext};
use keydesk::domain::key::lifecycle::RevocationReason;

use crate::admins::{admin, create};
use crate::common::installation::Installation;
use crate::common::process::{self, Process};

/// One thread per company; together they change fifty keys a second. One thread would wait for each commit.
const THREADS: u64 = 4;
const CHANGE_INTERVAL: Duration = Duration::from_millis(80);

/// The child process.
pub struct KeyChanges {
    process: Process,
    started: Instant,
}

impl KeyChanges {
    /// Starts the process; returns after its first change.
    pub fn start(installation: &Installation) -> Result<Self> {
        let mut arguments = vec!["change".to_owned()];
        arguments.extend(installation.flags());
        let mut process = Process::start(&arguments)?;
        process.line()?;
        Ok(Self { process, started: Instant::now() })
    }

    /// Stops the process. Returns the keys that it created and revoked per second.
    pub fn end(mut self) -> Result<f64> {
        self.process.request_stop();
        let keys: f64 = self.process.line()?.parse()?;
        Ok(keys / self.started.elapsed().as_secs_f64())
    }
}

/// The subcommand: creates and revokes keys until it is asked to stop, then prints their number.
pub fn change(installation: &Installation) -> Result<()> {
    let (_, actions) = installation.open()?;
    let admins = (0..THREADS).map(|company| admin(&actions, company)).collect::<Result<Vec<_>>>()?;
    for admin in &admins {
        create_and_revoke(&actions, admin)?;
    }
    println!("started");
    let (is_stopped, keys) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|threads| -> Result<()> {
        let change = |admin| keep_changing(&actions, admin, &is_stopped, &keys);
        let workers: Vec<_> = admins.iter().map(|admin| threads.spawn(move || change(admin))).collect();
        process::wait_for_stop();
        is_stopped.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a thread panicked"))??;
        }
        Ok(())
    })?;
    println!("{}", keys.into_inner());
    Ok(())
}

fn keep_changing(actions: &Actions, admin: &RequestContext, is_stopped: &AtomicBool, keys: &AtomicU64) -> Result<()> {
    let mut next = Instant::now();
    while !is_stopped.load(Ordering::Relaxed) {
        create_and_revoke(actions, admin)?;
        keys.fetch_add(1, Ordering::Relaxed);
        next += CHANGE_INTERVAL;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn create_and_revoke(actions: &Actions, admin: &RequestContext) -> Result<()> {
    let key = create(actions, admin)?;
    actions.revoke_key(admin, key, RevocationReason::NoLongerUsed, None)?;
    Ok(())
}
