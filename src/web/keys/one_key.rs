//! One key's page: loads what is drawn, and moves the end of a key that another one takes the place of.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::audit_trail::Place;
use super::expiry::{Expiry, OldKey};
use super::key_page::{EndsSoon, KeyBanner, KeyEnd, KeyOverlay, KeyPage, Replacement};
use super::known_use::KnownUse;
use super::trail;
use crate::actions::OverlapError;
use crate::domain::action::Action;
use crate::domain::api_key::{self, KeyState, RevocationReason};
use crate::domain::event::Event;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::user::Role;
use crate::edge::body::{Fields, FormBody};
use crate::edge::caller::Caller;
use crate::store::{Names, StoredKey};
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::page::{Who, who};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html};

pub(in crate::web) async fn show(
    signed_in: SignedIn,
    id: Path<String>,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = find(&site, &signed_in, &id).await?;
    let banner = banner(&site, &signed_in, &found, &zone, &query.0).await?;
    let page = load(&site, &signed_in, &zone, &found, &query.0).await?;
    html(StatusCode::OK, &KeyPage { banner, ..page })
}

/// “End now” and “Extend by 7 days”.
pub(in crate::web) async fn change_overlap(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let found = find(&site, &admin, &id).await?;
    let fields = body.fields().await?;
    let ends_now = match fields.one("end")? {
        "now" => true,
        "7d" => false,
        _ => {
            let page = load(&site, &admin, &zone, &found, &Fields::default()).await?;
            let banner = Some(KeyBanner::UnknownEnd);
            return html(StatusCode::UNPROCESSABLE_ENTITY, &KeyPage { banner, ..page });
        }
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let (company_id, key_id) = (admin.company.id, found.key.id);
    let changed = blocking(move || {
        let changed = if ends_now {
            actions.end_overlap(company_id, key_id, &origin)
        } else {
            actions.extend_overlap(company_id, key_id, &origin)
        };
        match changed {
            Err(OverlapError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        }
    });
    match changed.await? {
        Ok(event) => Ok(done::lead_to(&KeyPage::path(&key_id.to_string()), Some(event))),
        Err(OverlapError::Unknown) => Err(PageError::NoKey),
        Err(refused) => Err(PageError::KeyStands(key_id, refused.to_string())),
    }
}

/// A key with its neighbours and the names of the people around it.
pub(super) struct Found {
    pub(super) key: StoredKey,
    replaced_by: Option<StoredKey>,
    replaces: Option<StoredKey>,
    pub(super) names: Names,
}

impl Found {
    /// Whether another key is good that is to take its place.
    pub(super) fn is_being_replaced(&self, now: Instant) -> bool {
        self.replaced_by.as_ref().is_some_and(|new| new.state(now) == KeyState::Active)
    }
}

/// The key that a path names.
pub(super) async fn find(site: &Data<Site>, signed_in: &SignedIn, id: &str) -> Result<Found, PageError> {
    let (id, company_id) = (KeyId::parse(id).ok_or(PageError::NoKey)?, signed_in.company.id);
    let store = site.actions.store.clone();
    blocking(move || {
        store.read(|questions| {
            let key = questions.key_of(company_id, id)?.ok_or(PageError::NoKey)?;
            let names = questions.names_of(company_id, key.users())?;
            let replaced_by = match &key.replacement {
                Some(replacement) => questions.key_of(company_id, replacement.by)?,
                None => None,
            };
            let replaces = questions.key_replaced_by(company_id, id)?;
            Ok::<_, PageError>(Found { key, replaced_by, replaces, names })
        })
    })
    .await
}

/// The page as it is reached first, for something to lie over.
pub(super) async fn load_beneath(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    found: &Found,
    overlay: KeyOverlay,
) -> Result<KeyPage, PageError> {
    let page = load(site, signed_in, zone, found, &Fields::default()).await?;
    Ok(KeyPage { overlay, ..page })
}

async fn load(
    site: &Data<Site>,
    signed_in: &SignedIn,
    zone: &Zone,
    found: &Found,
    query: &Fields,
) -> Result<KeyPage, PageError> {
    let (key, names, now) = (&found.key, &found.names, site.actions.clock.now());
    let id = key.id.to_string();
    let known = KnownUse::load(site, signed_in.company.id, key.id, zone, now).await?;
    let request = trail::Request::of_key(key.id, query)?;
    let mut history = trail::load(site, signed_in, zone, request, Place::Key(id.clone())).await?;
    if let Some(narrowed) = &mut history.narrowed {
        narrowed.answer.since_end = narrowed.answer.end.as_ref().map(|_| known.since_end());
    }
    let old_key = |old: &StoredKey| OldKey {
        id: old.id.to_string(),
        preview: old.preview.clone(),
        until: old.ends().first().filter(|_| old.state(now) == KeyState::Active).map(|at| zone.date_time(at)),
    };
    Ok(KeyPage {
        shell: site.shell(signed_in),
        name: key.name.clone(),
        preview: key.preview.clone(),
        owner: Who::user(names.get(&key.owner).cloned()),
        created: zone.date(key.created_at),
        created_by: Who::user(names.get(&key.created_by).cloned()),
        expires: Expiry::of(key.ends(), zone, now),
        replaced_by: found.replaced_by.as_ref().map(|new| replacement(key, new, &known, zone, now)),
        replaces: found.replaces.as_ref().map(old_key),
        usage: known.usage(),
        since_end: known.since_end(),
        end: key.end(now).map(|end| match end {
            api_key::KeyEnd::Expired(at) => KeyEnd::Expired { at: zone.date_time(at) },
            api_key::KeyEnd::Revoked(revocation) => KeyEnd::Revoked {
                at: zone.date_time(revocation.at),
                by: who(revocation.by, names),
                reason: revocation.reason.label(),
                comment: revocation.comment.map(|comment| comment.as_str().to_owned()),
            },
        }),
        history,
        can_change: signed_in.role == Role::Admin,
        banner: None,
        overlay: KeyOverlay::None,
        id,
    })
}

fn replacement(old: &StoredKey, new: &StoredKey, known: &KnownUse<'_>, zone: &Zone, now: Instant) -> Replacement {
    let end = old.ends().first().filter(|_| old.state(now) == KeyState::Active);
    let ends_by_overlap = end.is_some() && end == old.ends().overlap_ends_at && end != old.expires_at;
    let can_extend = ends_by_overlap && old.replacement.is_some_and(|replacement| !replacement.overlap_extended);
    Replacement {
        id: new.id.to_string(),
        preview: new.preview.clone(),
        has_ended: new.state(now) != KeyState::Active,
        ends: end.map(|at| EndsSoon {
            in_words: format!("Ends {}", Zone::left(at, now)),
            at: zone.date_time(at),
            can_extend,
            old_key: known.as_old_key(),
        }),
    }
}

async fn banner(
    site: &Data<Site>,
    signed_in: &SignedIn,
    found: &Found,
    zone: &Zone,
    query: &Fields,
) -> Result<Option<KeyBanner>, PageError> {
    let Some((action, event)) = done::load(site, signed_in, query).await? else { return Ok(None) };
    if event.key_id.as_deref() != Some(found.key.id.to_string().as_str()) {
        return Ok(None);
    }
    let word = |value: Option<serde_json::Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    Ok(match action {
        Action::ApiKeyRenamed => {
            let names = word(event.detail_before("name")).zip(event.subject_name());
            names.map(|(old, new)| KeyBanner::Renamed { old, new })
        }
        Action::ApiKeyHandedOver => {
            let to = new_owner(site, signed_in, &event).await?;
            event.subject_name().map(|name| KeyBanner::HandedOver { name, to })
        }
        Action::ApiKeyRevoked => {
            let is_superseded = event.reason.as_deref() == Some(RevocationReason::Superseded.as_str());
            is_superseded.then_some(KeyBanner::OldKeyEnded)
        }
        Action::ApiKeyExpiryChanged => {
            let until = event.detail("ends_at").and_then(|at| at.as_i64()).map(Instant::from_micros);
            until.map(|until| KeyBanner::OldKeyExtended { until: zone.date_time(until) })
        }
        _ => None,
    })
}

async fn new_owner(site: &Data<Site>, signed_in: &SignedIn, event: &Event) -> Result<Who, PageError> {
    let owner = event.detail("owner").and_then(|id| UserId::parse(id.as_str()?));
    let (store, company_id) = (site.actions.store.clone(), signed_in.company.id);
    let names = blocking(move || store.ask(|questions| questions.names_of(company_id, owner))).await?;
    Ok(Who::user(owner.and_then(|id| names.get(&id).cloned())))
}
