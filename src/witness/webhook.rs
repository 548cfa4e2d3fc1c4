//! The webhook that checkpoints are posted to, as Standard Webhooks are.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};
use url::{Position, Url};

use super::message::Message;
use super::{Failure, WitnessError};
use crate::config::WebhookSettings;
use crate::domain::webhook::WebhookSecret;

/// From the look-up of its name to the head of its answer.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_HEAD: usize = 16 * 1024;
/// Far more than a secret takes.
const LONGEST_SECRET_FILE: u64 = 4096;

pub(super) struct Webhook {
    url: String,
    secret: WebhookSecret,
    agent: Agent,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

/// The address as pages and the log show it: its query may be what lets somebody in.
pub(super) fn shown(url: &Url) -> String {
    url[..Position::AfterPath].to_owned()
}

impl Webhook {
    /// Reads the secret and, for https, whom this machine trusts.
    pub(super) fn open(settings: &WebhookSettings) -> Result<Self, WitnessError> {
        let secret = read_secret(&settings.secret_file)?;
        let is_https = settings.url.scheme() == "https";
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(if is_https { trusted()? } else { Vec::new() })))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(is_https)
            .proxy(if settings.is_loopback { None } else { Proxy::try_from_env() })
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_response_header_size(LONGEST_HEAD)
            .max_idle_connections(0)
            .user_agent("Keydesk")
            .build();
        Ok(Self { url: settings.url.to_string(), secret, agent: config.into() })
    }

    /// Posts a message; any 2xx means that the receiver has it. What it answers beyond that is not read.
    pub(super) fn post(&self, message: &Message, seconds: i64) -> Result<(), Failure> {
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", self.secret.sign(&message.id, seconds, &message.body));
        let answer = request.send(&message.body).map_err(|error| Failure::outage(cause(&error)))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status @ 300..=399 => {
                Err(Failure::refusal(format!("it answered {status}, a redirect, which is not followed")))
            }
            410 => Err(Failure::refusal(
                "it answered 410, wanting no more checkpoints: correct or remove --checkpoint-webhook",
            )),
            status @ (429 | 500..) => Err(Failure::outage(format!("it answered {status}"))),
            status => Err(Failure::refusal(format!("it answered {status}"))),
        }
    }
}

/// What went wrong, in words that hold nothing of the address.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} seconds", PATIENCE.as_secs()),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::Io(error) => format!("it cannot be reached: {error}"),
        ureq::Error::Rustls(error) => format!("it cannot be reached: {error}"),
        ureq::Error::Protocol(_) => "it does not answer as HTTP/1.1 does".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy does not let Keydesk through".to_owned(),
        _ => "it cannot be reached".to_owned(),
    }
}

fn read_secret(path: &Path) -> Result<WebhookSecret, WitnessError> {
    let shown = path.display();
    let refused = |what: String| WitnessError(format!("--checkpoint-webhook-secret-file {shown} {what}"));
    let cannot = |error: io::Error| refused(format!("cannot be read: {error}. Name a file that holds the secret."));
    let file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(refused(format!("can be read by others (mode {mode:04o}). Run: chmod 600 {shown}")));
    }
    let mut text = String::new();
    file.take(LONGEST_SECRET_FILE).read_to_string(&mut text).map_err(cannot)?;
    WebhookSecret::parse(&text)
        .map_err(|error| refused(format!("{error}. Put whsec_ and the Base64 of 24 or more random bytes into it.")))
}

/// The root certificates of this machine, or of the file that `SSL_CERT_FILE` names.
fn trusted() -> Result<Vec<Certificate<'static>>, WitnessError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(WitnessError(
            "--checkpoint-webhook is https, and no root certificates were found by which to trust it. Install ca-certificates, or name a file of them in SSL_CERT_FILE."
                .to_owned(),
        ));
    }
    Ok(found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn an_address_is_shown_without_its_query() {
        let url = Url::parse("https://witness.example:8443/in/box?token=hunter2").unwrap();
        assert_eq!(shown(&url), "https://witness.example:8443/in/box");
    }

    #[test]
    fn a_secret_that_others_can_read_or_that_is_none_is_refused_without_being_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(read_secret(&path).unwrap_err().to_string().contains("cannot be read"));
        for (text, mode, word) in [
            (SECRET, 0o640, "chmod 600"),
            (SECRET, 0o604, "chmod 600"),
            ("whsec_aHVudGVyMg==", 0o600, "fewer than 24 bytes"),
            ("hunter2", 0o600, "does not hold whsec_"),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let sentence = read_secret(&path).unwrap_err().to_string();
            assert!(sentence.starts_with("--checkpoint-webhook-secret-file ") && sentence.contains(word), "{sentence}");
            assert!(!sentence.contains("hunter2") && !sentence.contains("MfKQ"), "{sentence}");
        }
        fs::write(&path, SECRET).unwrap();
        assert!(read_secret(&path).is_ok());
    }
}
