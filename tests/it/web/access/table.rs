//! Every route, and what each caller gets there.

use self::Gets::{Is, Leads, Own, OwnLeads, SignIn, To};

/// What a caller gets; `{id}` in a place stands for the id that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gets {
    /// This status, whatever the id.
    Is(u16),
    /// This status for an id of one's own, 404 for every other.
    Own(u16),
    /// 303 to exactly this place, whatever the id.
    To(&'static str),
    /// 303 to this path, with whatever query.
    Leads(&'static str),
    /// The same for an id of one's own, 404 for every other.
    OwnLeads(&'static str),
    /// 303 to sign-in, which goes on to this place.
    SignIn(&'static str),
}

const FACTOR: &str = "/account/second-factor";

/// Method, path, and what these get: whoever is signed out, an auditor, an admin (of this or of another company), an
/// admin whose company requires a second factor and who has none. Forms are sent empty. `K` and `U` are the contract's.
#[rustfmt::skip]
pub(super) const TABLE: [(&str, &str, Gets, Gets, Gets, Gets); 56] = [
    ("GET", "/", To("/sign-in"), To("K"), To("K"), To("K")),
    ("GET", "/setup", Is(404), Is(404), Is(404), Is(404)),
    ("POST", "/setup", Is(404), Is(404), Is(404), Is(404)),
    ("GET", "/sign-in", Is(200), To("K"), To("K"), To("K")),
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
    ("POST", "/account/sessions/end-others", SignIn("/account"), Leads("/account"), Leads("/account"), To(FACTOR)),
    ("POST", "/account/sessions/{id}/end", SignIn("/account"), OwnLeads("/account"), OwnLeads("/account"), To(FACTOR)),
    ("GET", "K", SignIn("K"), Is(200), Is(200), To(FACTOR)),
    ("GET", "K?audit=open&key={id}", SignIn("K?audit=open&key={id}"), Own(200), Own(200), To(FACTOR)),
    ("POST", "K", SignIn("K/new"), Is(403), Is(422), To(FACTOR)),
    ("GET", "K/new", SignIn("K/new"), Is(403), Is(200), To(FACTOR)),
    ("GET", "K/audit-trail", SignIn("K/audit-trail"), Is(200), Is(200), To(FACTOR)),
    ("GET", "K/audit-trail?key={id}", SignIn("K/audit-trail?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "K/{id}/revoke", SignIn("K/{id}/revoke"), Is(403), Own(200), To(FACTOR)),
    ("POST", "K/{id}/revoke", SignIn("K/{id}/revoke"), Is(403), OwnLeads("K"), To(FACTOR)),
    ("GET", "K/revoke", SignIn("K/revoke"), Is(403), Is(422), To(FACTOR)),
    ("GET", "K/revoke?key={id}", SignIn("K/revoke?key={id}"), Is(403), Own(200), To(FACTOR)),
    ("POST", "K/revoke", SignIn("K/revoke"), Is(403), Is(422), To(FACTOR)),
    ("POST", "K/identify", SignIn("K"), Is(422), Is(422), To(FACTOR)),
    ("GET", "K/{id}", SignIn("K/{id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "K/{id}/edit", SignIn("K/{id}/edit"), Is(403), Own(200), To(FACTOR)),
    ("POST", "K/{id}/edit", SignIn("K/{id}/edit"), Is(403), Own(422), To(FACTOR)),
    ("GET", "K/{id}/rotate", SignIn("K/{id}/rotate"), Is(403), Own(200), To(FACTOR)),
    ("POST", "K/{id}/rotate", SignIn("K/{id}/rotate"), Is(403), Own(422), To(FACTOR)),
    ("POST", "K/{id}/overlap", SignIn("K/{id}"), Is(403), Own(422), To(FACTOR)),
    ("GET", "T", SignIn("T"), Is(200), Is(200), To(FACTOR)),
    ("GET", "T?key={id}", SignIn("T?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "T/{id}", SignIn("T/{id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "T/export.csv", SignIn("T/export.csv"), Is(200), Is(200), To(FACTOR)),
    ("GET", "T/export.csv?key={id}", SignIn("T/export.csv?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "T/export.jsonl", SignIn("T/export.jsonl"), Is(200), Is(200), To(FACTOR)),
    ("GET", "T/export.jsonl?key={id}", SignIn("T/export.jsonl?key={id}"), Own(200), Own(200), To(FACTOR)),
    ("GET", "T/export.jsonl?since=9999", SignIn("T/export.jsonl?since=9999"), Is(422), Is(422), To(FACTOR)),
    ("GET", "P", SignIn("P"), Is(200), Is(200), To(FACTOR)),
    ("POST", "P", SignIn("P"), Is(403), Is(422), To(FACTOR)),
    ("GET", "T/checkpoint", SignIn("T/checkpoint"), Is(200), Is(200), To(FACTOR)),
    ("GET", "T/public-key", SignIn("T/public-key"), Is(200), Is(200), To(FACTOR)),
    ("GET", "U", SignIn("U"), Is(200), Is(200), To(FACTOR)),
    ("POST", "U", SignIn("U/new"), Is(403), Is(422), To(FACTOR)),
    ("GET", "U/new", SignIn("U/new"), Is(403), Is(200), To(FACTOR)),
    ("GET", "U/{id}/role", SignIn("U/{id}/role"), Is(403), Own(200), To(FACTOR)),
    ("POST", "U/{id}/role", SignIn("U/{id}/role"), Is(403), Own(422), To(FACTOR)),
    ("GET", "U/{id}/delete", SignIn("U/{id}/delete"), Is(403), Own(200), To(FACTOR)),
    ("POST", "U/{id}/delete", SignIn("U/{id}/delete"), Is(403), OwnLeads("U"), To(FACTOR)),
    ("POST", "U/{id}/invitation", SignIn("U"), Is(403), Own(201), To(FACTOR)),
    ("GET", "/assets/{file}", Own(200), Own(200), Own(200), Own(200)),
];
