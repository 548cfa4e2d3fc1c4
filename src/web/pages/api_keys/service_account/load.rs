//! Loads the page of a service account.

use super::cursor;
use super::view::{AccountKey, KeyEnding, ServiceAccountPage};
use crate::domain::ids::ServiceAccountId;
use crate::domain::key::lifecycle::{KeyEnd, KeyState};
use crate::store::{AccountKeysRequest, KeyRecord, UserNames};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::layout::PageLayout;
use crate::web::components::paging::{self, PageDirection, Pager};
use crate::web::components::people::{ActorView, actor_view};
use crate::web::pages::api_keys::expiry::Expiry;

/// Loads a page of the keys of a service account.
///
/// # Errors
/// [`PageError::PageNotFound`] if the company has no such service account.
pub async fn page(
    cx: &PageContext,
    id: ServiceAccountId,
    request: AccountKeysRequest,
) -> Result<ServiceAccountPage, PageError> {
    let company_id = cx.company_id();
    let (account, mut keys, names) = cx
        .read(move |db| {
            let account = db.service_accounts().by_id(company_id, id)?.ok_or(PageError::PageNotFound)?;
            let keys = db.keys().of_account(company_id, id, request, paging::limit())?;
            let names = db.users().names(company_id, keys.iter().flat_map(KeyRecord::users))?;
            Ok((account, keys, names))
        })
        .await?;
    let direction = match request {
        AccountKeysRequest::Newest => PageDirection::First,
        AccountKeysRequest::OlderThan(_) => PageDirection::Forward,
        AccountKeysRequest::NewerThan(_) => PageDirection::Backward,
    };
    let href = |cursor: String| ServiceAccountPage::page_href(&id.to_string(), &cursor);
    let pager =
        Pager::trim(&mut keys, direction, |key| href(cursor::before(key.id)), |key| href(cursor::after(key.id)));
    Ok(ServiceAccountPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        id: account.id.to_string(),
        name: account.name,
        created: cx.zone.date(account.created_at),
        details: [("Purpose", account.purpose), ("Department", account.department), ("Contact", account.contact)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect(),
        keys: keys.iter().map(|key| row(cx, key, &names)).collect(),
        pager,
        zone: cx.zone.label(cx.now()),
    })
}

fn row(cx: &PageContext, key: &KeyRecord, names: &UserNames) -> AccountKey {
    let (zone, now) = (&cx.zone, cx.now());
    let state = key.state(now);
    AccountKey {
        id: key.id.to_string(),
        preview: key.preview.clone(),
        state,
        is_being_replaced: state == KeyState::Active && key.replacement.is_some(),
        created: zone.date(key.created_at),
        created_by: actor_view(key.created_by, names),
        owner: ActorView::user(names.get(&key.owner).cloned()),
        ending: match key.end(now) {
            None => KeyEnding::Coming(Expiry::of(key.ends(), zone, now)),
            Some(KeyEnd::Expired(at)) => KeyEnding::Expired(zone.date(at)),
            Some(KeyEnd::Revoked(revocation)) => {
                KeyEnding::Revoked { on: zone.date(revocation.at), reason: revocation.reason.label() }
            }
        },
    }
}
