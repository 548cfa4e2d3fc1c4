//! The paths of the pages.

use crate::config::PublicUrl;
use crate::domain::token::Token;

/// Also the prefix of the paths of single keys.
pub const API_KEYS: &str = "/administration/company-settings/api-keys";
pub const ADD_API_KEY: &str = "/administration/company-settings/api-keys/new";
/// The activity of API keys as a page of its own.
pub const KEY_AUDIT_TRAIL: &str = "/administration/company-settings/api-keys/audit-trail";
pub const EXPORT_API_KEYS: &str = "/administration/company-settings/api-keys/export.csv";
pub const API_KEY: &str = "/administration/company-settings/api-keys/{id}";
pub const EDIT_API_KEY: &str = "/administration/company-settings/api-keys/{id}/edit";
pub const ROTATE_API_KEY: &str = "/administration/company-settings/api-keys/{id}/rotate";
/// Ends or extends the overlap of a key that is being replaced.
pub const KEY_OVERLAP: &str = "/administration/company-settings/api-keys/{id}/overlap";
/// Asks before the overlap of an old key is ended.
pub const END_API_KEY: &str = "/administration/company-settings/api-keys/{id}/end";
pub const REVOKE_API_KEYS: &str = "/administration/company-settings/api-keys/revoke";
/// Finds the key that a pasted secret belongs to.
pub const IDENTIFY_API_KEY: &str = "/administration/company-settings/api-keys/identify";
pub const REVOKE_API_KEY: &str = "/administration/company-settings/api-keys/{id}/revoke";
/// How the company's keys follow good practice.
pub const PRACTICE: &str = "/administration/company-settings/practice";
/// The requests with a key by hour, as CSV.
pub const KEY_USAGE: &str = "/administration/company-settings/api-keys/{id}/usage.csv";
/// Says from where the first request with a key came.
pub const FIRST_REQUEST: &str = "/administration/company-settings/api-keys/{id}/first-request";
const SERVICE_ACCOUNTS: &str = "/administration/company-settings/service-accounts";
pub const SERVICE_ACCOUNT: &str = "/administration/company-settings/service-accounts/{id}";
pub const AUDIT_TRAIL: &str = "/administration/company-settings/audit-trail";
pub const EXPORT_JSON_LINES: &str = "/administration/company-settings/audit-trail/export.jsonl";
pub const EXPORT_CSV: &str = "/administration/company-settings/audit-trail/export.csv";
pub const CHECKPOINT: &str = "/administration/company-settings/audit-trail/checkpoint";
pub const CHECKPOINT_KEY: &str = "/administration/company-settings/audit-trail/public-key";
pub const EVIDENCE: &str = "/administration/company-settings/evidence";
pub const GENERAL: &str = "/administration/company-settings/general";
pub const EVENT: &str = "/administration/company-settings/audit-trail/{id}";
pub const USERS: &str = "/administration/access-control/users";
pub const ADD_USER: &str = "/administration/access-control/users/new";
pub const USER_ROLE: &str = "/administration/access-control/users/{id}/role";
pub const DELETE_USER: &str = "/administration/access-control/users/{id}/delete";
/// Creates a new invitation link for a user.
pub const USER_INVITATION: &str = "/administration/access-control/users/{id}/invitation";
pub const KEY_POLICY: &str = "/administration/company-settings/key-policy";
/// The page of an invitation link, on which a user chooses a password.
pub const INVITATION: &str = "/invitation";
pub const ACCOUNT: &str = "/account";
pub const OWN_PASSWORD: &str = "/account/password";
pub const SECOND_FACTOR: &str = "/account/second-factor";
const SESSIONS: &str = "/account/sessions/";
pub const END_OTHER_SESSIONS: &str = "/account/sessions/end-others";
pub const END_SESSION: &str = "/account/sessions/{id}/end";
pub const SIGN_IN_CODE: &str = "/sign-in/code";
pub const SIGN_IN: &str = "/sign-in";
pub const SIGN_OUT: &str = "/sign-out";
pub const SETUP: &str = "/setup";

#[must_use]
pub fn api_key(id: &str) -> String {
    format!("{API_KEYS}/{id}")
}

#[must_use]
pub fn edit_api_key(id: &str) -> String {
    format!("{API_KEYS}/{id}/edit")
}

#[must_use]
pub fn rotate_api_key(id: &str) -> String {
    format!("{API_KEYS}/{id}/rotate")
}

#[must_use]
pub fn revoke_api_key(id: &str) -> String {
    format!("{API_KEYS}/{id}/revoke")
}

#[must_use]
pub fn end_api_key(id: &str) -> String {
    format!("{API_KEYS}/{id}/end")
}

#[must_use]
pub fn key_overlap(id: &str) -> String {
    format!("{API_KEYS}/{id}/overlap")
}

#[must_use]
pub fn key_usage(id: &str) -> String {
    format!("{API_KEYS}/{id}/usage.csv")
}

#[must_use]
pub fn first_request(id: &str) -> String {
    format!("{API_KEYS}/{id}/first-request")
}

#[must_use]
pub fn service_account(id: &str) -> String {
    format!("{SERVICE_ACCOUNTS}/{id}")
}

#[must_use]
pub fn user_role(id: &str) -> String {
    format!("{USERS}/{id}/role")
}

#[must_use]
pub fn delete_user(id: &str) -> String {
    format!("{USERS}/{id}/delete")
}

#[must_use]
pub fn user_invitation(id: &str) -> String {
    format!("{USERS}/{id}/invitation")
}

#[must_use]
pub fn end_session(id: &str) -> String {
    format!("{SESSIONS}{id}/end")
}

/// The URL that an admin sends to a user.
#[must_use]
pub fn invitation_link(public_url: &PublicUrl, token: &Token) -> String {
    format!("{}{INVITATION}?token={}", public_url.as_str(), token.expose_secret())
}

/// The page with the form that is submitted to `path`. A user who had to sign in before submitting goes there.
#[must_use]
pub fn form_page(path: &str) -> &str {
    match path {
        API_KEYS => ADD_API_KEY,
        USERS => ADD_USER,
        IDENTIFY_API_KEY | SIGN_OUT => API_KEYS,
        OWN_PASSWORD => ACCOUNT,
        sessions if sessions.starts_with(SESSIONS) => ACCOUNT,
        overlap if overlap.starts_with(API_KEYS) && overlap.ends_with("/overlap") => {
            overlap.strip_suffix("/overlap").unwrap_or(API_KEYS)
        }
        other => other,
    }
}

/// Whether a redirect may lead to `path` after sign-in. It must be a path on this server, and must not be one that
/// browsers resolve to another host (`//host`, `/\host`, control characters that they drop).
#[must_use]
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_on_this_server_are_local() {
        for local in ["/", API_KEYS, "/administration?tab=revoked&q=a%20b"] {
            assert!(is_local(local), "{local}");
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "evil",
            "/a b",
            "/é",
        ] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
