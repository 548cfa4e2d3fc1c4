//! The `KEYDESK_…` variables: which are settings, and which count as not set.

use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;

use super::error::SettingError;

/// Returns the command without its empty variables: they count as not set.
#[must_use]
pub fn without_empty_variables(command: clap::Command, value: impl Fn(&OsStr) -> Option<OsString>) -> clap::Command {
    command.mut_args(|argument| {
        let is_empty = argument.get_env().and_then(&value).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(Resettable::<clap::builder::OsStr>::Reset) } else { argument }
    })
}

/// Rejects a `KEYDESK_…` variable that is not a setting: a misspelled one would otherwise be ignored silently.
///
/// # Errors
/// [`SettingError`], naming the variable.
pub fn reject_unknown_variables(
    command: &clap::Command,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), SettingError> {
    let known: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    let mut unknown = variables.filter(|(name, value)| {
        let text = name.to_string_lossy();
        text.starts_with("KEYDESK_")
            && !value.is_empty()
            && !known.contains(&name.as_os_str())
            && !is_set_by_kubernetes(&text, &value.to_string_lossy())
    });
    match unknown.next() {
        None => Ok(()),
        Some((name, _)) => Err(SettingError(format!(
            "The variable {} is not a setting of Keydesk. Correct or remove it; keydesk --help lists the settings.",
            name.display()
        ))),
    }
}

/// Whether Kubernetes sets this variable in the containers beside a Service that is named `keydesk`.
fn is_set_by_kubernetes(name: &str, value: &str) -> bool {
    matches!(name, "KEYDESK_SERVICE_HOST" | "KEYDESK_SERVICE_PORT")
        || name.starts_with("KEYDESK_SERVICE_PORT_")
        || name.starts_with("KEYDESK_PORT_")
        || (name == "KEYDESK_PORT" && value.contains("://"))
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;
    use crate::config::Settings;

    fn command() -> clap::Command {
        Settings::augment_args(clap::Command::new("keydesk"))
    }

    fn rejected(name: &str, value: &str) -> Option<String> {
        let variables = [("PATH", "/bin"), (name, value)].map(|(name, value)| (name.into(), value.into()));
        reject_unknown_variables(&command(), variables.into_iter()).err().map(|error| error.to_string())
    }

    #[test]
    fn an_unknown_variable_is_rejected_by_name() {
        assert_eq!(rejected("KEYDESK_LISTEN", "x"), None);
        for (name, value) in [
            ("KEYDESK_LISTN", "x"),
            ("KEYDESK_PORT", "8080"),
            ("KEYDESK_SERVICE", "x"),
            ("KEYDESK_SERVICE_HOSTS", "x"),
            ("KEYDESK_SERVICE_PORTS", "x"),
        ] {
            assert!(rejected(name, value).is_some_and(|sentence| sentence.contains(name)), "{name}");
            assert_eq!(rejected(name, ""), None, "{name}");
        }
    }

    #[test]
    fn the_variables_of_a_kubernetes_service_pass() {
        for (name, value) in [
            ("KEYDESK_SERVICE_HOST", "10.0.0.1"),
            ("KEYDESK_SERVICE_PORT", "80"),
            ("KEYDESK_SERVICE_PORT_HTTP", "80"),
            ("KEYDESK_PORT", "tcp://10.0.0.1:80"),
            ("KEYDESK_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("KEYDESK_PORT_80_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(rejected(name, value), None, "{name}");
        }
    }

    #[test]
    fn every_empty_variable_counts_as_not_set() {
        let variables = |command: &clap::Command| {
            let names = command.get_arguments().filter_map(|argument| argument.get_env().map(OsStr::to_owned));
            names.collect::<Vec<_>>()
        };
        let all = variables(&command());
        assert!(all.len() > 10);
        for empty in &all {
            let value = |name: &OsStr| Some(if name == empty { OsString::new() } else { "x".into() });
            let left = variables(&without_empty_variables(command(), value));
            assert!(left.len() + 1 == all.len() && !left.contains(empty), "{}", empty.display());
        }
    }
}
