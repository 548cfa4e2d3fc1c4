//! The other process that creates and revokes keys while verification is measured, as commands do: through the actions.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use keydesk::actions::{Actions, KeyWish};
use keydesk::domain::api_key::RevocationReason;
use keydesk::domain::event::Origin;
use keydesk::domain::ids::{CompanyId, KeyId, SessionId, UserId};
use keydesk::domain::key_policy::ExpiryWish;
use keydesk::domain::name::ServiceAccountName;
use keydesk::domain::submission::KeyForm;
use keydesk::random;

use crate::common::installation::Installation;
use crate::common::process::{self, Process};
use crate::filling;

/// Fifty keys a second, by admins of so many companies: one alone would wait for each commit.
const AT_A_TIME: u64 = 4;
const BETWEEN_CHANGES: Duration = Duration::from_millis(80);

/// The process at work.
pub struct Changing {
    process: Process,
    began: Instant,
}

impl Changing {
    /// Starts it; returns when it has made its first change.
    pub fn start(installation: &Installation) -> Result<Self> {
        let mut arguments = vec!["change".to_owned()];
        arguments.extend(installation.flags());
        let mut process = Process::start(&arguments)?;
        process.line()?;
        Ok(Self { process, began: Instant::now() })
    }

    /// Ends it; how many keys it has created and revoked a second.
    pub fn end(mut self) -> Result<f64> {
        self.process.dismiss();
        let keys: f64 = self.process.line()?.parse()?;
        Ok(keys / self.began.elapsed().as_secs_f64())
    }
}

/// The role: creates and revokes until the end is asked for, then prints how many keys.
pub fn change(installation: &Installation) -> Result<()> {
    let (_, actions) = installation.open()?;
    let admins = (0..AT_A_TIME).map(|company| admin(&actions, company)).collect::<Result<Vec<_>>>()?;
    for (company, user) in &admins {
        create_and_revoke(&actions, *company, *user)?;
    }
    println!("begun");
    let (ended, keys) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|threads| -> Result<()> {
        let change = |admin| keep_changing(&actions, admin, &ended, &keys);
        let changing: Vec<_> = admins.iter().map(|admin| threads.spawn(move || change(*admin))).collect();
        process::wait_for_the_end();
        ended.store(true, Ordering::Relaxed);
        for thread in changing {
            thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        }
        Ok(())
    })?;
    println!("{}", keys.into_inner());
    Ok(())
}

fn keep_changing(actions: &Actions, admin: (CompanyId, UserId), ended: &AtomicBool, keys: &AtomicU64) -> Result<()> {
    let mut next = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        create_and_revoke(actions, admin.0, admin.1)?;
        keys.fetch_add(1, Ordering::Relaxed);
        next += BETWEEN_CHANGES;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// Who creates keys in the company of that number.
fn admin(actions: &Actions, company: u64) -> Result<(CompanyId, UserId)> {
    let found = actions.store.ask(|questions| questions.credentials(&filling::email(company)))?;
    let user = found.context("the user who is to create keys is not stored")?;
    Ok((user.company_id, user.user_id))
}

fn create_and_revoke(actions: &Actions, company: CompanyId, user: UserId) -> Result<()> {
    let key = create(actions, company, user)?;
    actions.revoke_key(company, key, RevocationReason::NoLongerUsed, None, &Origin::command_line())?;
    Ok(())
}

fn create(actions: &Actions, company: CompanyId, user: UserId) -> Result<KeyId> {
    let now = actions.clock.now();
    let session = SessionId::new(now, &random::bytes());
    let submissions = &actions.secrets.submissions;
    let opened = submissions.issue(KeyForm::Create, session, now, random::bytes());
    let sent = submissions.check(&opened, KeyForm::Create, session, now).context("the form is not good")?;
    let name = ServiceAccountName::parse(&format!("Short-lived {}", random::hex::<8>()))?;
    let wish = KeyWish { name, expiry: ExpiryWish::Default };
    Ok(actions.create_key(company, user, &wish, sent, &Origin::command_line())?.id)
}
