//! What the help of each command shows: every command takes every setting, and shows those that concern it.

use clap::Command;

/// The commands that serve; their help shows all settings.
const SERVING: [&str; 2] = ["serve", "demo"];
/// The settings that concern every command.
const COMMON: [&str; 6] = ["data_dir", "database_url", "database_url_file", "secrets_file", "log_level", "log_format"];
/// Further settings that concern the commands of a group.
const OF_GROUPS: [(&str, &[&str]); 4] = [
    ("user", &["public_url", "platform_name"]),
    ("key", &["key_prefix"]),
    ("doctor", &["listen", "metrics_token", "checkpoint_file", "checkpoint_webhook"]),
    ("migrate", &["migration_backup"]),
];

/// Hides the settings of the server in the help of the commands that do not serve. The flags stay.
pub(super) fn hide_settings_of_serving(program: Command) -> Command {
    let settings: Vec<_> = program.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    program.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        if SERVING.contains(&&*name) {
            return command;
        }
        let own = OF_GROUPS.iter().find(|(group, _)| *group == name).map_or(&[][..], |(_, own)| *own);
        let is_shown = |id: &str| COMMON.contains(&id) || own.contains(&id);
        // A command whose own arguments include a global one does not inherit it.
        let hidden = settings.iter().filter(|arg| !is_shown(arg.get_id().as_str())).cloned();
        command.args(hidden.map(|arg| arg.hide(true)))
    })
}
