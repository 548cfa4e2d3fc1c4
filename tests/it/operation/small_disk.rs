//! A small disk, which only one program sees.

use std::path::Path;
use std::process::Command;

/// The program with a disk of this size at `folder`, which begins with the files of `content`.
pub fn on_small_disk(program: &Command, folder: &Path, bytes: u64, content: Option<&Path>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    let mount = format!("mount -t tmpfs -o size={bytes},mode=700 tmpfs \"$0\"");
    let fill = content.map_or_else(String::new, |content| format!(" && cp -p {}/* \"$0\"", content.display()));
    command.arg(format!("{mount}{fill} && exec \"$@\"")).arg(folder);
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}
