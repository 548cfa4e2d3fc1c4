//! The OpenAPI document, and schemathesis to check that the endpoints follow it.

use std::path::Path;
use std::process::Command;

use crate::cli::{run, text};
use crate::support::{TestServer, database};

#[test]
fn every_api_endpoint_is_described() {
    let server = TestServer::empty();
    let answer = server.anonymous().get("/v1/openapi.json").expect(200);
    let described: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(described["openapi"], "3.1.0");
    let operations = described["paths"].as_object().unwrap().iter().map(|(path, operations)| {
        let methods: Vec<_> = operations.as_object().unwrap().keys().map(String::as_str).collect();
        format!("{path} {}", methods.join(" "))
    });
    let expected = [
        "/healthz get",
        "/metrics get",
        "/readyz get",
        "/v1/forward-auth delete get head options patch post put trace",
        "/v1/introspect post",
        "/v1/revoke post",
        "/v1/whoami get",
    ];
    assert_eq!(operations.collect::<Vec<_>>(), expected);
    let ids: Vec<_> = answer.body.match_indices(r#""operationId":"forward_auth_"#).collect();
    assert_eq!(ids.len(), 8, "each operation has its own id");
}

#[test]
fn the_description_names_its_licence_server_and_credentials() {
    let server = TestServer::with(&["--public-url", "https://keys.example"], |_| {});
    let answer = server.anonymous().get("/v1/openapi.json").expect(200);
    let described: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(described["info"]["license"]["name"].is_string() && described["info"]["license"]["identifier"].is_string());
    assert_eq!(described["servers"], serde_json::json!([{ "url": "https://keys.example" }]));
    let schemes = |path: &str, method: &str| -> Vec<Vec<String>> {
        let needs = described["paths"][path][method]["security"].as_array().unwrap();
        needs.iter().map(|need| need.as_object().unwrap().keys().cloned().collect()).collect()
    };
    let of = |schemes: &[&str]| schemes.iter().map(|scheme| vec![(*scheme).to_owned()]).collect::<Vec<_>>();
    assert_eq!(schemes("/v1/whoami", "get"), of(&["api_key"]));
    assert_eq!(schemes("/v1/introspect", "post"), of(&["gateway", "gateway_client"]));
    assert_eq!(schemes("/metrics", "get"), [vec![], vec!["metrics_token".to_owned()]]);
    for (path, method) in [("/v1/revoke", "post"), ("/healthz", "get"), ("/readyz", "get")] {
        assert!(schemes(path, method).is_empty(), "{path}");
    }
    for (schema, value) in [("ActiveToken", true), ("InactiveToken", false)] {
        let active = &described["components"]["schemas"][schema]["properties"]["active"];
        assert_eq!(*active, serde_json::json!({ "allOf": [{ "type": "boolean" }], "const": value }));
    }
}

#[test]
fn schemathesis_confirms_the_description() {
    if database::postgres().is_some() {
        // The document does not depend on the database, and one slow run is enough.
        return;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is missing. Run: make target/schemathesis/bin/schemathesis");
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let gateway = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let gateway = text(&gateway.stdout);
    let check = |credential: &str, only: &[&str]| {
        let output = Command::new(&program)
            .args(["run", &server.url("/v1/openapi.json"), "--max-examples", "25", "--seed", "1", "--no-color"])
            .args(["--header", &format!("Authorization: Bearer {}", credential.trim())])
            .args(only)
            .current_dir(server.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    };
    check(&gateway, &["--include-path", "/v1/introspect"]);
    // The endpoint accepts every method, which OpenAPI cannot express.
    check(&key, &["--include-path", "/v1/forward-auth", "--exclude-checks", "unsupported_method"]);
    check(&key, &["--exclude-path", "/v1/introspect", "--exclude-path", "/v1/forward-auth"]);
}
