//! Posts checkpoints to a webhook, signed as Standard Webhooks specify.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};
use url::{Position, Url};

use super::error::{Failure, WitnessError};
use super::message::Message;
use crate::config::{WebhookSettings, read_secret_line};
use crate::domain::webhook::WebhookSecret;

/// From the DNS look-up to the head of the response.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_RESPONSE_HEAD_BYTES: usize = 16 * 1024;

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

/// Returns the address without its query, which may hold a secret.
pub(super) fn display_name(url: &Url) -> String {
    url[..Position::AfterPath].to_owned()
}

impl Webhook {
    /// Reads the secret and, for https, the root certificates.
    pub(super) fn open(settings: &WebhookSettings) -> Result<Self, WitnessError> {
        let secret = read_secret(&settings.secret_file)?;
        let is_https = settings.url.scheme() == "https";
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(if is_https { root_certificates()? } else { Vec::new() })))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(is_https)
            .proxy(if settings.is_loopback { None } else { Proxy::try_from_env() })
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_response_header_size(MAX_RESPONSE_HEAD_BYTES)
            .max_idle_connections(0)
            .user_agent("Keydesk")
            .build();
        Ok(Self { url: settings.url.to_string(), secret, agent: config.into() })
    }

    /// Posts a message. Any 2xx status means that the receiver has it; the body of the response is not read.
    pub(super) fn post(&self, message: &Message, seconds: i64) -> Result<(), Failure> {
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", self.secret.sign(&message.id, seconds, &message.body));
        let response = request.send(&message.body).map_err(|error| Failure::outage(cause(&error)))?;
        match response.status().as_u16() {
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

/// Describes an error without repeating the address.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} seconds", TIMEOUT.as_secs()),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::Io(error) => format!("it cannot be reached: {error}"),
        ureq::Error::Rustls(error) => format!("it cannot be reached: {error}"),
        ureq::Error::Protocol(_) => "it does not answer as HTTP/1.1 does".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy does not let Keydesk through".to_owned(),
        _ => "it cannot be reached".to_owned(),
    }
}

fn read_secret(path: &Path) -> Result<WebhookSecret, WitnessError> {
    let flag = "--checkpoint-webhook-secret-file";
    let line = read_secret_line(flag, path).map_err(|error| WitnessError(error.to_string()))?;
    WebhookSecret::parse(&line).map_err(|error| {
        let shown = path.display();
        WitnessError(format!("{flag} {shown} {error}. Put whsec_ and the Base64 of 24 or more random bytes into it."))
    })
}

/// Loads the root certificates of this machine, or of the file in `SSL_CERT_FILE`.
fn root_certificates() -> Result<Vec<Certificate<'static>>, WitnessError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(WitnessError(
            "--checkpoint-webhook is https, but no root certificates were found. Install ca-certificates, or name a file of certificates in SSL_CERT_FILE."
                .to_owned(),
        ));
    }
    Ok(found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_display_name_omits_the_query() {
        let url = Url::parse("https://witness.example:8443/in/box?token=hunter2").unwrap();
        assert_eq!(display_name(&url), "https://witness.example:8443/in/box");
    }

    #[test]
    fn an_invalid_or_readable_secret_is_rejected_without_repeating_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(read_secret(&path).unwrap_err().to_string().contains("cannot be read"));
        for (text, mode, word) in [
            (SECRET, 0o660, "chmod 600"),
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
        // The files of systemd's credentials and of Kubernetes have such modes.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(read_secret(&path).is_ok());
    }
}
