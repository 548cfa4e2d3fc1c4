//! A key as the events say: created, edited, rotated, extended, ended.

use super::comparison::{Comparison, Tracked, is_case_folded, is_text};
use super::recorded_change::TextDigest;
use super::stored::StoredKey;
use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, ServiceAccountId, UserId};
use crate::domain::key::digest::{DigestFingerprint, DigestKind};
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::timestamp::Timestamp;

/// What every key has. The rest is boxed: most keys need none of it, and there may be a million of them.
#[derive(Debug)]
pub(super) struct ReplayedKey {
    pub(super) account: ServiceAccountId,
    /// `None` for keys of older versions.
    pub(super) fingerprint: Option<DigestFingerprint>,
    pub(super) digest_kind: DigestKind,
    /// The pepper of the digest; `None` for the installation's first one.
    pub(super) pepper_id: Option<Box<str>>,
    /// The event that gave the key its digest.
    pub(super) digest_set: i64,
    pub(super) preview: TextDigest,
    /// The actor type of the creator.
    pub(super) created_by_type: Option<&'static str>,
    pub(super) created_by: Option<UserId>,
    pub(super) owner: Option<UserId>,
    /// The event that gave the key its owner.
    pub(super) owner_set: i64,
    pub(super) expires_at: Option<i64>,
    /// The event that gave the key its expiry.
    pub(super) expiry_set: i64,
    pub(super) later: Option<Box<LaterChanges>>,
}

/// What becomes of a key after its creation.
#[derive(Debug, Default)]
pub(super) struct LaterChanges {
    replacement: Option<ReplayedReplacement>,
    revocation: Option<ReplayedRevocation>,
    /// The trail holds an end that came by the clock.
    is_end_recorded: bool,
}

#[derive(Debug)]
struct ReplayedReplacement {
    /// The event of the rotation, or of the extension of its overlap.
    sequence: i64,
    by: KeyId,
    rotated_by: Option<UserId>,
    overlap: OverlapEnd,
    is_extended: bool,
}

/// When the overlap of a rotated key ends.
#[derive(Clone, Copy, Debug)]
enum OverlapEnd {
    None,
    At(i64),
    /// At this time or later. Events of older versions say no more if the key expires first, which is what counts.
    NotBefore(i64),
}

#[derive(Debug)]
pub(super) struct ReplayedRevocation {
    pub(super) sequence: i64,
    pub(super) at: i64,
    pub(super) by: Option<Actor>,
    pub(super) reason: Option<RevocationReason>,
    pub(super) comment: Option<TextDigest>,
}

impl ReplayedKey {
    fn later(&mut self) -> &mut LaterChanges {
        self.later.get_or_insert_default()
    }

    /// Applies a rotation. `ends_at` is when the old key stops working.
    pub(super) fn rotate(
        &mut self,
        sequence: i64,
        by: KeyId,
        rotated_by: Option<UserId>,
        ends_at: Option<Timestamp>,
        overlap_ends_at: Option<Timestamp>,
    ) {
        let overlap = self.overlap(ends_at, overlap_ends_at);
        let later = self.later();
        later.replacement = Some(ReplayedReplacement { sequence, by, rotated_by, overlap, is_extended: false });
        // Earlier versions gave an overlap to a key whose recorded expiry the clock had not reached again.
        if !matches!(overlap, OverlapEnd::None) {
            later.is_end_recorded = false;
        }
    }

    /// Applies the extension of an overlap.
    pub(super) fn extend(&mut self, sequence: i64, ends_at: Timestamp, overlap_ends_at: Option<Timestamp>) {
        let overlap = self.overlap(Some(ends_at), overlap_ends_at);
        let later = self.later();
        later.is_end_recorded = false;
        if let Some(replacement) = &mut later.replacement {
            (replacement.sequence, replacement.overlap, replacement.is_extended) = (sequence, overlap, true);
        }
    }

    /// Applies the renewal of the digest under another pepper.
    pub(super) fn renew_digest(&mut self, sequence: i64, fingerprint: DigestFingerprint, pepper_id: &str) {
        self.fingerprint = Some(fingerprint);
        (self.pepper_id, self.digest_set) = (Some(pepper_id.into()), sequence);
    }

    pub(super) fn record_end(&mut self) {
        self.later().is_end_recorded = true;
    }

    pub(super) fn revoke(&mut self, revocation: ReplayedRevocation) {
        self.later().revocation = Some(revocation);
    }

    /// The user who rotated the key last.
    pub(super) fn rotated_by(&self) -> Option<UserId> {
        self.later.as_ref()?.replacement.as_ref()?.rotated_by
    }

    fn overlap(&self, ends_at: Option<Timestamp>, overlap_ends_at: Option<Timestamp>) -> OverlapEnd {
        match (overlap_ends_at, ends_at.map(Timestamp::as_micros)) {
            (Some(end), _) => OverlapEnd::At(end.as_micros()),
            (None, None) => OverlapEnd::None,
            (None, Some(end)) if self.expires_at == Some(end) => OverlapEnd::NotBefore(end),
            (None, Some(end)) => OverlapEnd::At(end),
        }
    }
}

impl OverlapEnd {
    fn is(self, stored: Option<i64>) -> bool {
        match self {
            Self::None => stored.is_none(),
            Self::At(end) => stored == Some(end),
            Self::NotBefore(end) => stored.is_some_and(|stored| stored >= end),
        }
    }
}

/// Compares a row. `pepper_id` is that of the installation's first set of secrets.
pub(super) fn compare(row: &Tracked<ReplayedKey>, stored: &StoredKey, pepper_id: &str, comparison: &mut Comparison) {
    let (key, created) = (&row.value, row.created);
    let is_digest = |fingerprint| fingerprint == DigestFingerprint::of(&stored.digest);
    let is_account = ServiceAccountId::parse(&stored.service_account_id) == Some(key.account);
    comparison.check("service_account_id", is_account, created);
    comparison.check("digest", key.fingerprint.is_none_or(is_digest), key.digest_set);
    comparison.check("digest_kind", stored.digest_kind == key.digest_kind.as_str(), created);
    let pepper_id = key.pepper_id.as_deref().unwrap_or(pepper_id);
    comparison.check("pepper_id", stored.pepper_id == pepper_id, key.digest_set);
    comparison.check("preview", TextDigest::of(&stored.preview) == key.preview, created);
    comparison.check("preview_folded", is_case_folded(&stored.preview_folded, &stored.preview), created);
    comparison.check("created_at", stored.created_at == row.created_at, created);
    let is_creator_type = key.created_by_type == Some(&stored.created_by_type);
    comparison.check("created_by_type", is_creator_type, created);
    comparison.check("created_by", UserId::parse(&stored.created_by) == key.created_by, created);
    comparison.check("owner", UserId::parse(&stored.owner) == key.owner, key.owner_set);
    comparison.check("expires_at", stored.expires_at == key.expires_at, key.expiry_set);
    compare_replacement(row, stored, comparison);
    compare_revocation(row, stored, comparison);
    let is_end_recorded = key.later.as_ref().is_some_and(|later| later.is_end_recorded);
    comparison.check("end_recorded", stored.end_recorded == is_end_recorded, row.last);
    let by_clock = [stored.expires_at, stored.overlap_ends_at].into_iter().flatten().min().unwrap_or(i64::MAX);
    let is_refused_always = stored.revoked_at.is_some() || stored.end_recorded;
    let refused_from = if is_refused_always { -i64::MAX } else { by_clock };
    comparison.check("ended_at", stored.ended_at == by_clock.min(stored.revoked_at.unwrap_or(i64::MAX)), row.last);
    comparison.check("refused_from", stored.refused_from == refused_from, row.last);
}

fn compare_replacement(row: &Tracked<ReplayedKey>, stored: &StoredKey, comparison: &mut Comparison) {
    let replacement = row.value.later.as_ref().and_then(|later| later.replacement.as_ref());
    let sequence = replacement.map_or(row.last, |replacement| replacement.sequence);
    let by = replacement.map(|replacement| replacement.by);
    let rotated_by = replacement.and_then(|replacement| replacement.rotated_by);
    let overlap = replacement.map_or(OverlapEnd::None, |replacement| replacement.overlap);
    let is_extended = replacement.is_some_and(|replacement| replacement.is_extended);
    comparison.check("replaced_by", is_text(stored.replaced_by.as_deref(), by), sequence);
    comparison.check("rotated_by", is_text(stored.rotated_by.as_deref(), rotated_by), sequence);
    comparison.check("overlap_ends_at", overlap.is(stored.overlap_ends_at), sequence);
    comparison.check("overlap_extended", stored.overlap_extended == is_extended, sequence);
}

fn compare_revocation(row: &Tracked<ReplayedKey>, stored: &StoredKey, comparison: &mut Comparison) {
    let revocation = row.value.later.as_ref().and_then(|later| later.revocation.as_ref());
    let sequence = revocation.map_or(row.last, |revocation| revocation.sequence);
    let by = revocation.and_then(|revocation| revocation.by);
    let reason = revocation.and_then(|revocation| revocation.reason).map(RevocationReason::as_str);
    let comment = revocation.and_then(|revocation| revocation.comment);
    comparison.check("revoked_at", stored.revoked_at == revocation.map(|revocation| revocation.at), sequence);
    comparison.check("revoked_by_type", stored.revoked_by_type.as_deref() == by.map(Actor::kind), sequence);
    comparison.check("revoked_by", is_text(stored.revoked_by.as_deref(), by.and_then(Actor::user)), sequence);
    comparison.check("revocation_reason", stored.revocation_reason.as_deref() == reason, sequence);
    let stored_comment = stored.revocation_comment.as_deref().map(TextDigest::of);
    comparison.check("revocation_comment", stored_comment == comment, sequence);
}
