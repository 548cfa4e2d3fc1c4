//! Starts that are refused, with a sentence that names what is in the way, whose it is and what to do.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;

use super::start::refusal;
use super::{Serving, called_by, keydesk, run, text};
use crate::support::database;

/// The user whom Debian names nobody.
const NOBODY: u32 = 65_534;

/// A folder of the user nobody, with the program in a place that this user may enter.
struct Foreign {
    folder: TempDir,
    program: PathBuf,
}

impl Foreign {
    /// `None` if the test is not run by root, who alone can give files away.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let (data, program) = (folder.path().join("data"), folder.path().join("keydesk"));
        fs::create_dir(&data).unwrap();
        chown(&data, Some(NOBODY), None).ok()?;
        let built = env!("CARGO_BIN_EXE_keydesk");
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
        Some(Self { folder, program })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_in(&self.data(), words)
    }

    fn command_in(&self, data: &Path, words: &[&str]) -> Command {
        let mut named = keydesk(data);
        named.args(words);
        let mut command = Command::new(&self.program);
        command.args(named.get_args()).env_clear().env("KEYDESK_LISTEN", "127.0.0.1:0").uid(NOBODY).gid(NOBODY);
        command
    }

    fn added(&self) {
        let output = self.command(&["company", "add", "--name", "Brightwater"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    fn refusal(&self, words: &[&str]) -> String {
        Self::refusal_of(self.command(words))
    }

    fn refusal_of(mut command: Command) -> String {
        let output = command.output().unwrap();
        let sentence = text(&output.stderr);
        assert_eq!((output.status.code(), sentence.lines().count()), (Some(1), 1), "{sentence}");
        sentence
    }
}

fn give_to_root(path: &Path, mode: u32) {
    chown(path, Some(0), Some(0)).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_of_root_in_a_writable_folder_are_named() {
    let Some(foreign) = Foreign::new() else { return };
    let root = keydesk(&foreign.data()).args(["company", "add", "--name", "Brightwater"]).output().unwrap();
    assert!(root.status.success());
    let chown_all = format!("Run as root: chown -R nobody {}", foreign.data().display());
    for file in ["lock", "secrets", "keydesk.db"] {
        let path = foreign.data().join(file);
        let sentence = foreign.refusal(&[]);
        let named = format!("{} belongs to root (mode 0600), and Keydesk runs as nobody", path.display());
        assert!(sentence.contains(&named) && sentence.contains(&chown_all), "{sentence}");
        chown(&path, Some(NOBODY), None).unwrap();
    }
    assert_eq!(Serving::start(foreign.command(&[]), 2).stop(), 0);
    give_to_root(&foreign.data().join("remembered-checkpoints"), 0o600);
    assert!(foreign.refusal(&[]).contains("remembered-checkpoints belongs to root"));
    // A file that may be read is not enough for a start, and is for a list.
    chown(foreign.data().join("remembered-checkpoints"), Some(NOBODY), None).unwrap();
    give_to_root(&foreign.data().join("keydesk.db"), 0o644);
    assert!(foreign.refusal(&[]).contains("who may not read and write it"));
    let listed = foreign.command(&["company", "list"]).output().unwrap();
    assert!(listed.status.success(), "{}", text(&listed.stderr));
}

#[test]
fn a_folder_that_is_not_writable_is_named_with_its_owner() {
    let Some(foreign) = Foreign::new() else { return };
    foreign.added();
    give_to_root(&foreign.data(), 0o755);
    let data = foreign.data();
    let sentence = foreign.refusal(&[]);
    let named = format!(
        "The data folder {} belongs to root (mode 0755), and Keydesk runs as nobody, who may not write to it.",
        data.display()
    );
    assert!(sentence.starts_with(&named), "{sentence}");
    // A new folder would be created in the nearest one that exists.
    let new = data.join("a/b");
    let sentence = Foreign::refusal_of(foreign.command_in(&new, &[]));
    assert!(sentence.starts_with(&format!("The folder {} belongs to root", data.display())), "{sentence}");
    // The database is elsewhere.
    let closed = foreign.folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    chown(&data, Some(NOBODY), None).unwrap();
    let database = format!("sqlite://{}/keydesk.db", closed.display());
    for words in [&["--database-url", &database][..], &["company", "list", "--database-url", &database]] {
        let sentence = foreign.refusal(words);
        let named =
            format!("{} belongs to root (mode 0700), and Keydesk runs as nobody, who may not ", closed.display());
        assert!(sentence.contains(&named), "{sentence}");
    }
}

#[test]
fn an_own_file_with_a_wrong_mode_is_named() {
    let Some(foreign) = Foreign::new() else { return };
    foreign.added();
    let database = foreign.data().join("keydesk.db");
    fs::set_permissions(&database, Permissions::from_mode(0o400)).unwrap();
    let sentence = foreign.refusal(&[]);
    let run = format!("Run: chmod u+rw {}\n", database.display());
    assert!(sentence.contains("belongs to nobody (mode 0400)") && sentence.ends_with(&run), "{sentence}");
}

#[test]
fn a_read_only_file_system_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = keydesk(folder.path());
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o ro tmpfs \"$0\" && exec \"$@\""]);
    command.arg(folder.path());
    let output = called_by(command, &program).output().unwrap();
    let sentence = text(&output.stderr);
    let named = format!("The data folder {} is on a file system that is mounted read-only.", folder.path().display());
    assert!(output.status.code() == Some(1) && sentence.starts_with(&named), "{sentence}");
}

#[test]
fn a_path_that_is_not_utf8_is_refused_with_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"d\xe9ta"));
    let output = keydesk(&path).output().unwrap();
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence.starts_with("--data-dir leads to \"/") && sentence.contains("d\\xE9ta"), "{sentence}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    for (variable, flag) in [(None, "--database-url"), (Some("KEYDESK_DATABASE_URL"), "KEYDESK_DATABASE_URL")] {
        let url = OsStr::from_bytes(b"postgres://u:hunter2@h/d\xe9ta");
        let mut command = keydesk(folder.path());
        match variable {
            Some(variable) => command.env(variable, url),
            None => command.arg(flag).arg(url),
        };
        let output = command.output().unwrap();
        let sentence = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(sentence.contains(&format!("{flag} is not UTF-8.")) && !sentence.contains("hunter2"), "{sentence}");
    }
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let flags = ["--database-url", url.as_str()];
    let other = "CREATE TABLE companies (name TEXT); INSERT INTO companies VALUES ('Kept')";
    database::tamper(&url, other);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let data = tempfile::tempdir().unwrap();
    for words in [&flags[..], &["company", "list", flags[0], flags[1]]] {
        let sentence = refusal(data.path(), words, &[]);
        assert!(sentence.contains("holds tables of another program, such as “companies”"), "{sentence}");
    }
    // A program that uses the same library for its migrations.
    let migrations = "CREATE TABLE __diesel_schema_migrations (version TEXT, run_on TEXT);
        INSERT INTO __diesel_schema_migrations VALUES ('20200101000000', '')";
    database::tamper(&url, migrations);
    assert!(refusal(data.path(), &flags, &[]).contains("tables of another program"));
    assert_eq!(database::count(&url, "companies", "name = 'Kept'"), 1);
    if database::postgres().is_some() {
        // Programs may share a database if their tables have other names.
        database::tamper(&url, "ALTER TABLE companies RENAME TO firms; DROP TABLE __diesel_schema_migrations");
        let mut command = keydesk(data.path());
        command.args(flags);
        assert_eq!(Serving::start(command, 2).stop(), 0);
    } else {
        let text_file = folder.path().join("text");
        fs::write(&text_file, "no database".repeat(100)).unwrap();
        let url = format!("sqlite://{}", text_file.display());
        let sentence = refusal(data.path(), &["--database-url", &url], &[]);
        assert!(sentence.contains(&format!("The file {} is no SQLite database.", text_file.display())), "{sentence}");
        let url = format!("sqlite://{}", folder.path().display());
        assert!(refusal(data.path(), &["--database-url", &url], &[]).contains("is a folder. Name a file"));
    }
}

#[test]
fn tables_of_litestream_are_accepted() {
    if database::postgres().is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let tables = "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); CREATE TABLE _litestream_lock (id INTEGER)";
    database::tamper(&url, tables);
    assert_eq!(Serving::start(keydesk(folder.path()), 2).stop(), 0);
}

#[test]
fn an_empty_url_is_refused_by_the_name_of_its_flag() {
    let folder = tempfile::tempdir().unwrap();
    for empty in ["", " "] {
        let sentence = refusal(folder.path(), &["--database-url", empty], &[]);
        assert!(sentence.starts_with("--database-url is empty. Give sqlite://"), "{sentence}");
    }
    let sentence = refusal(folder.path(), &["--checkpoint-webhook", ""], &[]);
    assert!(sentence.starts_with("--checkpoint-webhook is not a web address."), "{sentence}");
    for (flag, variable) in [("--public-url", "KEYDESK_PUBLIC_URL"), ("--database-url", "KEYDESK_DATABASE_URL")] {
        // An empty variable is not set.
        let listed = keydesk(folder.path()).args(["company", "list"]).env(variable, "").output().unwrap();
        assert!(text(&listed.stderr).starts_with("There is no installation"), "{flag}");
    }
    assert!(!folder.path().join("lock").exists());
}

#[test]
fn tables_that_the_role_may_not_use_are_named_with_their_owner() {
    if database::postgres().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let owner = database::new_url(&folder);
    assert!(run(folder.path(), &owner, &["company", "add", "--name", "Brightwater"], "").status.success());
    let role = format!("reader_of_{}", owner.rsplit('/').next().unwrap());
    let of_role = owner.replace("keydesk@", &format!("{role}@"));
    let mut connection = PgConnection::establish(&owner).unwrap();
    connection.batch_execute(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    let sentence = refusal(folder.path(), &["--database-url", &of_role], &[]);
    let denied = format!("PostgreSQL does not let the role “{role}” read rows of the table ");
    assert!(sentence.starts_with(&denied) && sentence.contains("which belongs to “keydesk”"), "{sentence}");
    connection.batch_execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).unwrap();
    let sentence = refusal(folder.path(), &["--database-url", &of_role], &[]);
    assert!(sentence.contains("insert rows of the table “events”"), "{sentence}");
    let listed = run(folder.path(), &of_role, &["company", "list"], "");
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    connection.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}
