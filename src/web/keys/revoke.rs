//! Revoking a key: the question before it, and the answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};

use super::known_use::KnownUse;
use super::list::Overlay;
use super::listing;
use super::one_key::{self, Found};
use crate::actions::RevokeKeyError;
use crate::domain::api_key::{Comment, KeyState, RevocationReason};
use crate::domain::ids::KeyId;
use crate::edge::body::{BodyError, Fields, FormBody};
use crate::edge::caller::Caller;
use crate::store::{Names, StoredKey};
use crate::web::error::PageError;
use crate::web::guards::Admin;
use crate::web::keys::address::{LIST, with_query};
use crate::web::keys::usage::InUse;
use crate::web::page::{Field, ShownTime, Who};
use crate::web::time::Zone;
use crate::web::{Site, blocking, done, html, see_other};

/// The dialog over the list.
#[derive(Clone, Debug)]
pub struct Revoke {
    pub key_id: String,
    pub name: String,
    pub preview: String,
    pub created_by: Who,
    pub created: ShownTime,
    /// `Zone::date_time`.
    pub last_used: Option<ShownTime>,
    pub in_use: Option<InUse>,
    /// The word of a [`RevocationReason`].
    pub reason: Field,
    pub comment: Field,
}

impl Revoke {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(key_id: &str) -> String {
        format!("{LIST}/{key_id}/revoke")
    }

    pub(super) fn has_reason(&self, value: &str) -> bool {
        self.reason.value == value
    }

    pub(super) fn failed(&self) -> bool {
        self.reason.error.is_some() || self.comment.error.is_some()
    }
}

pub(in crate::web) async fn show(
    Admin(admin): Admin,
    id: Path<String>,
    zone: Zone,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let Found { key, names, .. } = one_key::find(&site, &admin, &id).await?;
    let now = site.actions.clock.now();
    if key.state(now) != KeyState::Active {
        return Ok(already_ended(key.id));
    }
    let reason = Field::kept(RevocationReason::Unspecified.as_str());
    let known = KnownUse::load(&site, admin.company.id, key.id, &zone, now).await?;
    let dialog = question(&key, &names, &zone, &known, reason, Field::default());
    let page = listing::load_beneath(&site, &admin, &zone, Overlay::Revoke(Box::new(dialog))).await?;
    html(StatusCode::OK, &page)
}

pub(in crate::web) async fn submit(
    Admin(admin): Admin,
    id: Path<String>,
    body: FormBody,
    zone: Zone,
    caller: Caller,
    site: Data<Site>,
) -> Result<HttpResponse, PageError> {
    let Found { key, names, .. } = one_key::find(&site, &admin, &id).await?;
    let fields = body.fields().await?;
    let (parsed_reason, parsed_comment) = match why(&fields, &site)? {
        Ok(why) => why,
        Err((reason, comment)) => {
            let now = site.actions.clock.now();
            let known = KnownUse::load(&site, admin.company.id, key.id, &zone, now).await?;
            let dialog = question(&key, &names, &zone, &known, reason, comment);
            let page = listing::load_beneath(&site, &admin, &zone, Overlay::Revoke(Box::new(dialog))).await?;
            return html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (actions, origin) = (site.actions.clone(), caller.as_origin(admin.actor()));
    let revoked =
        blocking(move || match actions.revoke_key(admin.company.id, key.id, parsed_reason, parsed_comment, &origin) {
            Err(RevokeKeyError::Store(error)) => Err(PageError::from(error)),
            other => Ok(other),
        });
    match revoked.await? {
        Ok((event, _)) => Ok(done::lead_to(LIST, Some(event))),
        Err(RevokeKeyError::AlreadyEnded(key)) => Ok(already_ended(key.id)),
        Err(_) => Err(PageError::NoKey),
    }
}

/// Why something is revoked: a reason, and a comment where there is one.
type Why = (RevocationReason, Option<Comment>);

/// Reason and comment of a revocation; or the two fields, with what is wrong with them.
pub(super) fn why(fields: &Fields, site: &Site) -> Result<Result<Why, (Field, Field)>, BodyError> {
    let (reason, comment) = (fields.one("reason")?, fields.one("comment")?);
    let parsed_reason =
        if reason.is_empty() { Some(RevocationReason::Unspecified) } else { RevocationReason::parse(reason) };
    // A comment is kept in clear for ever: a key must not get there.
    let (comment, parsed_comment) = if site.actions.key_format.occurs_in(comment) {
        ("", Err("The comment contains an API key. Leave it out.".to_owned()))
    } else {
        (comment, Comment::parse(comment).map_err(|error| error.to_string()))
    };
    Ok(match (parsed_reason, parsed_comment) {
        (Some(reason), Ok(comment)) => Ok((reason, comment)),
        (parsed_reason, parsed_comment) => {
            let reason = match parsed_reason {
                Some(known) => Field::kept(known.as_str()),
                None => Field::refused(RevocationReason::Unspecified.as_str(), "Choose one of the reasons"),
            };
            Err((reason, Field { value: comment.to_owned(), error: parsed_comment.err() }))
        }
    })
}

fn already_ended(id: KeyId) -> HttpResponse {
    see_other(&with_query(LIST, &[("tab", "revoked"), ("already", &id.to_string())]))
}

fn question(
    key: &StoredKey,
    names: &Names,
    zone: &Zone,
    known: &KnownUse<'_>,
    reason: Field,
    comment: Field,
) -> Revoke {
    Revoke {
        key_id: key.id.to_string(),
        name: key.name.clone(),
        preview: key.preview.clone(),
        created_by: Who::user(names.get(&key.created_by).cloned()),
        created: zone.date(key.created_at),
        last_used: known.last_used_at(),
        in_use: known.in_use(),
        reason,
        comment,
    }
}
