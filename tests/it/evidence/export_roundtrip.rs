//! Follows the instructions in `docs/auditing.md` step by step.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use scraper::ElementRef;
use tempfile::TempDir;

use super::{add_events, require_python};
use crate::cli::text;
use crate::support::{Browser, TestServer, browser};

const GUIDE: &str = include_str!("../../../docs/auditing.md");

/// The indented lines of a section.
fn lines(section: &str) -> Vec<&'static str> {
    let (_, rest) = GUIDE.split_once(&format!("\n## {section}\n")).unwrap();
    let end = rest.find("\n## ").unwrap_or(rest.len());
    let indented = rest[..end].lines().filter(|line| line.starts_with("    ") && !line.trim().is_empty());
    indented.map(str::trim).collect()
}

/// Opens an address, and saves the answer if the line names a file.
fn open(auditor: &Browser, folder: &Path, line: &str) -> browser::Answer {
    let (address, file) = line.split_once(" → ").map_or((line, None), |(address, file)| (address, Some(file)));
    let answer = auditor.get(address).expect(200);
    if let Some(file) = file {
        assert!(answer.header("content-disposition").starts_with("attachment"), "{line}");
        fs::write(folder.join(file), &answer.body).unwrap();
    }
    answer
}

/// Runs a line in a shell that finds the program by its name.
fn shell(folder: &Path, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_keydesk")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYDESK_")) {
        command.env_remove(name);
    }
    command.args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// A company with events, and its auditor with a kept checkpoint and key in a folder.
fn a_week_before() -> (TestServer, Browser, TempDir) {
    require_python();
    let server = TestServer::start();
    add_events(&server);
    let (auditor, files) = (server.auditor(), tempfile::tempdir().unwrap());
    let kept = lines("A week before: keep a checkpoint");
    assert_eq!(kept.len(), 2);
    for line in kept {
        open(&auditor, files.path(), line);
    }
    (server, auditor, files)
}

#[test]
fn an_export_is_proven_offline_as_documented() {
    let (server, _, files) = a_week_before();
    let folder = files.path();
    let kept = fs::read_to_string(folder.join("kept.checkpoint")).unwrap();
    let size = kept.lines().nth(1).unwrap();

    server.advance(Duration::from_hours(7 * 24));
    let (auditor, admin) = (server.sign_in_auditor(), server.admin());
    let (id, _) = admin.create_key("ERP");
    admin.revoke(&id, "compromised", "In a log.").expect(303);

    let [filtered] = lines("Today: find it")[..] else { panic!("the section has one address") };
    let page = open(&auditor, folder, filtered).html();
    assert!(page.has("tr[data-action='api_key.revoked']") && !page.has("tr[data-action='api_key.created']"));
    let event = page.attribute(&format!("tr[data-key-id='{id}'] a[aria-haspopup=dialog]"), "href");
    let shown = auditor.get(&event).expect(200).html().text("dialog");
    assert!(shown.contains("Compromised") && shown.contains("In a log.") && shown.contains("Before"), "{shown}");
    let with_proof = page.all(".page-actions a")[2].attr("href").unwrap().to_owned();
    let page = auditor.get(&with_proof).expect(200).html();
    let action = page.attribute("form.since", "action");
    let kept = page.all("form.since [type=hidden]").into_iter();
    let pair = |field: ElementRef| format!("{}={}&", field.attr("name").unwrap(), field.attr("value").unwrap());
    let kept: Vec<_> = kept.map(pair).collect();
    let kept = kept.concat();

    let taken = lines("Take it away");
    assert_eq!(taken.len(), 2);
    assert_eq!(format!("{action}?{kept}since=SIZE → revoked.jsonl"), taken[0]);
    for line in taken {
        open(&auditor, folder, &line.replace("SIZE", size));
    }

    // The server is not needed from here on.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_export.py");
    fs::copy(sources, folder.join("verify_export.py")).unwrap();
    drop(server);
    let typed = lines("Prove it, offline");
    assert_eq!(typed.len(), 8);
    for line in typed {
        let output = shell(folder, line);
        let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{line}: {printed}");
        if line.contains("refused") {
            assert!(
                printed.contains("does not verify")
                    && printed.ends_with("refused\n") | printed.starts_with("refused\n"),
                "{line}: {printed}"
            );
        } else if line.contains("verify") {
            assert!(!printed.contains("does not verify") && printed.contains("events"), "{line}: {printed}");
        } else if line.starts_with("grep") {
            assert!(printed.contains("In a log.") && printed.contains("\"proof\":["), "{line}: {printed}");
        }
    }
    assert!(!folder.join("data").exists(), "the command created a data folder");
}

#[test]
fn an_export_is_tied_to_a_checkpoint_later_as_documented() {
    let (server, auditor, files) = a_week_before();
    let folder = files.path();
    add_events(&server);
    let address = lines("Take it away")[0].replace("&since=SIZE", "");
    open(&auditor, folder, &address);
    let refused = shell(folder, lines("Prove it, offline")[2]);
    let printed = text(&refused.stderr);
    let (_, size) = printed.trim_end().rsplit_once("--to ").unwrap();
    let [line] = lines("If you forgot the number")[..] else { panic!("the section has one command") };
    let data = server.folder.path().display().to_string();
    let at_the_server = format!("--data-dir {data} --database-url '{}' > proof.json", server.database_url);
    let line = line.replace("SIZE", size.trim_end_matches('.')).replace("> proof.json", &at_the_server);
    let proof = shell(folder, &line);
    assert!(proof.status.success(), "{}", text(&proof.stderr));
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_export.py"), folder.join("verify_export.py"))
        .unwrap();
    for line in [lines("Prove it, offline")[0], lines("Prove it, offline")[2]] {
        let output = shell(folder, &format!("{line} --consistency proof.json"));
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    }
}
