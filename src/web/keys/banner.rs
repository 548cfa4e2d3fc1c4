//! The banner after a change: drawn from what the database says is true, never from the address alone.

use std::time::Duration;

use actix_web::web::Data;

use super::list::ListBanner;
use crate::domain::event::Action;
use crate::domain::ids::{EventId, KeyId};
use crate::domain::instant::Instant;
use crate::edge::body::Fields;
use crate::store::StoreError;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::who;
use crate::web::time::Zone;
use crate::web::{Site, blocking};

/// A banner is drawn for so long after what it speaks of.
const DRAWN_FOR: Duration = Duration::from_mins(10);

/// The banner that `done` or `already` asks for, where it is true.
pub(super) async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    query: &Fields,
) -> Result<Option<ListBanner>, PageError> {
    if let Some(event) = query.given("done")?.and_then(EventId::parse) {
        return done(site, signed_in, event).await;
    }
    match query.given("already")?.and_then(KeyId::parse) {
        Some(key) => already(site, signed_in, zone, key).await,
        None => Ok(None),
    }
}

async fn done(site: &Data<Site>, signed_in: &SignedIn, id: EventId) -> Result<Option<ListBanner>, PageError> {
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let event = blocking(move || store.ask(|questions| questions.event(company_id, id))).await?;
    let now = site.actions.clock.now();
    let recent = event.filter(|event| {
        event.actor_id.as_deref() == Some(signed_in.user_id.to_string().as_str())
            && now.since(Instant::from_micros(event.at)) < DRAWN_FOR
    });
    Ok(recent.and_then(|event| match Action::parse(&event.action)? {
        Action::ApiKeyRevoked => Some(ListBanner::Revoked { name: event.subject_name()? }),
        _ => None,
    }))
}

async fn already(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    id: KeyId,
) -> Result<Option<ListBanner>, PageError> {
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let found = blocking(move || {
        store.read(|questions| {
            let Some(key) = questions.key_of(company_id, id)? else { return Ok(None) };
            let names = questions.names_of(company_id, key.users())?;
            Ok::<_, StoreError>(Some((key, names)))
        })
    })
    .await?;
    Ok(found.and_then(|(key, names)| {
        let revocation = key.revocation?;
        let (by, on) = (who(revocation.by, &names), zone.date(revocation.at));
        Some(ListBanner::AlreadyRevoked { name: key.name, by, on })
    }))
}
