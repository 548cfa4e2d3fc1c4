//! Paths in settings.

use std::path::{Path, PathBuf};

use super::error::SettingError;

/// Returns an absolute path. SQLite, the log and messages need it in UTF-8. `to_do` is what an error asks for.
#[expect(clippy::unnecessary_debug_formatting, reason = "shows the bytes that are not UTF-8")]
pub(super) fn absolute(flag: &str, path: &Path, to_do: &str) -> Result<PathBuf, SettingError> {
    let absolute =
        std::path::absolute(path).map_err(|error| SettingError(format!("{flag} cannot be used: {error}. {to_do}")))?;
    if absolute.to_str().is_none() {
        return Err(SettingError(format!(
            "{flag} leads to {absolute:?}, whose name is not UTF-8. {to_do} Use letters in UTF-8 only."
        )));
    }
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_path_that_is_not_utf8_is_rejected_with_its_bytes() {
        let rejected = absolute("--data-dir", Path::new(OsStr::from_bytes(b"/srv/\xe9t\xe9")), "Name a folder.");
        let sentence = rejected.unwrap_err().to_string();
        assert!(sentence.starts_with(r#"--data-dir leads to "/srv/\xE9t\xE9", "#), "{sentence}");
        assert_eq!(absolute("--data-dir", Path::new("/srv/été"), "").unwrap(), Path::new("/srv/été"));
        assert!(absolute("--data-dir", Path::new(""), "Name a folder.").is_err());
    }
}
