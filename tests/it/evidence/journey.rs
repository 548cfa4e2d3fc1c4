//! The auditor's walk of `docs/auditing.md`, step by step as it stands there: what is opened, saved, typed and printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use scraper::ElementRef;
use tempfile::TempDir;

use super::{history, python_is_there};
use crate::cli::text;
use crate::support::{Browser, TestServer, browser};

const WALK: &str = include_str!("../../../docs/auditing.md");

/// The lines that are set apart in a section.
fn lines(section: &str) -> Vec<&'static str> {
    let (_, rest) = WALK.split_once(&format!("\n## {section}\n")).unwrap();
    let end = rest.find("\n## ").unwrap_or(rest.len());
    let indented = rest[..end].lines().filter(|line| line.starts_with("    ") && !line.trim().is_empty());
    indented.map(str::trim).collect()
}

/// Opens an address, and saves what it answers where the line says so.
fn open(auditor: &Browser, folder: &Path, line: &str) -> browser::Answer {
    let (address, file) = line.split_once(" → ").map_or((line, None), |(address, file)| (address, Some(file)));
    let answer = auditor.get(address).expect(200);
    if let Some(file) = file {
        assert!(answer.header("content-disposition").starts_with("attachment"), "{line}");
        fs::write(folder.join(file), &answer.body).unwrap();
    }
    answer
}

/// A line as a shell takes it; the programs are found by their names.
fn shell(folder: &Path, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_keydesk")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYDESK_")) {
        command.env_remove(name);
    }
    command.args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// A company with a history, and its auditor, who has kept a checkpoint and the key in a folder.
fn a_week_before() -> (TestServer, Browser, TempDir) {
    python_is_there();
    let server = TestServer::start();
    history(&server);
    let (auditor, mine) = (server.auditor(), tempfile::tempdir().unwrap());
    let kept = lines("A week before: keep a checkpoint");
    assert_eq!(kept.len(), 2);
    for line in kept {
        open(&auditor, mine.path(), line);
    }
    (server, auditor, mine)
}

#[test]
fn an_auditor_who_kept_a_checkpoint_proves_an_answer_offline_as_the_documents_say() {
    let (server, _, mine) = a_week_before();
    let folder = mine.path();
    let kept = fs::read_to_string(folder.join("kept.checkpoint")).unwrap();
    let size = kept.lines().nth(1).unwrap();

    server.wait(Duration::from_hours(7 * 24));
    let (auditor, admin) = (server.auditor_again(), server.admin());
    let (id, _) = admin.create_key("ERP");
    admin.revoke(&id, "compromised", "In a log.").expect(303);

    let [filtered] = lines("Today: find it")[..] else { panic!("one address is opened there") };
    let page = open(&auditor, folder, filtered).html();
    assert!(page.has("tr[data-action='api_key.revoked']") && !page.has("tr[data-action='api_key.created']"));
    let event = page.attribute(&format!("tr[data-key-id='{id}'] a[aria-haspopup=dialog]"), "href");
    let shown = auditor.get(&event).expect(200).html().text("dialog");
    assert!(shown.contains("Compromised") && shown.contains("In a log.") && shown.contains("Before"), "{shown}");
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

    // The server is not asked from here on.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_export.py");
    fs::copy(sources, folder.join("verify_export.py")).unwrap();
    drop(server);
    let typed = lines("Prove it, offline");
    assert_eq!(typed.len(), 8);
    for line in typed {
        let output = shell(folder, line);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{line}: {said}");
        if line.contains("refused") {
            assert!(
                said.contains("does not verify") && said.ends_with("refused\n") | said.starts_with("refused\n"),
                "{line}: {said}"
            );
        } else if line.contains("verify") {
            assert!(!said.contains("does not verify") && said.contains("events"), "{line}: {said}");
        } else if line.starts_with("grep") {
            assert!(said.contains("In a log.") && said.contains("\"proof\":["), "{line}: {said}");
        }
    }
    assert!(!folder.join("data").exists(), "a data folder was made");
}

#[test]
fn an_export_is_connected_afterwards_as_the_documents_say() {
    let (server, auditor, mine) = a_week_before();
    let folder = mine.path();
    history(&server);
    let address = lines("Take it away")[0].replace("&since=SIZE", "");
    open(&auditor, folder, &address);
    let refused = shell(folder, lines("Prove it, offline")[2]);
    let said = text(&refused.stderr);
    let (_, size) = said.trim_end().rsplit_once("--to ").unwrap();
    let [line] = lines("If you forgot the number")[..] else { panic!("one command is typed there") };
    let data = server.folder.path().display().to_string();
    let at_the_server = format!("--data-dir {data} --database-url '{}' > proof.json", server.database_url);
    let line = line.replace("SIZE", size.trim_end_matches('.')).replace("> proof.json", &at_the_server);
    let made = shell(folder, &line);
    assert!(made.status.success(), "{}", text(&made.stderr));
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_export.py"), folder.join("verify_export.py"))
        .unwrap();
    for line in [lines("Prove it, offline")[0], lines("Prove it, offline")[2]] {
        let output = shell(folder, &format!("{line} --consistency proof.json"));
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    }
}
