//! The fold over the events of a trail.

use super::account::{self, ReplayedAccount};
use super::company::{self, ReplayedCompany};
use super::comparison::{Difference, SubjectKind, Table};
use super::gateway::{self, ReplayedGateway};
use super::key::{self, ReplayedKey, ReplayedRevocation};
use super::recorded_change::{RecordedChange, TextDigest};
use super::stored::{StoredAccount, StoredCompany, StoredGateway, StoredKey, StoredUser};
use super::user::{self, ReplayedUser};
use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, GatewayId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::NewKey;

/// What the events of a trail say, applied in their order.
#[derive(Debug)]
pub struct Replay {
    companies: Table<CompanyId, ReplayedCompany>,
    users: Table<UserId, ReplayedUser>,
    accounts: Table<ServiceAccountId, ReplayedAccount>,
    keys: Table<KeyId, ReplayedKey>,
    gateways: Table<GatewayId, ReplayedGateway>,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            companies: Table::new(SubjectKind::Company),
            users: Table::new(SubjectKind::User),
            accounts: Table::new(SubjectKind::ServiceAccount),
            keys: Table::new(SubjectKind::ApiKey),
            gateways: Table::new(SubjectKind::Gateway),
        }
    }
}

/// How many rows the events say there are. Deleted users and revoked keys keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    pub companies: usize,
    pub users: usize,
    pub accounts: usize,
    pub keys: usize,
    /// Keys of older versions, whose digest the events do not confirm.
    pub keys_without_fingerprint: usize,
    pub gateways: usize,
}

impl Replay {
    /// Applies the next change.
    pub fn apply(&mut self, change: &RecordedChange) {
        match &change.detail {
            EventDetail::CompanyCreated { after } => {
                if let Some(id) = CompanyId::parse(&change.target_id) {
                    self.companies.insert(id, change.sequence, change.at, ReplayedCompany::new(&after.name));
                }
            }
            EventDetail::CompanyChanged { after, .. } => {
                let company = CompanyId::parse(&change.target_id);
                if let Some(company) = company.and_then(|id| self.companies.change(id, change.sequence)) {
                    *company = company.with(after);
                }
            }
            EventDetail::GatewayAdded { after } => {
                if let Some(id) = GatewayId::parse(&change.target_id) {
                    let gateway = ReplayedGateway { name: TextDigest::of(&after.name), revoked_at: None };
                    self.gateways.insert(id, change.sequence, change.at, gateway);
                }
            }
            EventDetail::GatewayRevoked { .. } => {
                let gateway = GatewayId::parse(&change.target_id);
                if let Some(gateway) = gateway.and_then(|id| self.gateways.change(id, change.sequence)) {
                    gateway.revoked_at = Some(change.at);
                }
            }
            _ => {
                if let Some(id) =
                    UserId::parse(&change.target_id).filter(|_| change.detail.action().starts_with("user."))
                {
                    self.apply_to_user(id, change);
                } else if let Some(id) = KeyId::parse(&change.target_id) {
                    self.apply_to_key(id, change);
                }
            }
        }
    }

    fn apply_to_user(&mut self, id: UserId, change: &RecordedChange) {
        let RecordedChange { sequence, at, .. } = *change;
        if let EventDetail::UserAdded { after } = &change.detail {
            let user = ReplayedUser {
                role: after.role,
                role_set: sequence,
                deleted: None,
                second_factor_since: None,
                second_factor_changed: None,
            };
            return self.users.insert(id, sequence, at, user);
        }
        let Some(user) = self.users.change(id, sequence) else { return };
        match &change.detail {
            EventDetail::UserRoleChanged { after, .. } => (user.role, user.role_set) = (after.role, sequence),
            EventDetail::UserSecondFactorChanged { after, .. } if !after.recovery_codes_renewed => {
                user.second_factor_since = after.second_factor.then_some(at);
                user.second_factor_changed = Some(sequence);
            }
            EventDetail::UserDeleted { .. }
            | EventDetail::UserDeletedKeysHandedOver { .. }
            | EventDetail::UserDeletedKeysRevoked { .. } => {
                user.deleted = Some((at, sequence));
                (user.second_factor_since, user.second_factor_changed) = (None, Some(sequence));
            }
            _ => {}
        }
    }

    fn apply_to_key(&mut self, id: KeyId, change: &RecordedChange) {
        let RecordedChange { sequence, at, by, .. } = *change;
        if let EventDetail::ApiKeyCreated { after } = &change.detail {
            return self.create_key(id, change, after);
        }
        let Some(key) = self.keys.change(id, sequence) else { return };
        match &change.detail {
            EventDetail::ApiKeyDigestRenewed { after } => {
                key.renew_digest(sequence, after.digest_fingerprint, &after.pepper_id);
            }
            EventDetail::ApiKeyHandedOver { after, .. } => (key.owner, key.owner_set) = (Some(after.owner), sequence),
            EventDetail::ApiKeyRenamed { after, .. } => {
                let account = key.account;
                if let Some(account) = self.accounts.change(account, sequence) {
                    (account.name, account.named) = (TextDigest::of(&after.name), sequence);
                }
            }
            EventDetail::ApiKeyDetailsChanged { after, .. } => {
                let account = key.account;
                if let Some(account) = self.accounts.change(account, sequence) {
                    account.set_details(sequence, after);
                }
            }
            EventDetail::ApiKeyRotated { after, .. } => {
                key.rotate(sequence, after.replaced_by, by.and_then(Actor::user), after.ends_at, after.overlap_ends_at);
            }
            EventDetail::ApiKeyExpiryChanged { after, .. } => {
                (key.expires_at, key.expiry_set) = (after.expires_at.map(Timestamp::as_micros), sequence);
            }
            EventDetail::ApiKeyOverlapExtended { after, .. } => {
                key.extend(sequence, after.ends_at, after.overlap_ends_at);
            }
            EventDetail::ApiKeyExpired { after, .. } => {
                // An idle key had a later expiry, or none.
                if after.idle_days.is_some() {
                    key.expires_at = Some(after.ended_at.as_micros());
                }
                key.record_end();
            }
            EventDetail::ApiKeyRevoked { .. } => {
                let (reason, comment) = (change.reason, change.comment);
                key.revoke(ReplayedRevocation { sequence, at, by, reason, comment });
            }
            EventDetail::ApiKeySuperseded { after, .. } => {
                let by = after.rotated_by.or(key.rotated_by()).map(Actor::User);
                let (at, reason) = (after.ended_at.as_micros(), Some(RevocationReason::Superseded));
                key.revoke(ReplayedRevocation { sequence, at, by, reason, comment: None });
                key.record_end();
            }
            _ => {}
        }
    }

    fn create_key(&mut self, id: KeyId, change: &RecordedChange, new: &NewKey) {
        let RecordedChange { sequence, at, by, .. } = *change;
        let creator = by.and_then(Actor::user).or(new.owner);
        // A rotation keeps the owner, unless that user was deleted.
        let owner_of_replaced = new.replaces.and_then(|old| self.keys.get(old)?.value.owner);
        let remaining =
            owner_of_replaced.filter(|owner| self.users.get(*owner).is_some_and(|user| user.value.deleted.is_none()));
        let account = new.service_account_id;
        let key = ReplayedKey {
            account,
            fingerprint: new.digest_fingerprint,
            digest_kind: new.digest_kind.unwrap_or_default(),
            pepper_id: new.pepper_id.as_deref().map(Into::into),
            digest_set: sequence,
            preview: TextDigest::of(&new.preview),
            created_by_type: by.map(Actor::kind),
            created_by: creator,
            owner: remaining.or(creator),
            owner_set: sequence,
            expires_at: new.expires_at.map(Timestamp::as_micros),
            expiry_set: sequence,
            later: None,
        };
        self.keys.insert(id, sequence, at, key);
        if self.accounts.change(account, sequence).is_none() {
            self.accounts.insert(account, sequence, at, ReplayedAccount::new(&new.name, sequence));
        }
        if let Some(purpose) = &new.purpose
            && let Some(account) = self.accounts.change(account, sequence)
        {
            account.set_purpose(sequence, purpose);
        }
    }

    /// Returns the number of all rows that the events account for.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.companies.len() + self.users.len() + self.accounts.len() + self.keys.len() + self.gateways.len()
    }

    #[must_use]
    pub fn counts(&self) -> ReplayCounts {
        ReplayCounts {
            companies: self.companies.len(),
            users: self.users.len(),
            accounts: self.accounts.len(),
            keys: self.keys.len(),
            keys_without_fingerprint: self.keys.values().filter(|key| key.fingerprint.is_none()).count(),
            gateways: self.gateways.len(),
        }
    }

    pub fn compare_company(&mut self, stored: &StoredCompany) -> Vec<Difference> {
        let id = CompanyId::parse(&stored.id);
        self.companies.compare(&stored.id, id, |row, comparison| company::compare(row, stored, comparison))
    }

    pub fn compare_user(&mut self, stored: &StoredUser) -> Vec<Difference> {
        let id = UserId::parse(&stored.id);
        self.users.compare(&stored.id, id, |row, comparison| user::compare(row, stored, comparison))
    }

    pub fn compare_account(&mut self, stored: &StoredAccount) -> Vec<Difference> {
        let id = ServiceAccountId::parse(&stored.id);
        self.accounts.compare(&stored.id, id, |row, comparison| account::compare(row, stored, comparison))
    }

    /// Compares a key. `pepper_id` is that of the installation.
    pub fn compare_key(&mut self, stored: &StoredKey, pepper_id: &str) -> Vec<Difference> {
        let id = KeyId::parse(&stored.id);
        self.keys.compare(&stored.id, id, |row, comparison| key::compare(row, stored, pepper_id, comparison))
    }

    pub fn compare_gateway(&mut self, stored: &StoredGateway) -> Vec<Difference> {
        let id = GatewayId::parse(&stored.id);
        self.gateways.compare(&stored.id, id, |row, comparison| gateway::compare(row, stored, comparison))
    }

    /// Returns what the first `size` events created and no compared row was.
    #[must_use]
    pub fn missing(&self, size: i64) -> Vec<Difference> {
        [
            self.companies.missing(size),
            self.users.missing(size),
            self.accounts.missing(size),
            self.keys.missing(size),
            self.gateways.missing(size),
        ]
        .concat()
    }
}
