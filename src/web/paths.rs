//! Where the pages are.

/// The API Keys page, and the beginning of every path below it.
pub const API_KEYS: &str = "/administration/company-settings/api-keys";
/// Where the Add API Key form is.
pub const ADD_API_KEY: &str = "/administration/company-settings/api-keys/new";
/// The audit trail of API keys as a page.
pub const KEY_AUDIT_TRAIL: &str = "/administration/company-settings/api-keys/audit-trail";
/// One key's revocation.
pub const REVOKE_API_KEY: &str = "/administration/company-settings/api-keys/{id}/revoke";
/// Signing in.
pub const SIGN_IN: &str = "/sign-in";
/// Signing out.
pub const SIGN_OUT: &str = "/sign-out";
/// The first company and its admin.
pub const SETUP: &str = "/setup";

/// The page whose form is sent to `path`, which is where somebody goes on who had to sign in first.
#[must_use]
pub fn form_page(path: &str) -> &str {
    match path {
        API_KEYS => ADD_API_KEY,
        SIGN_OUT => API_KEYS,
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
