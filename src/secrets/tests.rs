//! Tests of the secrets file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn error(path: &Path, database_exists: bool) -> String {
    Secrets::open(path, database_exists).unwrap_err().to_string()
}

#[test]
fn new_secrets_are_readable_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let created = Secrets::open(&path, false).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let read = Secrets::open(&path, true).unwrap();
    assert_eq!(created.pepper.id(), read.pepper.id());
    assert_eq!(created.signer.public_key(), read.signer.public_key());
    assert_eq!(created.cookie_key(), read.cookie_key());
}

#[test]
fn secrets_that_another_server_created_meanwhile_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    create(&path).unwrap();
    let first = fs::read(&path).unwrap();
    assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn servers_that_start_together_read_the_same_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let open = || scope.spawn(|| Secrets::open(&path, false).unwrap().pepper.id().to_owned());
        let opened: Vec<_> = (0..8).map(|_| open()).collect();
        opened.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_check_depends_on_its_secret_and_on_the_installation() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |folder: &tempfile::TempDir| Secrets::open(&folder.path().join("secrets"), false).unwrap();
    let installation = |seed| InstallationId::new(crate::domain::timestamp::Timestamp::from_micros(0), &[seed; 10]);
    let (secrets, foreign) = (open(&one), open(&other));
    assert_eq!(secrets.checks(installation(1)), open(&one).checks(installation(1)));
    for others in [secrets.checks(installation(2)), foreign.checks(installation(1))] {
        for (own, other) in secrets.checks(installation(1)).iter().zip(&others) {
            assert_ne!(own.value, other.value, "{:?}", own.name);
        }
    }
    let mut values: Vec<_> = secrets.checks(installation(1)).iter().map(|check| check.value).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 6);
}

#[test]
fn missing_secrets_of_an_existing_database_are_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    assert!(error(&path, true).contains("missing"));
    assert!(!path.exists());
}

#[test]
fn secrets_that_others_can_read_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    Secrets::open(&path, false).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(error(&path, true).contains("chmod 600"));
}

#[test]
fn damaged_secrets_are_rejected_without_repeating_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    Secrets::open(&path, false).unwrap();
    let mut stored: SecretsFile = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    stored.pepper = BASE64_STANDARD.encode("short");
    fs::write(&path, serde_json::to_string(&stored).unwrap()).unwrap();
    assert!(error(&path, true).contains("pepper is not 32 bytes long"));
    fs::write(&path, "hunter2").unwrap();
    let sentence = error(&path, true);
    assert!(sentence.contains("damaged") && !sentence.contains("hunter2"));
}
