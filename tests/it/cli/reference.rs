//! Renders `docs/reference.md` from the program's own help, and checks that the file is current.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

const MAX_LINE_WIDTH: usize = 100;

const NOTICE: &str = "<!-- Written by `make reference` from the program's own help. Do not edit. -->";
const SETTINGS: &str = "\
A flag overrides its variable. An empty variable counts as not set. Keydesk refuses a `KEYDESK_…` variable that is not \
in this table, except those that Kubernetes sets for a Service named `keydesk`.";
const COMMANDS: &str = "\
A command exits with 0 when it is done, with 1 when it is refused, and with 2 on wrong usage. On a refusal, one \
sentence on standard error says why. `keydesk doctor` has a code for each kind of trouble. Every command also takes the settings above, and its help shows those that concern it.";

#[test]
fn the_reference_matches_the_help() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let current = reference(keydesk::cli::command());
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differing = current.lines().find(|line| !written.lines().any(|other| other == *line));
    assert!(
        written == current,
        "docs/reference.md is not current: run `make reference` and commit the file. It lacks: {}",
        differing.unwrap_or("nothing, but it has other lines or another order")
    );
}

fn reference(mut program: Command) -> String {
    program.build();
    let about = program.get_long_about().or(program.get_about()).unwrap().to_string();
    let settings = program.get_arguments().filter(|arg| arg.get_env().is_some());
    let commands = leaves(&program);
    let mut page = format!("# Settings and commands\n\n{NOTICE}\n\n{}", wrapped(&about));
    write!(page, "\n## Settings\n\n{}\n{}", wrapped(SETTINGS), table_of_settings(settings)).unwrap();
    write!(page, "\n## Commands\n\n{}\n{}", wrapped(COMMANDS), table_of_commands(&commands)).unwrap();
    for mut command in commands {
        page.push_str(&section(&mut command));
    }
    page
}

/// Returns the commands that do something, in the order of the help.
fn leaves(command: &Command) -> Vec<Command> {
    let own = command.get_subcommands().filter(|command| command.get_name() != "help");
    own.flat_map(|command| if command.has_subcommands() { leaves(command) } else { vec![command.clone()] }).collect()
}

fn table_of_settings<'a>(settings: impl Iterator<Item = &'a Arg>) -> String {
    let mut table = String::from("| flag | variable | default | meaning |\n| --- | --- | --- | --- |\n");
    for arg in settings {
        let variable = arg.get_env().unwrap().to_str().unwrap();
        writeln!(table, "| {} | `{variable}` | {} | {} |", flag(arg), default(arg), meaning(arg)).unwrap();
    }
    table
}

fn table_of_commands(commands: &[Command]) -> String {
    let mut table = String::from("| command | what it does |\n| --- | --- |\n");
    for command in commands {
        let name = name(command);
        writeln!(table, "| [`{name}`](#{}) | {} |", name.replace(' ', "-"), cell(&about(command))).unwrap();
    }
    table
}

fn section(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_long_about().map_or_else(|| about(command), ToString::to_string);
    let mut section = format!("\n### `{}`\n\n{}\n    {usage}\n", name(command), wrapped(&about));
    let own: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_global_set() && !is_help(arg)).collect();
    if !own.is_empty() {
        section.push_str("\n| argument | default | meaning |\n| --- | --- | --- |\n");
    }
    for arg in own {
        let argument = if arg.is_positional() { format!("`{}`", value_name(arg)) } else { flag(arg) };
        let default = if arg.is_required_set() { "required".to_owned() } else { default(arg) };
        writeln!(section, "| {argument} | {default} | {} |", meaning(arg)).unwrap();
    }
    let example = command.get_after_help().unwrap().to_string();
    let example = format!("{}\n", example.trim_end());
    // What is indented in the help is a block of code in Markdown.
    section + "\n" + &example.replace(":\n", ":\n\n").replace("\n  ", "\n    ")
}

fn name(command: &Command) -> &str {
    command.get_bin_name().unwrap()
}

fn about(command: &Command) -> String {
    command.get_about().unwrap().to_string()
}

fn is_help(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

fn flag(arg: &Arg) -> String {
    let flag = arg.get_long().unwrap();
    if takes_values(arg) { format!("`--{flag} {}`", value_name(arg)) } else { format!("`--{flag}`") }
}

fn takes_values(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn value_name(arg: &Arg) -> String {
    arg.get_value_names().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Splits a help text into its meaning and the default that it mentions, for defaults which follow from other settings.
fn help(arg: &Arg) -> (String, Option<String>) {
    let help = arg.get_help().unwrap().to_string();
    match help.strip_suffix(']').and_then(|help| help.rsplit_once(" [default: ")) {
        Some((meaning, default)) => (meaning.to_owned(), Some(default.to_owned())),
        None => (help, None),
    }
}

fn default(arg: &Arg) -> String {
    let set = arg.get_default_values().iter().map(|value| value.to_str().unwrap().to_owned());
    let values: Vec<String> = set.chain(help(arg).1).filter(|value| !value.is_empty()).collect();
    match &values[..] {
        _ if !takes_values(arg) => "off".to_owned(),
        [] => "none".to_owned(),
        values => format!("`{}`", values.join(",")),
    }
}

fn meaning(arg: &Arg) -> String {
    let mut meaning = vec![cell(&help(arg).0)];
    let values = if takes_values(arg) { arg.get_possible_values() } else { Vec::new() };
    let values: Vec<String> = values.iter().filter(|value| !value.is_hide_set()).map(value).collect();
    if !values.is_empty() {
        meaning.push(format!("one of {}", values.join(", ")));
    }
    if arg.get_value_delimiter() == Some(',') {
        meaning.push("commas or blanks separate values in the variable".to_owned());
    }
    meaning.join("; ")
}

fn value(value: &PossibleValue) -> String {
    let help = value.get_help().map(|help| format!(" ({})", cell(&help.to_string())));
    format!("`{}`{}", value.get_name(), help.unwrap_or_default())
}

/// Makes a help text one cell of a table.
fn cell(text: &str) -> String {
    text.trim_end_matches('.').replace('|', "\\|").replace('\n', " ")
}

/// Makes sentences of a help text's paragraphs, and breaks their lines.
fn wrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let end = if paragraph.ends_with('.') { "\n" } else { ".\n" };
        let (mut lines, mut width) = (String::new(), 0);
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if width > 0 {
                let fits = width + 1 + length <= MAX_LINE_WIDTH;
                lines.push(if fits { ' ' } else { '\n' });
                width = if fits { width + 1 } else { 0 };
            }
            lines.push_str(word);
            width += length;
        }
        lines + end
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}
