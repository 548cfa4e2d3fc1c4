//! The banner after a change: drawn from what the database says is true, never from the address alone.

use actix_web::web::Data;

use super::list::ListBanner;
use crate::domain::action::Action;
use crate::domain::api_key::KeyEnd;
use crate::domain::ids::KeyId;
use crate::edge::body::Fields;
use crate::store::StoreError;
use crate::web::error::PageError;
use crate::web::guards::SignedIn;
use crate::web::page::who;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done};

/// The banner that `done` or `already` asks for, where it is true.
pub(super) async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    query: &Fields,
) -> Result<Option<ListBanner>, PageError> {
    if let Some((action, event)) = done::load(site, signed_in, query).await? {
        return Ok(match action {
            Action::ApiKeyRevoked => match event.detail("keys_together").and_then(|count| count.as_u64()) {
                Some(count) => Some(ListBanner::RevokedSeveral { count }),
                None => event.subject_name().map(|name| ListBanner::Revoked { name }),
            },
            _ => None,
        });
    }
    match query.given("already")?.and_then(KeyId::parse) {
        Some(key) => already(site, signed_in, zone, key).await,
        None => Ok(None),
    }
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
    let now = site.actions.clock.now();
    Ok(found.and_then(|(key, names)| match key.end(now)? {
        KeyEnd::Revoked(revocation) => {
            let (by, on) = (who(revocation.by, &names), zone.date(revocation.at));
            Some(ListBanner::AlreadyRevoked { name: key.name, by, on })
        }
        KeyEnd::Expired(at) => Some(ListBanner::AlreadyExpired { name: key.name, on: zone.date(at) }),
    }))
}
