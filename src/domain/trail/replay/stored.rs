//! Rows as they are stored. Their values are not parsed: a row that was changed may hold anything.

/// A row of `companies`.
#[derive(Clone, Debug)]
pub struct StoredCompany {
    pub id: String,
    pub name: String,
    pub name_folded: String,
    pub created_at: i64,
    pub require_second_factor: bool,
    pub default_expiry_days: Option<i32>,
    pub maximum_lifetime_days: Option<i32>,
    pub rotation_period_days: Option<i32>,
    pub default_expiry_reason: Option<String>,
    pub maximum_lifetime_reason: Option<String>,
    pub rotation_period_reason: Option<String>,
    pub idle_end_days: Option<i32>,
    pub idle_end_reason: Option<String>,
}

/// A row of `users`, without personal data.
#[derive(Clone, Debug)]
pub struct StoredUser {
    pub id: String,
    pub role: String,
    pub created_at: i64,
    pub deleted_at: Option<i64>,
    /// Since when the user has a second factor.
    pub second_factor_since: Option<i64>,
}

/// A row of `service_accounts`.
#[derive(Clone, Debug)]
pub struct StoredAccount {
    pub id: String,
    pub name: String,
    pub name_folded: String,
    pub created_at: i64,
    pub purpose: String,
    pub department: String,
    pub contact: String,
}

/// A row of `api_keys`.
#[derive(Clone, Debug)]
pub struct StoredKey {
    pub id: String,
    pub service_account_id: String,
    pub digest: Vec<u8>,
    pub digest_kind: String,
    pub pepper_id: String,
    pub preview: String,
    pub preview_folded: String,
    pub created_at: i64,
    pub created_by_type: String,
    pub created_by: String,
    pub owner: String,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub revoked_by_type: Option<String>,
    pub revoked_by: Option<String>,
    pub revocation_reason: Option<String>,
    pub revocation_comment: Option<String>,
    pub replaced_by: Option<String>,
    pub rotated_by: Option<String>,
    pub overlap_ends_at: Option<i64>,
    pub overlap_extended: bool,
    pub end_recorded: bool,
    pub ended_at: i64,
    pub refused_from: i64,
}

/// A row of `gateways`.
#[derive(Clone, Debug)]
pub struct StoredGateway {
    pub id: String,
    pub name: String,
    pub name_folded: String,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
}
