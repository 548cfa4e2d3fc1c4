//! The program with witnesses: over TLS, stopped and started, and what it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{notes, secret_file, until};
use crate::cli::start::refusal;
use crate::cli::{Serving, keydesk, run};
use crate::support::database;
use crate::support::receiver::{self, Authority, Receiver, secret};

/// An installation with one company, and so with one trail to be witnessed.
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

    /// The program, with that webhook.
    fn with_webhook(&self, webhook: &str) -> Command {
        let mut command = keydesk(self.folder.path());
        command.args(["--database-url", &self.url, "--log-level", "debug", "--checkpoint-webhook", webhook]);
        command.args(["--checkpoint-webhook-secret-file", &self.secret]);
        command
    }
}

#[test]
fn a_receiver_whose_authority_this_machine_trusts_is_told_over_tls_and_no_other() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (receiver, impostor) = (Receiver::with_tls(&authority), Receiver::with_tls(&stranger));
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
    until("an unknown authority is refused", || serving.log().contains("a checkpoint was not witnessed"));
    assert!(serving.log().contains("invalid peer certificate") && impostor.posted().is_empty(), "{}", serving.log());
    let shown = serving.log();
    assert_eq!(serving.stop(), 0);
    let serving = start(&receiver);
    until("the receiver is told", || !receiver.posted().is_empty());
    let posted = &receiver.posted()[0];
    assert!(posted.is_signed() && posted.path == "/in?token=hunter2", "{posted:?}");
    for log in [shown, serving.log()] {
        for secret in ["hunter2", &secret(), &secret()[6..20], &posted.headers["webhook-signature"]] {
            assert!(!log.contains(secret), "{secret} stands in: {log}");
        }
    }
}

#[test]
fn what_failed_before_the_program_was_stopped_is_delivered_once_it_is_started_again() {
    let installation = Installation::new();
    let address = receiver::nobody();
    let start = || Serving::start(installation.with_webhook(&format!("http://{address}/in")), 1);
    let serving = start();
    until("the failure is logged", || serving.log().contains("a checkpoint was not witnessed"));
    assert_eq!(serving.stop(), 0);
    let receiver = Receiver::at(address);
    let serving = start();
    until("the receiver is told", || receiver.posted().len() == 1);
    assert_eq!(serving.stop(), 0);
    // Another start has nothing to tell until something happens.
    let _serving = start();
    installation.add_company("Northwind");
    until("the receiver is told of the change", || receiver.posted().len() > 1);
    let ids: Vec<String> = receiver.posted().iter().map(receiver::Posted::trail).collect();
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, false));
}

#[test]
fn a_change_by_a_command_is_in_the_file_within_a_minute() {
    let installation = Installation::new();
    let path = installation.folder.path().join("checkpoints");
    let mut command = keydesk(installation.folder.path());
    command.args(["--database-url", &installation.url]).env("KEYDESK_CHECKPOINT_FILE", &path);
    let serving = Serving::start(command, 1);
    until("the file has what there was", || notes(&path).len() == 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o007, 0);
    installation.add_company("Northwind");
    until("the file has what came", || notes(&path).len() == 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn witnesses_that_cannot_be_used_are_refused_with_one_sentence() {
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
