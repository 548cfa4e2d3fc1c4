//! The settings of witnesses.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::error::SettingError;
use super::loopback::is_loopback;
use super::paths;

/// The flags that configure witnesses.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
pub struct WitnessFlags {
    /// Append the checkpoints of all audit trails to this file, within a minute of each change
    #[arg(long, global = true, env = "KEYDESK_CHECKPOINT_FILE", value_name = "FILE")]
    checkpoint_file: Option<PathBuf>,

    /// Post the checkpoints to this https address, signed as Standard Webhooks are
    #[arg(long, global = true, env = "KEYDESK_CHECKPOINT_WEBHOOK", value_name = "URL", hide_env_values = true)]
    checkpoint_webhook: Option<String>,

    /// Read the secret of the webhook's signature from this file: whsec_ and Base64, readable by its owner only
    #[arg(long, global = true, env = "KEYDESK_CHECKPOINT_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    checkpoint_webhook_secret_file: Option<PathBuf>,
}

/// The configured witnesses.
#[derive(Clone, Debug, Default)]
pub struct WitnessSettings {
    /// The file that checkpoints are appended to.
    pub file: Option<PathBuf>,
    /// The webhook that checkpoints are posted to.
    pub webhook: Option<WebhookSettings>,
}

/// A webhook.
#[derive(Clone)]
pub struct WebhookSettings {
    /// The address; https, or on this machine.
    pub url: Url,
    /// Whether the address is on this machine.
    pub is_loopback: bool,
    /// The file that holds the secret of the signature.
    pub secret_file: PathBuf,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl WitnessFlags {
    pub(super) fn check(self) -> Result<WitnessSettings, SettingError> {
        let file = self.checkpoint_file.map(|file| absolute("--checkpoint-file", &file)).transpose()?;
        let webhook = match (self.checkpoint_webhook, self.checkpoint_webhook_secret_file) {
            (None, None) => None,
            (Some(url), Some(file)) => {
                let (url, is_loopback) = webhook(&url)?;
                let secret_file = absolute("--checkpoint-webhook-secret-file", &file)?;
                Some(WebhookSettings { url, is_loopback, secret_file })
            }
            (Some(url), None) => {
                webhook(&url)?;
                return Err(rejected(
                    "--checkpoint-webhook needs a secret to sign with. Name its file with --checkpoint-webhook-secret-file.",
                ));
            }
            (None, Some(_)) => {
                return Err(rejected(
                    "--checkpoint-webhook-secret-file is set without --checkpoint-webhook. Set both, or neither.",
                ));
            }
        };
        Ok(WitnessSettings { file, webhook })
    }
}

fn rejected(sentence: &str) -> SettingError {
    SettingError(sentence.to_owned())
}

fn absolute(flag: &str, file: &Path) -> Result<PathBuf, SettingError> {
    paths::absolute(flag, file, "Name a file.")
}

/// Parses the address of the webhook. Errors do not repeat it, because it may hold a password.
fn webhook(text: &str) -> Result<(Url, bool), SettingError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let url = url.ok_or_else(|| {
        rejected("--checkpoint-webhook is not a web address. Give one such as https://witness.example.com/keydesk.")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(rejected(
            "--checkpoint-webhook contains a user name or a password. Remove them: the receiver recognizes Keydesk by the signature.",
        ));
    }
    if url.fragment().is_some() {
        return Err(rejected("--checkpoint-webhook ends in a fragment (#…), which is never sent. Remove it."));
    }
    let is_loopback = url.host_str().is_some_and(is_loopback);
    if url.scheme() == "http" && !is_loopback {
        return Err(rejected("--checkpoint-webhook uses plain http beyond this machine. Use https://…."));
    }
    Ok((url, is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(webhook: Option<&str>, secret: Option<&str>) -> Result<WitnessSettings, String> {
        let flags = WitnessFlags {
            checkpoint_file: None,
            checkpoint_webhook: webhook.map(str::to_owned),
            checkpoint_webhook_secret_file: secret.map(PathBuf::from),
        };
        flags.check().map_err(|error| error.to_string())
    }

    #[test]
    fn a_webhook_is_https_or_on_this_machine() {
        for good in
            ["https://witness.example/a?b=hunter2", "http://127.0.0.1:9/x", "http://[::1]:9/", "http://localhost:9/"]
        {
            let settings = check(Some(good), Some("s")).unwrap();
            assert!(!format!("{settings:?}").contains("hunter2"));
        }
        for (bad, word) in [
            ("http://witness.example/", "plain http"),
            ("http://127.0.0.1.witness.example/", "plain http"),
            ("https://keydesk:hunter2@witness.example/", "password"),
            ("https://hunter2@witness.example/", "password"),
            ("https://witness.example/#hunter2", "fragment"),
            ("ftp://hunter2/", "not a web address"),
            ("hunter2", "not a web address"),
            ("https://", "not a web address"),
        ] {
            let sentence = check(Some(bad), Some("s")).unwrap_err();
            assert!(sentence.starts_with("--checkpoint-webhook ") && sentence.contains(word), "{bad}: {sentence}");
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn a_webhook_and_its_secret_are_set_together() {
        assert!(check(None, None).unwrap().webhook.is_none());
        assert!(
            check(Some("https://witness.example/"), None).unwrap_err().contains("--checkpoint-webhook-secret-file")
        );
        assert!(check(None, Some("s")).unwrap_err().contains("--checkpoint-webhook."));
    }
}
