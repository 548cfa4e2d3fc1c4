//! The help of each command: its examples, and the settings that it shows.

use super::{keydesk, run, text};
use crate::support::database;

/// Every command that does something, with the words that call it.
pub fn all_commands() -> Vec<(Vec<String>, clap::Command)> {
    fn collect(command: &clap::Command, words: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
        if !command.has_subcommands() {
            found.push((words.to_vec(), command.clone()));
        }
        for subcommand in command.get_subcommands() {
            collect(subcommand, &[words, &[subcommand.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    collect(&keydesk::cli::command(), &[], &mut found);
    found
}

/// Splits an example as a shell does, as far as the examples need it. Words from a redirection on are left out.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words.into_iter().take_while(|word| !["<", ">", "|"].contains(&word.as_str())).collect()
}

#[test]
fn every_command_has_an_example_that_is_accepted() {
    for (words, command) in all_commands() {
        let help = command.get_after_help().unwrap_or_else(|| panic!("{words:?} has no example")).to_string();
        let examples: Vec<&str> = help.lines().filter(|line| line.starts_with("  keydesk ")).collect();
        assert!(!examples.is_empty(), "{words:?}: {help}");
        for example in examples {
            let example = shell_words(example);
            assert_eq!(example[1..=words.len()], words[..], "{example:?}");
            if let Err(error) = keydesk::cli::command().try_get_matches_from(&example) {
                panic!("{example:?}: {error}");
            }
        }
    }
}

#[test]
fn settings_of_serving_are_shown_by_serving_commands_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (words, _) in all_commands() {
        let output = keydesk(folder.path()).args(&words).arg("--help").output().unwrap();
        let help = text(&output.stdout);
        let serves = ["serve", "demo"].contains(&words[0].as_str());
        for setting in ["--listen", "--trusted-proxy", "--metrics-token", "--checkpoint-webhook", "--allow-plain-http"]
        {
            let examines = ["--listen", "--metrics-token", "--checkpoint-webhook"].contains(&setting);
            let is_shown = serves || (words[0] == "doctor" && examines);
            assert_eq!(help.contains(setting), is_shown, "{words:?} {setting}: {help}");
        }
        assert!(help.contains("--database-url") && help.contains("Example"), "{help}");
    }
}

#[test]
fn hidden_settings_are_accepted_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let added = run(folder.path(), &url, &["company", "add", "--name", "Brightwater"], "");
    assert!(added.status.success());
    let serving = ["--listen", "127.0.0.1:0", "--trusted-proxy", "10.0.0.1", "--metrics-token", "sixteen-letters!"];
    for words in [&["company", "list"][..], &["key", "list"]] {
        let output = run(folder.path(), &url, &[words, &serving].concat(), "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let output = run(folder.path(), &url, &[&serving, words].concat(), "");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let refused = run(folder.path(), &url, &["company", "list", "--listen", "0.0.0.0:0"], "");
    assert!(text(&refused.stderr).contains("--allow-plain-http"), "the flag has its effect");
}
