//! What a server says of a secrets file that does not belong to its database.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::process::Output;

use super::{active_set, add_set, rotate, wait_until};
use crate::cli::{run, text};
use crate::support::{TestServer, database};

fn listed(server: &TestServer) -> Output {
    run(server.folder.path(), &server.database_url, &["gateway", "list"], "")
}

fn sets(file: &str) -> Vec<serde_json::Value> {
    serde_json::from_str::<serde_json::Value>(file).unwrap()["sets"].as_array().unwrap().clone()
}

fn with_sets(sets: &[serde_json::Value]) -> String {
    serde_json::json!({ "sets": sets }).to_string()
}

#[test]
fn a_foreign_an_edited_and_a_missing_set_are_named() {
    let server = TestServer::start();
    let second = rotate(&[&server]);
    let path = server.folder.path().join("secrets");
    let genuine = fs::read_to_string(&path).unwrap();
    let own = sets(&genuine);
    let elsewhere = TestServer::start();
    let foreign = sets(&fs::read_to_string(elsewhere.folder.path().join("secrets")).unwrap()).remove(0);
    let foreign_id = active_set(&elsewhere);
    let mut edited = own.clone();
    edited[1]["cookie_key"] = foreign["cookie_key"].clone();
    let missing = format!("lacks the set {second}, which is active");
    for (content, words) in [
        (with_sets(&[own[0].clone(), foreign.clone()]), format!("The set {foreign_id} in the secrets file")),
        (with_sets(&edited), "The cookie key (cookie_key) in".to_owned()),
        (with_sets(&own[1..]), missing),
        (with_sets(&[foreign]), "belongs to another database".to_owned()),
        (with_sets(&[own[0].clone(), own[0].clone()]), format!("it holds the set {second} twice")),
        (with_sets(&[]), "it holds no secrets".to_owned()),
    ] {
        fs::write(&path, content).unwrap();
        let refused = listed(&server);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(&words), "{words}: {}", text(&refused.stderr));
    }
    fs::write(&path, &genuine).unwrap();
    assert!(listed(&server).status.success());
}

#[test]
fn a_running_server_keeps_its_secrets_if_the_file_becomes_useless() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let path = server.folder.path().join("secrets");
    let genuine = fs::read_to_string(&path).unwrap();
    fs::write(&path, "{").unwrap();
    assert_eq!(server.whoami(&key), 200);
    fs::write(&path, &genuine).unwrap();
    let second = add_set(&server);
    wait_until("the set is active", || active_set(&server) == second);
    assert_eq!(server.whoami(&key), 200);
}

#[test]
fn rotations_at_the_same_time_add_a_set_each() {
    let server = TestServer::start();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| add_set(&server));
        }
    });
    let file = fs::read_to_string(server.folder.path().join("secrets")).unwrap();
    assert_eq!(sets(&file).len(), 4);
    assert_eq!(database::count(&server.database_url, "secret_sets", "retired_at IS NULL"), 4);
}

#[test]
fn a_file_that_root_provides_is_to_be_replaced_at_its_source() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let server = TestServer::start();
    let path = server.folder.path().join("secrets");
    if fs::metadata(&path).unwrap().uid() != 0 {
        return;
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let refused = super::refusal(&server, &["secrets", "rotate"]);
    assert!(refused.contains("replace the Secret"), "{refused}");
    assert_eq!(database::count(&server.database_url, "secret_sets", "retired_at IS NULL"), 1);
}

#[test]
fn a_backup_from_before_a_rotation_is_restored_with_the_present_file() {
    let server = TestServer::start();
    if database::postgres().is_some() {
        return;
    }
    let (_, key) = server.admin().create_key("ERP Sync");
    let folder = server.folder.path();
    let backup = folder.join("backup");
    super::keydesk(&server, &["backup", backup.to_str().unwrap()]);
    let second = rotate(&[&server]);
    let restored = tempfile::tempdir().unwrap();
    let target = restored.path().join("data");
    fs::DirBuilder::new().mode(0o700).create(&target).unwrap();
    fs::copy(folder.join("secrets"), target.join("secrets")).unwrap();
    let output = crate::cli::keydesk(&target).args(["restore", backup.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let url = format!("sqlite://{}", target.join("keydesk.db").display());
    let status = || super::keydesk_in(&target, &url, &["secrets", "status"]);
    assert!(status().contains(&format!("{second}\tpending")), "{}", status());
    let serving = crate::cli::Serving::start(crate::cli::keydesk(&target), 1);
    assert_eq!(serving.browser().bearer("/v1/whoami", &key).status, 200);
    wait_until("the set is active in the restored database", || status().contains(&format!("{second}\tactive")));
    assert_eq!(serving.browser().bearer("/v1/whoami", &key).status, 200);
}
