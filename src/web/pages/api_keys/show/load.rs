//! Loads one key and its page.

use super::view::{EndView, EndsSoon, KeyDetailPage, Replacement};
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::{KeyEnd, KeyState};
use crate::domain::timestamp::Timestamp;
use crate::http::body::Fields;
use crate::store::{KeyRecord, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::time::zone::Zone;
use crate::web::components::dialog::Dialog;
use crate::web::components::layout::PageLayout;
use crate::web::components::people::{ActorView, actor_view};
use crate::web::pages::api_keys::activity;
use crate::web::pages::api_keys::activity::view::Placement;
use crate::web::pages::api_keys::expiry::{Expiry, OldKey};
use crate::web::pages::api_keys::key_findings;
use crate::web::pages::api_keys::usage::load::UsageSnapshot;

/// Loads the key with the id from a path.
///
/// # Errors
/// [`PageError::KeyNotFound`] if the company has no such key.
pub async fn key(cx: &PageContext, id: &str) -> Result<KeyRecord, PageError> {
    let (company_id, id) = (cx.company_id(), KeyId::parse(id).ok_or(PageError::KeyNotFound)?);
    cx.query(move |db| db.keys().by_id(company_id, id)).await?.ok_or(PageError::KeyNotFound)
}

/// A key, the keys that it replaces and is replaced by, and the names of its users.
pub struct KeyWithNeighbours {
    pub key: KeyRecord,
    pub replaced_by: Option<KeyRecord>,
    replaces: Option<KeyRecord>,
    pub names: UserNames,
}

impl KeyWithNeighbours {
    /// Returns whether an active key replaces this one.
    #[must_use]
    pub fn is_being_replaced(&self, now: Timestamp) -> bool {
        self.replaced_by.as_ref().is_some_and(|new| new.state(now) == KeyState::Active)
    }
}

/// Loads the key with the id from a path, and its neighbours.
///
/// # Errors
/// [`PageError::KeyNotFound`] if the company has no such key.
pub async fn key_with_neighbours(cx: &PageContext, id: &str) -> Result<KeyWithNeighbours, PageError> {
    let (company_id, id) = (cx.company_id(), KeyId::parse(id).ok_or(PageError::KeyNotFound)?);
    cx.read(move |db| {
        let key = db.keys().by_id(company_id, id)?.ok_or(PageError::KeyNotFound)?;
        let names = db.users().names(company_id, key.users())?;
        let replaced_by = match &key.replacement {
            Some(replacement) => db.keys().by_id(company_id, replacement.by)?,
            None => None,
        };
        let replaces = db.keys().replaced_by(company_id, id)?;
        Ok(KeyWithNeighbours { key, replaced_by, replaces, names })
    })
    .await
}

/// Loads the page of a key, with a dialog over it.
pub async fn with_dialog(
    cx: &PageContext,
    found: &KeyWithNeighbours,
    dialog: Dialog,
) -> Result<KeyDetailPage, PageError> {
    Ok(KeyDetailPage { dialog: Some(dialog), ..page(cx, found, &Fields::default()).await? })
}

/// Loads the page of a key. `query` may have the cursor of its history.
pub async fn page(cx: &PageContext, found: &KeyWithNeighbours, query: &Fields) -> Result<KeyDetailPage, PageError> {
    let (key, names, zone, now) = (&found.key, &found.names, &cx.zone, cx.now());
    let id = key.id.to_string();
    let usage = UsageSnapshot::load(cx, key.id).await?;
    let request = activity::load::ActivityRequest::of_key(key.id, query)?;
    let history = activity::load::load(cx, request, Placement::Key(id.clone())).await?;
    let old_key = |old: &KeyRecord| OldKey {
        id: old.id.to_string(),
        preview: old.preview.clone(),
        until: old.ends().first().filter(|_| old.state(now) == KeyState::Active).map(|at| zone.date_time(at)),
    };
    Ok(KeyDetailPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        name: key.name.clone(),
        preview: key.preview.clone(),
        details: [("Purpose", &key.purpose), ("Department", &key.department), ("Contact", &key.contact)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(label, text)| (label, text.clone()))
            .collect(),
        owner: ActorView::user(names.get(&key.owner).cloned()),
        service_account_id: key.service_account_id.to_string(),
        expires: (key.state(now) == KeyState::Active).then(|| Expiry::of(key.ends(), zone, now)),
        replaced_by: found.replaced_by.as_ref().map(|new| replacement(key, new, &usage, zone, now)),
        replaces: found.replaces.as_ref().map(old_key),
        findings: key_findings::load(cx, key).await?,
        usage: usage.usage(),
        since_end: usage.since_end(),
        end: key.end(now).map(|end| end_view(end, names, zone)),
        history,
        can_change: cx.can_change(),
        banner: None,
        dialog: None,
        id,
    })
}

fn end_view(end: KeyEnd, names: &UserNames, zone: &Zone) -> EndView {
    match end {
        KeyEnd::Expired(at) => EndView::Expired { at: zone.date_time(at) },
        KeyEnd::Revoked(revocation) => EndView::Revoked {
            at: zone.date_time(revocation.at),
            by: actor_view(revocation.by, names),
            reason: revocation.reason.label(),
            comment: revocation.comment.map(|comment| comment.as_str().to_owned()),
        },
    }
}

fn replacement(
    old: &KeyRecord,
    new: &KeyRecord,
    usage: &UsageSnapshot<'_>,
    zone: &Zone,
    now: Timestamp,
) -> Replacement {
    let end = old.ends().first().filter(|_| old.state(now) == KeyState::Active);
    let ends_by_overlap = end.is_some() && end == old.ends().overlap_ends_at && end != old.expires_at;
    let can_extend = ends_by_overlap && old.replacement.is_some_and(|replacement| !replacement.overlap_extended);
    Replacement {
        id: new.id.to_string(),
        preview: new.preview.clone(),
        has_ended: new.state(now) != KeyState::Active,
        ends: end.map(|at| EndsSoon {
            label: format!("Ends {}", Zone::time_left(at, now)),
            at: zone.date_time(at),
            can_extend,
            old_key: usage.old_key_use(),
        }),
    }
}
