//! docs/operating.md: every command in it is run, by a walk through its sections or by another test that is named here.

mod backups;
pub mod blocks;
mod machine;
mod people;
mod postgres;
mod serving;
mod upgrade;

use std::collections::BTreeSet;
use std::path::Path;

use blocks::{Block, blocks, page};
use machine::Machine;

use crate::support::database;

/// The sections that a walk opens. It fails if it leaves a block of them out.
type Sections = &'static [&'static str];

/// Every walk.
const WALKS: [Sections; 7] = [
    serving::SECTIONS,
    backups::SECTIONS,
    backups::LITESTREAM,
    people::SECTIONS,
    upgrade::SECTIONS,
    postgres::SECTIONS,
    postgres::MOVES,
];

/// A block that another test reads from the page and runs.
struct Elsewhere {
    section: &'static str,
    /// How the block begins; empty for all blocks of the section.
    beginning: &'static str,
    file: &'static str,
    /// The words by which the file refers to the block.
    mention: &'static str,
}

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        section: "Install on a server",
        beginning: "",
        file: "tests/deploy/service.py",
        mention: "commands(\"Install on a server\")",
    },
    Elsewhere {
        section: "Run in a container",
        beginning: "",
        file: "tests/deploy/containers.py",
        mention: "commands(\"Run in a container\")",
    },
    Elsewhere {
        section: "Find out what is wrong",
        beginning: "HEALTHCHECK",
        file: "tests/deploy/containers.py",
        mention: "[CMD /usr/local/bin/keydesk doctor --quick]",
    },
    of_backup_test("Back up / PostgreSQL", "archive_mode = on\narchive_command = 'test"),
    of_backup_test("Back up / PostgreSQL", "pg_basebackup"),
    of_backup_test("Back up / PostgreSQL", "[global]"),
    of_backup_test("Back up / PostgreSQL", "archive_mode = on\narchive_command = 'pgbackrest"),
    of_backup_test("Back up / PostgreSQL", "pgbackrest --stanza=keydesk stanza-create"),
    of_backup_test("Back up / PostgreSQL", "pgbackrest --stanza=keydesk backup"),
    of_backup_test("Restore / PostgreSQL", "restore_command"),
    of_backup_test("Restore / PostgreSQL", "mv /mnt/backups/base"),
    of_backup_test("Restore / PostgreSQL", "pgbackrest --stanza=keydesk restore"),
    of_runbook("keydesk secrets rotate"),
    of_runbook("keydesk secrets status"),
    of_runbook("keydesk secrets retire"),
    of_runbook("keydesk audit verify"),
    Elsewhere {
        section: "Upgrade",
        beginning: "keydesk migrate --database-url",
        file: "tests/it/operation/page/postgres.rs",
        mention: "block(\"Upgrade\", \"keydesk migrate --database-url\")",
    },
];

/// A block that is read by its beginning.
const fn of_backup_test(section: &'static str, beginning: &'static str) -> Elsewhere {
    Elsewhere { section, beginning, file: "tests/it/backup/postgres.rs", mention: beginning }
}

/// A command of the section that a test runs whole.
const fn of_runbook(beginning: &'static str) -> Elsewhere {
    let mention = "commands(\"The secrets file has leaked\")";
    Elsewhere { section: "The secrets file has leaked", beginning, file: "tests/it/secrets/runbook.rs", mention }
}

impl Elsewhere {
    fn is_for(&self, block: &Block) -> bool {
        block.section == self.section && block.text.starts_with(self.beginning)
    }
}

/// A walk through some sections, on the kind of database that they are about.
fn walk(sections: Sections, on_postgres: bool, steps: impl FnOnce(&Machine)) {
    if database::postgres().is_some() != on_postgres {
        return;
    }
    let machine = Machine::new();
    steps(&machine);
    assert_eq!(machine.finish(), sections, "the sections of the walk");
}

#[test]
fn every_command_of_the_page_is_run() {
    let walked: Vec<&str> = WALKS.concat();
    for block in blocks().iter().filter(|block| block.is_command()) {
        let is_run = walked.contains(&block.section.as_str()) || ELSEWHERE.iter().any(|entry| entry.is_for(block));
        assert!(is_run, "no test runs {}", block.name());
    }
    assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), walked.len(), "two walks open a section");
}

#[test]
fn every_command_that_is_run_elsewhere_is_mentioned_there() {
    let blocks = blocks();
    for entry in ELSEWHERE {
        let name = format!("“{}”: {}", entry.section, entry.beginning);
        assert!(blocks.iter().any(|block| entry.is_for(block)), "the page has no {name}");
        let file = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(entry.file)).unwrap();
        // In Rust, a line feed is written as an escape.
        let mention = entry.mention.replace('\n', "\\n");
        assert!(file.contains(&mention), "{} does not mention {name}", entry.file);
    }
}

/// A block of commands has a language, so that it is not taken for something that a reader sees.
#[test]
fn what_a_reader_sees_is_no_command() {
    for block in blocks() {
        let known = ["sh", "console", "sql", "ini", "dockerfile", "output"].contains(&block.language.as_str());
        assert!(known, "an unknown language: {}", block.name());
        let first = block.text.split_whitespace().next().unwrap_or_default();
        let is_program = |folder: &str| Path::new(folder).join(first).exists();
        let is_command = ["$", "keydesk", "export", "cd"].contains(&first)
            || ["/bin", "/usr/bin", "/usr/sbin"].into_iter().any(is_program);
        assert!(block.is_command() || !is_command, "a command, not output: {}", block.name());
    }
}

/// Commands in sentences and tables are not run, but each is one of the program.
#[test]
fn commands_in_sentences_exist() {
    let page = page();
    let spans = page.split('`').skip(1).step_by(2).filter(|span| span.starts_with("keydesk ") && !span.contains('\n'));
    let mut count = 0;
    for span in spans {
        // Words in capitals stand for a value.
        let words = span.split_whitespace().filter(|word| !["COMMAND", "…"].contains(word));
        if let Err(error) = keydesk::cli::command().try_get_matches_from(words)
            && !matches!(
                error.kind(),
                clap::error::ErrorKind::MissingRequiredArgument
                    | clap::error::ErrorKind::DisplayHelp
                    | clap::error::ErrorKind::DisplayVersion
                    | clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            )
        {
            panic!("`{span}`: {error}");
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
}
