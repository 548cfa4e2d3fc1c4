//! The program with witnesses: TLS, restarts and refused settings.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{notes, secret_file, wait_until};
use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run};
use crate::support::database;
use crate::support::receiver::{self, Authority, Receiver, ReservedAddress, secret};

/// An installation with one company and therefore one trail.
struct Installation {
    folder: TempDir,
    url: String,
    secret: String,
}

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database::new_url(&folder);
        let secret = secret_file(folder.path()).to_str().unwrap().to_owned();
        let installation = Self { folder, url, secret };
        installation.add_company("Brightwater");
        installation
    }

    fn add_company(&self, name: &str) {
        assert!(run(self.folder.path(), &self.url, &["company", "add", "--name", name], "").status.success());
    }

    /// The program with this webhook as a witness.
    fn with_webhook(&self, webhook: &str) -> Command {
        let mut command = keydesk(self.folder.path());
        command.args(["--database-url", &self.url, "--log-level", "debug", "--checkpoint-webhook", webhook]);
        command.args(["--checkpoint-webhook-secret-file", &self.secret]);
        command
    }
}

#[test]
fn checkpoints_are_sent_over_tls_to_trusted_receivers_only() {
    let (authority, unknown_authority) = (Authority::new(), Authority::new());
    let (receiver, impostor) = (Receiver::with_tls(&authority), Receiver::with_tls(&unknown_authority));
    let installation = Installation::new();
    let trusted = installation.folder.path().join("trusted.pem");
    fs::write(&trusted, &authority.pem).unwrap();
    let start = |receiver: &Receiver| {
        let url = format!("https://localhost:{}/in?token=hunter2", receiver.address.port());
        let mut command = installation.with_webhook(&url);
        command.env("SSL_CERT_FILE", &trusted).env_remove("SSL_CERT_DIR");
        Serving::start(command, 1)
    };
    let serving = start(&impostor);
    wait_until("an unknown authority is refused", || serving.log().contains("checkpoint not witnessed"));
    assert!(serving.log().contains("invalid peer certificate") && impostor.posted().is_empty(), "{}", serving.log());
    let shown = serving.log();
    assert_eq!(serving.stop(), 0);
    let serving = start(&receiver);
    wait_until("the receiver gets a checkpoint", || !receiver.posted().is_empty());
    let posted = &receiver.posted()[0];
    assert!(posted.is_signed() && posted.path == "/in?token=hunter2", "{posted:?}");
    for log in [shown, serving.log()] {
        for secret in ["hunter2", &secret(), &secret()[6..20], &posted.headers["webhook-signature"]] {
            assert!(!log.contains(secret), "{secret} is in the log: {log}");
        }
    }
}

#[test]
fn a_failed_delivery_is_sent_once_after_a_restart() {
    let installation = Installation::new();
    let reserved = ReservedAddress::new();
    let address = reserved.address;
    let start = || Serving::start(installation.with_webhook(&format!("http://{address}/in")), 1);
    let serving = start();
    wait_until("the failure is logged", || serving.log().contains("checkpoint not witnessed"));
    assert_eq!(serving.stop(), 0);
    let receiver = reserved.start();
    let serving = start();
    wait_until("the receiver gets a checkpoint", || receiver.posted().len() == 1);
    assert_eq!(serving.stop(), 0);
    // After another start there is nothing to send until an event happens.
    let _serving = start();
    installation.add_company("Northwind");
    wait_until("the receiver gets the change", || receiver.posted().len() > 1);
    let ids: Vec<String> = receiver.posted().iter().map(receiver::Delivery::trail).collect();
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, false));
}

#[test]
fn a_change_by_a_command_reaches_the_file_within_a_minute() {
    let installation = Installation::new();
    let path = installation.folder.path().join("checkpoints");
    let mut command = keydesk(installation.folder.path());
    command.args(["--database-url", &installation.url]).env("KEYDESK_CHECKPOINT_FILE", &path);
    let serving = Serving::start(command, 1);
    wait_until("the file has the first checkpoint", || notes(&path).len() == 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o007, 0);
    installation.add_company("Northwind");
    wait_until("the file has the second checkpoint", || notes(&path).len() == 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn unusable_witnesses_are_refused_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let secret = secret_file(data);
    let refused = |flags: &[&str]| refusal(data, flags, &[]);
    let with = |webhook: &str, secret: &Path| {
        let words = ["--checkpoint-webhook", webhook, "--checkpoint-webhook-secret-file", secret.to_str().unwrap()];
        refused(&words)
    };
    let good = "https://witness.example/in";
    assert!(refused(&["--checkpoint-webhook", good]).contains("--checkpoint-webhook-secret-file"));
    assert!(with("http://witness.example/in", &secret).contains("plain http"));
    assert!(!with("https://u:hunter2@witness.example/in", &secret).contains("hunter2"));
    let folder_as_file = refused(&["--checkpoint-file", data.to_str().unwrap()]);
    assert!(folder_as_file.contains("cannot be appended to"), "{folder_as_file}");
    assert!(with(good, &data.join("none")).contains("cannot be read"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(with(good, &secret).contains("chmod 600"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&secret, "whsec_aHVudGVyMg==").unwrap();
    let short = with(good, &secret);
    assert!(short.contains("fewer than 24 bytes") && !short.contains("aHVudGVyMg"), "{short}");
    let variables =
        [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent"), ("KEYDESK_CHECKPOINT_WEBHOOK", good)];
    fs::write(&secret, receiver::secret()).unwrap();
    let words = ["--checkpoint-webhook-secret-file", secret.to_str().unwrap()];
    assert!(refusal(data, &words, &variables).contains("ca-certificates"));
}
