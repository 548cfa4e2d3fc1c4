//! Nothing is wrong.

use std::fs;
use std::process::Command;

use keydesk::server::doctor::Subject;

use super::{NO_SERVER, address, examine, serve};
use crate::cli::{called_by, keydesk_at, text};
use crate::support::database;

#[test]
fn an_installation_with_a_running_server_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let serving = serve(folder.path(), &url, &[]);
    serving.set_up().create_key("ERP Sync");
    let examined = examine(folder.path(), &url, &address(&serving), &[]);
    assert_eq!(examined.code, 0, "{}", examined.lines);
    let labels: Vec<&str> = examined.lines.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(labels, Subject::ALL.map(Subject::label), "a line for each subject");
    for line in ["files: good", "changes: good", "server: good", "disk: good", "background check: good. The first"] {
        assert!(examined.lines.lines().any(|own| own.starts_with(line)), "{line}: {}", examined.lines);
    }
    assert_eq!(serving.stop(), 0);
}

#[test]
fn metrics_that_need_a_token_are_asked_for_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let flags = ["--trusted-proxy", "10.0.0.0/8", "--metrics-token", "a-token-for-metrics"];
    let serving = serve(folder.path(), &url, &flags);
    let lines = |flags: &[&str]| examine(folder.path(), &url, &address(&serving), flags).lines;
    let without = lines(&flags[..2]);
    let reason = "not examined: the server shows its metrics with the token of --metrics-token only";
    assert!(without.contains(&format!("proxies: {reason}")), "{without}");
    assert!(lines(&flags).contains("proxies: good"));
}

#[test]
fn nothing_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let (url, data) = (database::new_url(&folder), folder.path().join("data"));
    let examined = examine(&data, &url, NO_SERVER, &[]);
    examined.expect(12, "installation: There is no installation: the database");
    assert!(examined.lines.contains("schema: not examined: first mend what is wrong with the installation"));
    assert!(!data.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// As in a container whose file system is read-only.
#[test]
fn a_quick_examination_asks_the_server_and_needs_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let serving = serve(folder.path(), &url, &[]);
    let (address, container) = (address(&serving), tempfile::tempdir().unwrap());
    let quick = || {
        let mut program = keydesk_at("data".as_ref(), &address);
        program.args(["doctor", "--quick"]);
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]);
        command.arg("mount -t tmpfs -o ro tmpfs \"$0\" && cd \"$0\" && exec \"$@\"").arg(container.path());
        let output = called_by(command, &program).output().unwrap();
        (output.status.code(), text(&output.stdout))
    };
    let (code, line) = quick();
    assert!(code == Some(0) && line.starts_with("server: good") && line.lines().count() == 1, "{line}");
    assert_eq!(serving.stop(), 0);
    let (code, line) = quick();
    let named = format!("server: No server answers at http://{address}: nothing listens there.");
    assert!(code == Some(19) && line.starts_with(&named), "{line}");
}

#[test]
fn the_exit_codes_are_documented() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/operating.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| 1") || line.starts_with("| 2")).collect();
    for subject in Subject::ALL {
        let row = format!("| {} | {} | ", subject.exit_code(), subject.label());
        assert!(rows.iter().any(|own| own.starts_with(&row)), "{row}: {rows:?}");
    }
    // And those of every command.
    assert_eq!(rows.len(), Subject::ALL.len() + 1, "{rows:?}");
}
