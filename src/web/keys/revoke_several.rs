//! Revoking several keys at once: the one question that names them all.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::list::Overlay;
use super::listing;
use super::revoke::why;
use crate::actions::RevokeKeysError;
use crate::domain::api_key::RevocationReason;
use crate::domain::ids::KeyId;
use crate::domain::instant::Instant;
use crate::edge::body::{Fields, FormBody};
use crate::edge::caller::Caller;
use crate::store::StoredKey;
use crate::web::error::PageError;
use crate::web::guards::{Admin, SignedIn};
use crate::web::keys::address::LIST;
use crate::web::page::{Field, ShownTime, counted};
use crate::web::request::Query;
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html};

/// So many keys are revoked together at most.
const MOST_KEYS: usize = 50;
const TOO_MANY: &str = "Revoke at most 50 keys at once. Only the first 50 are named here.";

/// The dialog over the list.
#[derive(Clone, Debug)]
pub struct RevokeSeveral {
    pub keys: Vec<NamedKey>,
    /// The word of a [`RevocationReason`](crate::domain::api_key::RevocationReason).
    pub reason: Field,
    pub comment: Field,
    /// Why none of them was revoked.
    pub error: Option<String>,
}

/// A key as a list names it.
#[derive(Clone, Debug)]
pub struct NamedKey {
    pub id: String,
    pub name: String,
    pub preview: String,
    /// `Zone::ago_within`.
    pub last_used: Option<ShownTime>,
}

impl RevokeSeveral {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path() -> String {
        format!("{LIST}/revoke")
    }

    pub(super) fn has_reason(&self, value: &str) -> bool {
        self.reason.value == value
    }

    pub(super) fn failed(&self) -> bool {
        self.error.is_some() || self.reason.error.is_some() || self.comment.error.is_some()
    }

    /// “3 keys”.
    pub(super) fn count(&self) -> String {
        counted(self.keys.len() as u64, "key", "keys")
    }

    pub(super) fn heading(&self) -> String {
        if self.keys.is_empty() { "Revoke keys".to_owned() } else { format!("Revoke {}", self.count()) }
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    query: Query,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let keys = named(&site, &admin, &query.0).await?;
    let is_answerable = (1..=MOST_KEYS).contains(&keys.len());
    let status = if is_answerable { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let error = (keys.len() > MOST_KEYS).then(|| TOO_MANY.to_owned());
    let reason = Field::kept(RevocationReason::Unspecified.as_str());
    draw(status, &keys, reason, Field::default(), error, &admin, &zone, &site).await
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let fields = body.fields().await?;
    let keys = named(&site, &admin, &fields).await?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let (reason, comment) = match why(&fields, &site)? {
        Ok(why) => why,
        Err((reason, comment)) => return draw(refused, &keys, reason, comment, None, &admin, &zone, &site).await,
    };
    let kept = (Field::kept(reason.as_str()), Field::kept(comment.as_ref().map_or("", |comment| comment.as_str())));
    if !(1..=MOST_KEYS).contains(&keys.len()) {
        let error = (!keys.is_empty()).then(|| TOO_MANY.to_owned());
        return draw(refused, &keys, kept.0, kept.1, error, &admin, &zone, &site).await;
    }
    let (actions, origin, company_id) = (site.actions.clone(), caller.as_origin(admin.actor()), admin.company.id);
    let ids: Vec<KeyId> = keys.iter().map(|(key, _)| key.id).collect();
    let revoked = blocking(move || match actions.revoke_keys(company_id, &ids, reason, comment.as_ref(), &origin) {
        Err(RevokeKeysError::Store(error)) => Err(PageError::from(error)),
        other => Ok(other),
    });
    match revoked.await? {
        Ok(event) => Ok(done::lead_to(LIST, event)),
        Err(RevokeKeysError::Unknown) => Err(PageError::NoKey),
        Err(ended) => draw(refused, &keys, kept.0, kept.1, Some(ended.to_string()), &admin, &zone, &site).await,
    }
}

/// A key, and when it was last used.
type Named = (StoredKey, Option<Instant>);

/// The keys that are named, each once, in the order in which they are named.
async fn named(site: &Data<Site>, admin: &SignedIn, fields: &Fields) -> Result<Vec<Named>, PageError> {
    let mut ids = Vec::new();
    for id in fields.all("key") {
        let id = KeyId::parse(id).ok_or(PageError::NoKey)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (store, company_id) = (site.actions.store.clone(), admin.company.id);
    blocking(move || {
        store.read(|questions| {
            let keys = ids.into_iter().map(|id| questions.key_of(company_id, id)?.ok_or(PageError::NoKey));
            let keys: Vec<StoredKey> = keys.collect::<Result<_, PageError>>()?;
            let mut usage = questions.usage_of_keys(company_id, keys.iter().map(|key| key.id))?;
            let with_last_use = |key: StoredKey| {
                let last_used = usage.remove(&key.id).and_then(|usage| usage.last_used);
                (key, last_used.map(|request| request.at))
            };
            Ok::<_, PageError>(keys.into_iter().map(with_last_use).collect())
        })
    })
    .await
}

#[expect(clippy::too_many_arguments, reason = "what was typed, what is wrong with it, and who is asked")]
async fn draw(
    status: StatusCode,
    keys: &[Named],
    reason: Field,
    comment: Field,
    error: Option<String>,
    admin: &SignedIn,
    zone: &Zone,
    site: &Data<Site>,
) -> Result<HttpResponse, PageError> {
    let now = site.actions.clock.now();
    let named = keys.iter().take(MOST_KEYS).map(|(key, last_used)| NamedKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        preview: key.preview.clone(),
        last_used: last_used.map(|at| zone.ago_within(at, now)),
    });
    let dialog = RevokeSeveral { keys: named.collect(), reason, comment, error };
    html(status, &listing::load_beneath(site, admin, zone, Overlay::RevokeSeveral(dialog)).await?)
}
