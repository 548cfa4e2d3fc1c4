//! The expected answer of every route to every caller.

use self::Expected::{Is, Own, OwnRedirectsTo, RedirectsTo, SignIn, To};

/// The expected answer. `{id}` in a path is the id of the request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// This status for every id.
    Is(u16),
    /// This status for an id of the caller's company, 404 for every other.
    Own(u16),
    /// 303 to exactly this address for every id.
    To(&'static str),
    /// 303 to this path with any query.
    RedirectsTo(&'static str),
    /// 303 to this path for an id of the caller's company, 404 for every other.
    OwnRedirectsTo(&'static str),
    /// 303 to sign-in, which continues to this address.
    SignIn(&'static str),
}

const FACTOR: &str = "/account/second-factor";

/// Method, path, and the answers to a signed-out caller, an auditor, an admin (of this or another company), and to an
/// admin without the second factor that the company requires. Forms are sent empty. `full` expands the first words.
#[rustfmt::skip]
pub(super) const TABLE: [(&str, &str, Expected, Expected, Expected, Expected); 66] = [
    ("GET", "/", To("/sign-in"), To("keys"), To("keys"), To("keys")),
    ("GET", "/setup", Is(404), Is(404), Is(404), Is(404)),
    ("POST", "/setup", Is(404), Is(404), Is(404), Is(404)),
    ("GET", "/sign-in", Is(200), To("keys"), To("keys"), To("keys")),
    ("POST", "/sign-in", Is(422), Is(422), Is(422), Is(422)),
    ("GET", "/sign-in/code", To("/sign-in"), To("/sign-in"), To("/sign-in"), To("/sign-in")),
    ("POST", "/sign-in/code", To("/sign-in"), To("/sign-in"), To("/sign-in"), To("/sign-in")),
    ("POST", "/sign-out", To("/sign-in"), To("/sign-in"), To("/sign-in"), To("/sign-in")),
    ("GET", "/invitation", Is(404), Is(404), Is(404), Is(404)),
    ("POST", "/invitation", Is(404), Is(404), Is(404), Is(404)),
    ("GET", "/account", SignIn("/account"), Is(200), Is(200), To(FACTOR)),
    ("POST", "/account", SignIn("/account"), Is(422), Is(422), To(FACTOR)),
    ("POST", "/account/password", SignIn("/account"), Is(422), Is(422), To(FACTOR)),
    ("GET", FACTOR, SignIn(FACTOR), Is(200), Is(200), Is(200)),
    ("POST", FACTOR, SignIn(FACTOR), Is(422), Is(422), Is(422)),
    ("POST", "/account/sessions/end-others", SignIn("/account"), RedirectsTo("/account"), RedirectsTo("/account"), To(FACTOR)),
    ("POST", "/account/sessions/{id}/end", SignIn("/account"), OwnRedirectsTo("/account"), OwnRedirectsTo("/account"), To(FACTOR)),
    ("GET", "keys", SignIn("keys"), Is(200), Is(200), To(FACTOR)),
    ("GET", "keys?audit=open&key={id}", SignIn("keys?audit=open&key={id}"), Own(200), Own(200), To(FACTOR)),
    ("POST", "keys", SignIn("keys/new"), Is(403), Is(422), To(FACTOR)),
    ("GET", "keys/new", SignIn("keys/new"), Is(403), Is(200), To(FACTOR)),
    ("GET", "keys/audit-trail", SignIn("keys/audit-trail"), Is(200), Is(200), To(FACTOR)),
    ("GET", "keys/audit-trail?key={id}", SignIn("keys/audit-trail?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "keys/{id}/revoke", SignIn("keys/{id}/revoke"), Is(403), Own(200), To(FACTOR)),
    ("POST", "keys/{id}/revoke", SignIn("keys/{id}/revoke"), Is(403), OwnRedirectsTo("keys"), To(FACTOR)),
    ("GET", "keys/revoke", SignIn("keys/revoke"), Is(403), Is(422), To(FACTOR)),
    ("GET", "keys/revoke?key={id}", SignIn("keys/revoke?key={id}"), Is(403), Own(200), To(FACTOR)),
    ("POST", "keys/revoke", SignIn("keys/revoke"), Is(403), Is(422), To(FACTOR)),
    ("POST", "keys/identify", SignIn("keys"), Is(422), Is(422), To(FACTOR)),
    ("GET", "keys/export.csv", SignIn("keys/export.csv"), Is(200), Is(200), To(FACTOR)),
    ("GET", "keys/{id}", SignIn("keys/{id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "keys/{id}/edit", SignIn("keys/{id}/edit"), Is(403), Own(200), To(FACTOR)),
    ("POST", "keys/{id}/edit", SignIn("keys/{id}/edit"), Is(403), Own(422), To(FACTOR)),
    ("GET", "keys/{id}/rotate", SignIn("keys/{id}/rotate"), Is(403), Own(200), To(FACTOR)),
    ("POST", "keys/{id}/rotate", SignIn("keys/{id}/rotate"), Is(403), Own(422), To(FACTOR)),
    ("GET", "keys/{id}/end", SignIn("keys/{id}/end"), Is(403), Own(409), To(FACTOR)),
    ("GET", "keys/{id}/usage.csv", SignIn("keys/{id}/usage.csv"), Own(200), Own(200), To(FACTOR)),
    ("GET", "keys/{id}/first-request", SignIn("keys/{id}/first-request"), Own(204), Own(204), To(FACTOR)),
    ("GET", "accounts/{id}", SignIn("accounts/{id}"), Own(200), Own(200), To(FACTOR)),
    ("POST", "keys/{id}/overlap", SignIn("keys/{id}"), Is(403), Own(422), To(FACTOR)),
    ("GET", "trail", SignIn("trail"), Is(200), Is(200), To(FACTOR)),
    ("GET", "trail?key={id}", SignIn("trail?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "trail/{id}", SignIn("trail/{id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "trail/export.csv", SignIn("trail/export.csv"), Is(200), Is(200), To(FACTOR)),
    ("GET", "trail/export.csv?key={id}", SignIn("trail/export.csv?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "trail/export.jsonl", SignIn("trail/export.jsonl"), Is(200), Is(200), To(FACTOR)),
    ("GET", "trail/export.jsonl?key={id}", SignIn("trail/export.jsonl?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "trail/export.jsonl?since=9999", SignIn("trail/export.jsonl?since=9999"), Is(422), Is(422), To(FACTOR)),
    ("GET", "practice", SignIn("practice"), Is(200), Is(200), To(FACTOR)),
    ("GET", "policy", SignIn("policy"), Is(200), Is(200), To(FACTOR)),
    ("POST", "policy", SignIn("policy"), Is(403), Is(422), To(FACTOR)),
    ("GET", "general", SignIn("general"), Is(200), Is(200), To(FACTOR)),
    ("POST", "general", SignIn("general"), Is(403), Is(422), To(FACTOR)),
    ("GET", "evidence", SignIn("evidence"), Is(200), Is(200), To(FACTOR)),
    ("GET", "trail/checkpoint", SignIn("trail/checkpoint"), Is(200), Is(200), To(FACTOR)),
    ("GET", "trail/public-key", SignIn("trail/public-key"), Is(200), Is(200), To(FACTOR)),
    ("GET", "users", SignIn("users"), Is(200), Is(200), To(FACTOR)),
    ("POST", "users", SignIn("users/new"), Is(403), Is(422), To(FACTOR)),
    ("GET", "users/new", SignIn("users/new"), Is(403), Is(200), To(FACTOR)),
    ("GET", "users/{id}/role", SignIn("users/{id}/role"), Is(403), Own(200), To(FACTOR)),
    ("POST", "users/{id}/role", SignIn("users/{id}/role"), Is(403), Own(422), To(FACTOR)),
    ("GET", "users/{id}/delete", SignIn("users/{id}/delete"), Is(403), Own(200), To(FACTOR)),
    ("POST", "users/{id}/delete", SignIn("users/{id}/delete"), Is(403), OwnRedirectsTo("users"), To(FACTOR)),
    ("GET", "users/{id}/invitation", SignIn("users/{id}/invitation"), Is(403), Own(200), To(FACTOR)),
    ("POST", "users/{id}/invitation", SignIn("users/{id}/invitation"), Is(403), Own(201), To(FACTOR)),
    ("GET", "/assets/{file}", Own(200), Own(200), Own(200), Own(200)),
];
