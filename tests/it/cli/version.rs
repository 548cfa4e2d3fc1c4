//! The version and the commit of a build.

#[path = "../../../build/commit.rs"]
mod commit;

use std::fs;
use std::path::Path;
use std::process::Command;

use commit::Sources;
use keydesk::build_info;

use super::{Serving, keydesk, text};

fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=T", "-c", "user.email=t@example.com"]);
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// A repository with one commit.
fn repository(folder: &Path) {
    fs::create_dir_all(folder.join("build")).unwrap();
    for file in ["build/commit.txt", ".gitattributes"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), folder.join(file)).unwrap();
    }
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "One"]);
}

#[test]
fn the_program_names_its_version_and_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let output = keydesk(folder.path()).arg("--version").output().unwrap();
    assert_eq!(text(&output.stdout), format!("keydesk {}\n", build_info::DESCRIPTION));
    let (version, commit) = build_info::DESCRIPTION.split_once(" (").unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let commit = commit.strip_suffix(')').unwrap();
    let is_hash = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if cfg!(debug_assertions) {
        assert_eq!(commit, "development", "a commit would compile development builds again");
    } else {
        assert!(is_hash || commit == "unknown", "{commit}");
    }
    let serving = Serving::start(keydesk(folder.path()), 2);
    let started = format!("version=\"{version}\" commit=\"{commit}\"");
    assert!(serving.log().contains(&started), "{}", serving.log());
    let metrics = serving.browser().get("/metrics").body;
    let info = format!("keydesk_build_info{{version=\"{version}\",commit=\"{commit}\"}} 1");
    assert!(metrics.contains(&info), "{metrics}");
}

#[test]
fn a_repository_names_its_commit_and_the_files_that_change_with_it() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    let contents = |sources: &Sources| sources.files.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>();
    let head = || git(folder.path(), &["rev-parse", "HEAD"])[..12].to_owned();
    let first = Sources::of(folder.path());
    let before = contents(&first);
    assert_eq!(first.commit, Some(head()));
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "Two"]);
    assert_ne!(contents(&first), before, "the build does not notice the commit");
    let second = Sources::of(folder.path());
    assert_eq!(second.commit, Some(head()));
    assert_ne!(second.commit, first.commit);
    let before = contents(&second);
    git(folder.path(), &["checkout", "--quiet", "--detach", "HEAD~1"]);
    assert_ne!(contents(&second), before, "the build does not notice the checkout");
    assert_eq!(Sources::of(folder.path()).commit, first.commit);
}

#[test]
fn an_archive_names_its_commit_without_git() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    // Inside a repository that has other sources.
    let archive = folder.path().join("unpacked");
    fs::create_dir(&archive).unwrap();
    let packed = archive.join("sources.tar");
    git(folder.path(), &["archive", "--format", "tar", "--output", packed.to_str().unwrap(), "HEAD"]);
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "Two"]);
    assert!(Command::new("tar").arg("-xf").arg(&packed).arg("-C").arg(&archive).status().unwrap().success());
    let first = git(folder.path(), &["rev-parse", "HEAD~1"])[..12].to_owned();
    assert_eq!(Sources::of(&archive), Sources { commit: Some(first), files: Vec::new() });
    // Sources that were copied name none.
    let copied = tempfile::tempdir().unwrap();
    assert_eq!(Sources::of(copied.path()), Sources::default());
    fs::create_dir(copied.path().join("build")).unwrap();
    fs::copy(folder.path().join("build/commit.txt"), copied.path().join("build/commit.txt")).unwrap();
    assert_eq!(Sources::of(copied.path()), Sources::default());
}
