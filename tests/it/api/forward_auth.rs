//! Forward authentication for proxies.

use super::{UNKNOWN, comparable};
use crate::support::{TestServer, browser, database};

const PATH: &str = "/v1/forward-auth";

#[test]
fn a_valid_key_is_answered_with_identity_headers() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("Łódź / ERP 100%");
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"] {
        for path in
            [PATH, "/v1/forward-auth/", "/v1/forward-auth/orders/7?page=2", "/v1/forward-auth;x=1", "/v1/forward-auth*"]
        {
            let request = server.anonymous().request(method, path).bearer_auth(&key);
            let answer = browser::send(request).expect(200);
            assert_eq!(answer.header("x-keydesk-key-id"), id);
            assert_eq!(answer.header("x-keydesk-company"), server.company("Brightwater").to_string());
            assert_eq!(answer.header("x-keydesk-company-name"), "Brightwater");
            assert_eq!(answer.header("x-keydesk-service-account-name"), "%C5%81%C3%B3d%C5%BA%20%2F%20ERP%20100%25");
            assert_eq!(answer.header("x-keydesk-service-account").len(), 36);
            assert!(answer.body.is_empty());
        }
    }
}

#[test]
fn forward_auth_refuses_like_whoami() {
    let server = TestServer::start();
    let refused = comparable(&server.anonymous().bearer("/v1/whoami", UNKNOWN));
    for path in [
        PATH,
        "/v1/forward-auth/a/b",
        "/v1/forward-auth/%00",
        "/v1/forward-auth/..%2f",
        "/v1/forward-auth;x=1",
        "/v1/forward-auth;x=1/a",
        "/v1/forward-auth%2f",
        "/v1/forward-auth%3bx",
        "/v1/forward-auth.",
    ] {
        assert_eq!(comparable(&server.anonymous().bearer(path, UNKNOWN)), refused, "{path}");
        assert_eq!(comparable(&server.anonymous().get(path)), refused, "{path}");
    }
    let large = server.anonymous().request("POST", PATH).header("Content-Type", "text/plain").body("x".repeat(100_000));
    assert_eq!(browser::send(large).expect(401).body, refused.2);
    let (_, key) = server.admin().create_key("ERP Sync");
    database::tamper(&server.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    let unavailable = server.anonymous().bearer(PATH, &key).expect(503);
    assert_eq!(unavailable.header("retry-after"), "1");
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO api_keys");
    server.anonymous().bearer(PATH, &key).expect(200);
}
