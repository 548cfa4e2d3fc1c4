//! Where the pages are.

use crate::config::PublicUrl;
use crate::domain::token::Token;

/// The API Keys page, and the beginning of every path below it.
pub const API_KEYS: &str = "/administration/company-settings/api-keys";
/// Where the Add API Key form is.
pub const ADD_API_KEY: &str = "/administration/company-settings/api-keys/new";
/// The audit trail of API keys as a page.
pub const KEY_AUDIT_TRAIL: &str = "/administration/company-settings/api-keys/audit-trail";
/// One key.
pub const API_KEY: &str = "/administration/company-settings/api-keys/{id}";
/// One key's name and owner.
pub const EDIT_API_KEY: &str = "/administration/company-settings/api-keys/{id}/edit";
/// One key's rotation.
pub const ROTATE_API_KEY: &str = "/administration/company-settings/api-keys/{id}/rotate";
/// The end of a key that another one takes the place of.
pub const KEY_OVERLAP: &str = "/administration/company-settings/api-keys/{id}/overlap";
/// Several keys' revocation.
pub const REVOKE_API_KEYS: &str = "/administration/company-settings/api-keys/revoke";
/// Which key is this.
pub const IDENTIFY_API_KEY: &str = "/administration/company-settings/api-keys/identify";
/// One key's revocation.
pub const REVOKE_API_KEY: &str = "/administration/company-settings/api-keys/{id}/revoke";
/// The Audit Trail page, and the beginning of every path below it.
pub const AUDIT_TRAIL: &str = "/administration/company-settings/audit-trail";
/// What is filtered there, as JSON Lines with proofs.
pub const EXPORT_JSON_LINES: &str = "/administration/company-settings/audit-trail/export.jsonl";
/// The same as comma-separated values.
pub const EXPORT_CSV: &str = "/administration/company-settings/audit-trail/export.csv";
/// The latest checkpoint of the company's trail.
pub const CHECKPOINT: &str = "/administration/company-settings/audit-trail/checkpoint";
/// The public key that checkpoints are signed with.
pub const CHECKPOINT_KEY: &str = "/administration/company-settings/audit-trail/public-key";
/// One event.
pub const EVENT: &str = "/administration/company-settings/audit-trail/{id}";
/// The users of the company, and the beginning of every path below it.
pub const USERS: &str = "/administration/access-control/users";
/// Where the Add user form is.
pub const ADD_USER: &str = "/administration/access-control/users/new";
/// One user's role.
pub const USER_ROLE: &str = "/administration/access-control/users/{id}/role";
/// One user's deletion.
pub const DELETE_USER: &str = "/administration/access-control/users/{id}/delete";
/// A new link for one user.
pub const USER_INVITATION: &str = "/administration/access-control/users/{id}/invitation";
/// The company's own settings.
pub const KEY_POLICY: &str = "/administration/company-settings/key-policy";
/// Where a link leads that lets somebody choose a password.
pub const INVITATION: &str = "/invitation";
/// One's own name, preferences, password and sessions.
pub const ACCOUNT: &str = "/account";
/// One's own password.
pub const OWN_PASSWORD: &str = "/account/password";
/// One's own second factor.
pub const SECOND_FACTOR: &str = "/account/second-factor";
const SESSIONS: &str = "/account/sessions/";
/// The end of one's other sessions.
pub const END_OTHER_SESSIONS: &str = "/account/sessions/end-others";
/// The end of one of one's sessions.
pub const END_SESSION: &str = "/account/sessions/{id}/end";
/// The code of a second factor.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
/// Signing in.
pub const SIGN_IN: &str = "/sign-in";
/// Signing out.
pub const SIGN_OUT: &str = "/sign-out";
/// The first company and its admin.
pub const SETUP: &str = "/setup";

/// The link by which somebody chooses a password.
#[must_use]
pub fn invitation_link(public_url: &PublicUrl, token: &Token) -> String {
    format!("{}{INVITATION}?token={}", public_url.as_str(), token.reveal())
}

/// The page whose form is sent to `path`, which is where somebody goes on who had to sign in first.
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
        invitation if invitation.starts_with(USERS) && invitation.ends_with("/invitation") => USERS,
        other => other,
    }
}

/// Whether a redirect may lead to `path` after sign-in: a path on this server and nothing that a browser reads as
/// another one (`//host`, `/\host`, control characters that it drops).
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
    fn only_paths_of_this_server_are_local() {
        for local in ["/", API_KEYS, "/administration?tab=revoked&q=a%20b"] {
            assert!(is_local(local), "{local}");
        }
        for elsewhere in [
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
            assert!(!is_local(elsewhere), "{elsewhere}");
        }
    }
}
