//! Assesses keys against good practice, and keeps the numbers of each company. It changes no key and is not in the trail.

use super::service::Actions;
use crate::domain::ids::CompanyId;
use crate::domain::key::lifecycle::KeyState;
use crate::domain::practice::rules::{CLIENT_PERIOD, Standard};
use crate::domain::practice::summary::{Summary, day_of};
use crate::domain::timestamp::Timestamp;
use crate::store::{PracticeDay, StoreError, WriteDb};

/// Keys per transaction: small enough that a revocation does not wait long for the writer.
const BATCH_SIZE: i64 = 200;
/// Companies per query.
const COMPANY_BATCH_SIZE: i64 = 100;
/// A page waits for this many batches; a background job does the rest.
const BATCHES_PER_PAGE: usize = 5;
/// The days from which the summary of a copied database starts.
const HISTORY_DAYS: i64 = 90;

impl Actions {
    /// Assesses the keys of all companies that are due.
    pub fn assess_due_keys(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock.now();
            let due = self.store.query(|db| db.assessments().companies_due(now, COMPANY_BATCH_SIZE))?;
            for company_id in &due {
                self.store.write(|tx| self.assess_batch(tx, *company_id))?;
            }
            if due.is_empty() {
                return Ok(());
            }
        }
    }

    /// Assesses the keys of a company that are due, as many as a page can wait for.
    pub fn assess_keys_of(&self, company_id: CompanyId) -> Result<(), StoreError> {
        for _ in 0..BATCHES_PER_PAGE {
            let now = self.clock.now();
            self.store.write(|tx| self.assess_batch(tx, company_id))?;
            if !self.store.query(|db| Ok(db.assessments().state(company_id, now)?.is_due))? {
                break;
            }
        }
        Ok(())
    }

    fn assess_batch(&self, tx: &mut WriteDb<'_>, company_id: CompanyId) -> Result<(), StoreError> {
        let stored = tx.assessments().lock(company_id)?;
        let now = self.clock.now();
        let due = tx.assessments().due(company_id, now, BATCH_SIZE)?;
        let mut summary = match stored {
            Some(summary) => summary,
            None => initial_summary(tx, company_id, now)?,
        };
        let settings = tx.companies().settings(company_id)?;
        let standard = Standard { policy: settings.key_policy, platform: &self.platform_name };
        for key in tx.assessments().facts(company_id, &due.keys, now, CLIENT_PERIOD)? {
            let assessed = standard.assess(&key.facts, now);
            summary.update(key.known.unwrap_or_default(), assessed.findings);
            let is_active = key.facts.ends.state(now) == KeyState::Active;
            tx.assessments().record(company_id, key.id, key.known.is_some(), Some(assessed).filter(|_| is_active))?;
        }
        tx.assessments().dequeue(&due)?;
        let day = day_of(now);
        summary.record_day(day);
        let active_keys = tx.keys().count(company_id, now)?.active;
        let today = PracticeDay { day, active_keys, keys_with_findings: summary.keys_with_findings };
        tx.assessments().save_summary(company_id, &summary, today)
    }
}

/// The summary of a company that has none: a new one, or one whose keys came from another database.
fn initial_summary(tx: &mut WriteDb<'_>, company_id: CompanyId, now: Timestamp) -> Result<Summary, StoreError> {
    let mut summary = Summary::default();
    for day in tx.assessments().days(company_id, day_of(now) - HISTORY_DAYS)? {
        summary.keys_with_findings = day.keys_with_findings;
        summary.record_day(day.day);
    }
    summary.keys_with_findings = 0;
    Ok(summary)
}
