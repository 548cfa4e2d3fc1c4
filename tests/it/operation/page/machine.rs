//! A folder in which the commands of docs/operating.md are run as they stand there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::blocks::{Block, assert_like, blocks};
use crate::cli::{Serving, text};
use crate::support::{Browser, PASSWORD};

/// Folders of the page. In a command they are below the folder of the test.
const FOLDERS: [&str; 4] = ["/var/lib/keydesk", "/mnt/", "/etc/", "/usr/local/bin"];

/// Starts and stops the program as the unit does.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -eu
pid=$ROOT/service.pid
stop() {
    [[ -e $pid ]] || return 0
    kill -TERM "$(< "$pid")"
    until [[ $(ps -o state= -p "$(< "$pid")") =~ ^(Z.*|)$ ]]; do sleep 0.02; done
    rm "$pid"
}
start() {
    KEYDESK_DATA_DIR=$ROOT/var/lib/keydesk setsid "$ROOT/usr/local/bin/keydesk" >"$ROOT/service.out" 2>>"$ROOT/journal" </dev/null &
    echo $! >"$pid"
    until grep -q '^Listening' "$ROOT/service.out"; do
        kill -0 "$(< "$pid")" || { cat "$ROOT/journal" >&2; exit 1; }
        sleep 0.02
    done
}
[[ $2 == keydesk ]]
case $1 in
stop) stop ;;
start) start ;;
restart) stop && start ;;
*) exit 1 ;;
esac
"#;

/// A machine with Keydesk. Its commands are the page's, section by section and in order.
pub struct Machine {
    root: TempDir,
    address: String,
    replaced: RefCell<Vec<(String, String)>>,
    variables: RefCell<BTreeMap<String, String>>,
    blocks: Vec<Block>,
    /// The open section, and the number of its blocks that were used.
    open: RefCell<String>,
    used: Cell<usize>,
    opened: RefCell<Vec<String>>,
}

impl Machine {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let machine = Self {
            root,
            address,
            replaced: RefCell::default(),
            variables: RefCell::default(),
            blocks: blocks(),
            open: RefCell::default(),
            used: Cell::new(0),
            opened: RefCell::default(),
        };
        for folder in
            ["usr/local/bin", "bin", "work/target/release", "etc/keydesk", "mnt/backups", "mnt/secrets", "mnt/witness"]
        {
            fs::create_dir_all(machine.file(folder)).unwrap();
        }
        for place in ["usr/local/bin/keydesk", "work/target/release/keydesk"] {
            symlink(env!("CARGO_BIN_EXE_keydesk"), machine.file(place)).unwrap();
        }
        fs::write(machine.file("bin/systemctl"), SYSTEMCTL).unwrap();
        fs::set_permissions(machine.file("bin/systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
        machine.set("KEYDESK_LISTEN", &machine.address);
        machine.set("PASSWORD", PASSWORD);
        machine
    }

    /// A file below the folder of the test.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Sets a variable for the commands that follow.
    pub fn set(&self, name: &str, value: &str) {
        self.variables.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    pub fn unset(&self, name: &str) {
        self.variables.borrow_mut().remove(name);
    }

    /// Puts a text of this machine in place of an example's in the blocks that follow.
    pub fn replace(&self, example: &str, own: &str) {
        self.replaced.borrow_mut().push((example.to_owned(), own.to_owned()));
    }

    /// A browser at the address on which servers of this machine listen.
    pub fn browser(&self) -> Browser {
        Browser::new(self.address.parse().unwrap())
    }

    /// Begins with the first block of a section. All of the section before must have been used.
    pub fn open(&self, section: &str) {
        self.close();
        assert!(self.blocks.iter().any(|block| block.section == section), "no block is in “{section}”");
        self.opened.borrow_mut().push(section.to_owned());
        section.clone_into(&mut self.open.borrow_mut());
        self.used.set(0);
    }

    fn close(&self) {
        let open = self.open.borrow();
        let rest = self.blocks.iter().filter(|block| block.section == *open).nth(self.used.get());
        assert!(rest.is_none() || open.is_empty(), "not used: {}", rest.unwrap().name());
    }

    /// Ends the walk. Returns the sections that were opened.
    pub fn finish(self) -> Vec<String> {
        self.close();
        self.opened.take()
    }

    /// The next block of the section, with the texts of this machine.
    fn next(&self, beginning: &str) -> Block {
        let open = self.open.borrow();
        let next = self.blocks.iter().filter(|block| block.section == *open).nth(self.used.get());
        let next = next.unwrap_or_else(|| panic!("“{open}” has no more blocks, such as: {beginning}"));
        assert!(next.text.starts_with(beginning), "not “{beginning}” follows, but {}", next.name());
        self.used.set(self.used.get() + 1);
        let mut block = next.clone();
        block.text = self.own(&block.text);
        block.output = block.output.iter().map(|line| self.own(line)).collect();
        block
    }

    pub fn own(&self, text: &str) -> String {
        let folder = |text: String, folder: &&str| text.replace(*folder, self.file(folder).to_str().unwrap());
        let text = FOLDERS.iter().fold(text.to_owned(), folder);
        self.replaced.borrow().iter().fold(text, |text, (example, own)| text.replace(example, own))
    }

    /// Passes over the next block, which another test runs.
    pub fn pass(&self, beginning: &str) {
        self.next(beginning);
    }

    /// The next block, which is a file.
    pub fn content(&self, beginning: &str) -> String {
        let block = self.next(beginning);
        assert!(block.language != "sh" && block.language != "console", "{}", block.name());
        block.text
    }

    /// Runs the next block, which must succeed and print what the page shows. Returns what it prints.
    pub fn run(&self, beginning: &str) -> String {
        let block = self.next(beginning);
        let output = self.bash(&block.text).output().unwrap();
        self.printed(&block, &output)
    }

    fn printed(&self, block: &Block, output: &Output) -> String {
        assert!(["sh", "console"].contains(&block.language.as_str()), "{}", block.name());
        let printed = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}\n{}\n{printed}{}\n{}",
            block.name(),
            block.text,
            text(&output.stderr),
            self.journal()
        );
        assert_like(block.output.iter().map(String::as_str), &printed);
        printed
    }

    /// Checks the next block, which shows what a reader sees, against what was printed.
    pub fn sees(&self, beginning: &str, printed: &str) {
        let block = self.next(beginning);
        assert_eq!(block.language, "output", "{}", block.name());
        assert_like(block.text.lines(), printed);
    }

    /// Starts the server of the next block, and reads the first lines of its output.
    pub fn serve(&self, beginning: &str, lines: usize) -> Serving {
        let script = self.next(beginning).text;
        // The server takes the place of the shell, so that it gets the signals.
        let last = script.rfind("\nkeydesk").map_or(0, |at| at + 1);
        let (before, server) = script.split_at(last);
        Serving::start(self.bash(&format!("{before}exec {server}")), lines)
    }

    /// Runs the next block. The block after it shows what is printed, which begins like this.
    pub fn sees_after(&self, beginning: &str, printed: &str) {
        let output = self.run(beginning);
        self.sees(printed, &output);
    }

    /// The next block, a transcript whose output the caller judges.
    pub fn transcript(&self, beginning: &str) -> (Command, String) {
        let block = self.next(beginning);
        (self.bash(&block.text), block.output.join("\n"))
    }

    /// Writes the file that the next block, a transcript, shows.
    pub fn write(&self, beginning: &str, path: &str) {
        fs::write(self.file(path), self.next(beginning).output.join("\n") + "\n").unwrap();
    }

    /// The next block as a command that the caller runs.
    pub fn command(&self, beginning: &str) -> Command {
        self.bash(&self.next(beginning).text)
    }

    /// A command of the test, not of the page, which must succeed.
    pub fn prepare(&self, script: &str) -> String {
        let output = self.prepared(script).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}\n{}", self.journal());
        text(&output.stdout)
    }

    /// A command of the test, not of the page, which the caller runs.
    pub fn prepared(&self, script: &str) -> Command {
        self.bash(&self.own(script))
    }

    fn bash(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(self.file("work")).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYDESK_")) {
            command.env_remove(name);
        }
        let litestream = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/litestream/bin");
        let path = [self.file("usr/local/bin"), self.file("bin"), litestream];
        let path = path.map(|folder| folder.to_str().unwrap().to_owned()).join(":");
        command.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap())).env("ROOT", self.root.path());
        command.envs(&*self.variables.borrow());
        command
    }

    /// The log of the service.
    pub fn journal(&self) -> String {
        fs::read_to_string(self.file("journal")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Ok(process) = fs::read_to_string(self.file("service.pid")) {
            let _ = Command::new("kill").args(["-KILL", process.trim()]).status();
        }
    }
}
