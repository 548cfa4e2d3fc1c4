//! Reads a setting that is a secret from a file, and keeps secrets out of messages.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::SettingError;

const MAX_BYTES: u64 = 4096;

/// Reads the one line of a file. Errors do not repeat it.
///
/// The group may read the file: the files of systemd's credentials and of Kubernetes have such modes.
pub fn read_secret_line(flag: &str, path: &Path) -> Result<String, SettingError> {
    let shown = path.display();
    let rejected = |what: &str| SettingError(format!("{flag} {shown} {what}"));
    let cannot = |error: io::Error| rejected(&format!("cannot be read: {error}. Name a file that holds the secret."));
    let file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        let sentence = format!("can be read or written by others (mode {mode:04o}). Run: chmod 600 {shown}");
        return Err(rejected(&sentence));
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(cannot)?;
    let line = text.trim();
    if line.is_empty() || line.contains('\n') {
        return Err(rejected("does not hold exactly one line. Put nothing but the secret into it."));
    }
    Ok(line.to_owned())
}

/// Returns a message without the credentials of the URLs that it repeats.
#[must_use]
pub fn without_credentials(message: &str) -> String {
    let masked = |line: &str| {
        let Some((before, rest)) = line.split_once("://") else { return line.to_owned() };
        // A password may contain anything, an @ too.
        rest.rsplit_once('@').map_or_else(|| line.to_owned(), |(_, host)| format!("{before}://…@{host}"))
    };
    message.split('\n').map(masked).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_with_one_line_that_others_cannot_read_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        let read = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = read_secret_line("--database-url-file", &path).map_err(|error| error.to_string());
            fs::remove_file(&path).unwrap();
            read
        };
        assert!(read_secret_line("--database-url-file", &path).unwrap_err().to_string().contains("cannot be read"));
        for (text, mode) in [("postgres://u:hunter2@h/d\n", 0o600), ("postgres://u:hunter2@h/d", 0o440)] {
            assert_eq!(read(text, mode).as_deref(), Ok("postgres://u:hunter2@h/d"));
        }
        for (text, mode, word) in [
            ("hunter2", 0o604, "chmod 600"),
            ("hunter2", 0o620, "chmod 600"),
            ("hunter2\nhunter2", 0o600, "one line"),
            (" \n", 0o600, "one line"),
        ] {
            let sentence = read(text, mode).unwrap_err();
            assert!(sentence.starts_with("--database-url-file ") && sentence.contains(word), "{sentence}");
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn credentials_in_a_message_are_masked() {
        for (message, masked) in [
            ("error: 'postgres://u:hunter2@h/d' is wrong", "error: 'postgres://…@h/d' is wrong"),
            ("'https://hun @ter2@h'\n--help", "'https://…@h'\n--help"),
            ("'https://h/d' is wrong", "'https://h/d' is wrong"),
            ("no address", "no address"),
        ] {
            assert_eq!(without_credentials(message), masked);
        }
    }
}
