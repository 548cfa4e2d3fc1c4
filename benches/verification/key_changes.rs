//! A child process that creates and revokes keys through the actions while verification is measured.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use keydesk::actions::{Actions, AuthenticatedUser, NewKeyRequest, RequestContext, SessionClaim, SignedInUser};
use keydesk::domain::client::Client;
use keydesk::domain::ids::{KeyId, SessionId};
use keydesk::domain::key::lifecycle::RevocationReason;
use keydesk::domain::key::submission::KeyForm;
use keydesk::domain::policy::key_policy::RequestedExpiry;
use keydesk::domain::text::name::ServiceAccountName;
use keydesk::random;
use keydesk::web::app::session::store::Sessions;

use crate::common::installation::Installation;
use crate::common::process::{self, Process};
use crate::seed;

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

/// Returns the context of a company's admin.
fn admin(actions: &Actions, company: u64) -> Result<RequestContext> {
    let found = actions.store.query(|db| db.users().credentials(&seed::email(company)))?;
    let user = found.context("the admin is not stored")?;
    let user = AuthenticatedUser { user: SignedInUser::from(&user), epoch: user.sign_in_epoch };
    let sessions = Sessions { store: actions.store.clone(), clock: actions.clock.clone() };
    let token = sessions.begin(user, &Client::none())?;
    let session = actions.store.query(|db| db.sessions().by_token(&token.digest()))?;
    Ok(RequestContext::of_session(SessionClaim::from(&session.context("the admin has no session")?), Client::none()))
}

fn create_and_revoke(actions: &Actions, admin: &RequestContext) -> Result<()> {
    let key = create(actions, admin)?;
    actions.revoke_key(admin, key, RevocationReason::NoLongerUsed, None)?;
    Ok(())
}

fn create(actions: &Actions, admin: &RequestContext) -> Result<KeyId> {
    let now = actions.clock.now();
    let session = SessionId::new(now, &random::bytes());
    let submissions = &actions.secrets.submissions;
    let opened = submissions.issue(KeyForm::Create, session, now, random::bytes());
    let sent = submissions.check(&opened, KeyForm::Create, session, now).context("the form is not valid")?;
    let name = ServiceAccountName::parse(&format!("Short-lived {}", random::hex::<8>()))?;
    let request = NewKeyRequest { name, expiry: RequestedExpiry::Default };
    Ok(actions.create_key(admin, &request, sent)?.id)
}
