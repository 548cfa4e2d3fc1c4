//! Reports refused sign-ins in the trail: the first refusal of an hour, with the count since the event before. The event
//! is appended later than the refusal is answered, so that the time of the answer does not reveal who is a user.

use std::net::IpAddr;
use std::time::Duration;

use super::attempt::Reservation;
use super::authority::Permission;
use super::change::{Change, is_change_paused};
use super::service::Actions;
use super::signed_in_user::SignedInUser;
use crate::domain::actor::Actor;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::RefusedSignIns;
use crate::store::{RefusedSignIn, StoreError, WriteDb};

/// The least time between two events about one address.
const REPORT_INTERVAL: Duration = Duration::from_hours(1);
/// Counters without a failure for this long are deleted.
const RETENTION: Duration = Duration::from_hours(30 * 24);

impl Reservation {
    /// Stores that the sign-in was refused, for the trail. Runs the same statements whether or not a user has the address.
    pub(super) fn record_refusal(
        &self,
        tx: &mut WriteDb<'_>,
        user: Option<SignedInUser>,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(address) = self.address() else { return Ok(()) };
        let counted = tx.sign_in_failures().lock(address, now)?;
        let reported = counted.reported_at.map(Timestamp::from_micros);
        if reported.is_some_and(|reported| now.since(reported) < REPORT_INTERVAL) {
            // Without a user there is nothing to report, and the counter may be deleted.
            return tx.sign_in_failures().add_unreported(address, i64::from(user.is_some()));
        }
        tx.sign_in_failures().mark_reported(address, now)?;
        tx.refused_sign_ins().insert(&RefusedSignIn {
            subject: address.to_vec(),
            refused_at: now,
            company_id: user.map(|user| user.company_id),
            user_id: user.map(|user| user.user_id),
            refusals: counted.unreported.saturating_add(1),
            client_address: client.address.map(|address| address.to_string()),
            user_agent: client.user_agent.clone(),
            request_id: client.request_id.clone(),
        })
    }
}

impl Actions {
    /// Appends the events of refused sign-ins, and deletes old counters. The server calls this every few seconds, and
    /// before it shows or exports a trail.
    pub fn report_refused_sign_ins(&self) -> Result<(), StoreError> {
        let companies = self.store.query(|db| db.refused_sign_ins().companies())?;
        for company_id in companies.iter().flatten() {
            let reported = self.change_with(Permission::system(), (*company_id).into(), &Client::none(), |change| {
                change.append_refused_sign_ins(*company_id)
            });
            is_change_paused(reported)?;
        }
        if companies.is_empty() {
            return Ok(());
        }
        let oldest = self.clock.now() - RETENTION;
        self.store.write(|tx| {
            tx.refused_sign_ins().delete_without_user()?;
            tx.sign_in_failures().delete_old(oldest)
        })
    }
}

impl Change<'_, '_> {
    /// Appends the events of the refused sign-ins of a company's users.
    pub(super) fn append_refused_sign_ins(&mut self, company_id: CompanyId) -> Result<(), StoreError> {
        debug_assert_eq!(self.trail, TrailId::from(company_id), "the lock of this trail decides who appends");
        for refused in self.tx.refused_sign_ins().of_company(company_id)? {
            self.tx.refused_sign_ins().delete(&refused)?;
            let Some(user_id) = refused.user_id else { continue };
            let detail = EventDetail::UserSignInRefused { after: RefusedSignIns { refusals: refused.refusals } };
            let client = Client {
                address: refused.client_address.and_then(|address| address.parse::<IpAddr>().ok()),
                user_agent: refused.user_agent,
                request_id: refused.request_id,
            };
            let (actor, own_client) = (self.actor, std::mem::replace(&mut self.client, client));
            self.actor = Actor::System;
            let appended = self.append_event(EventDraft::new(EventTarget::User(user_id), detail));
            (self.actor, self.client) = (actor, own_client);
            appended?;
        }
        Ok(())
    }
}
