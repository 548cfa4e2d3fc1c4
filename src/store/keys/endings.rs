//! The columns of `api_keys` that say who created a key and how it ends, and the domain types that they make.

use std::error::Error;

use diesel::prelude::*;

use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::lifecycle::{Comment, KeyEnds, Revocation, RevocationReason};
use crate::domain::key::rotation::Replacement;
use crate::domain::timestamp::Timestamp;
use crate::store::schema::api_keys;

#[derive(Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct EndColumns {
    expires_at: Option<Timestamp>,
    overlap_ends_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    end_recorded: bool,
}

impl From<EndColumns> for KeyEnds {
    fn from(columns: EndColumns) -> Self {
        let EndColumns { expires_at, overlap_ends_at, revoked_at, end_recorded } = columns;
        Self { expires_at, overlap_ends_at, revoked_at, is_recorded: end_recorded }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct CreatorColumns {
    created_by_type: String,
    created_by: UserId,
}

impl TryFrom<CreatorColumns> for Actor {
    type Error = Box<dyn Error + Send + Sync>;

    fn try_from(columns: CreatorColumns) -> Result<Self, Self::Error> {
        let user = Self::User(columns.created_by);
        let creator = if columns.created_by_type == user.kind() {
            Some(user)
        } else {
            Self::parse(&columns.created_by_type, None)
        };
        creator.ok_or_else(|| "a stored actor cannot be read".into())
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct ReplacementColumns {
    replaced_by: Option<KeyId>,
    rotated_by: Option<UserId>,
    overlap_ends_at: Option<Timestamp>,
    overlap_extended: bool,
}

impl From<ReplacementColumns> for Option<Replacement> {
    fn from(columns: ReplacementColumns) -> Self {
        let ReplacementColumns { replaced_by, rotated_by, overlap_ends_at, overlap_extended } = columns;
        let (by, rotated_by) = replaced_by.zip(rotated_by)?;
        Some(Replacement { by, rotated_by, overlap_ends_at, overlap_extended })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct RevocationColumns {
    revoked_at: Option<Timestamp>,
    revoked_by_type: Option<String>,
    revoked_by: Option<UserId>,
    revocation_reason: Option<RevocationReason>,
    revocation_comment: Option<String>,
}

impl TryFrom<RevocationColumns> for Option<Revocation> {
    type Error = Box<dyn Error + Send + Sync>;

    fn try_from(columns: RevocationColumns) -> Result<Self, Self::Error> {
        let (Some(at), Some(kind), Some(reason)) =
            (columns.revoked_at, columns.revoked_by_type, columns.revocation_reason)
        else {
            return Ok(None);
        };
        let by = match columns.revoked_by {
            Some(user) => Some(Actor::User(user)).filter(|actor| actor.kind() == kind),
            None => Actor::parse(&kind, None),
        };
        let comment = columns.revocation_comment.as_deref().map(Comment::parse).transpose();
        Ok(Some(Revocation {
            at,
            by: by.ok_or("a stored actor cannot be read")?,
            reason,
            comment: comment.map_err(|_| "a stored comment cannot be read")?.flatten(),
        }))
    }
}
