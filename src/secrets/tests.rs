//! Tests of the secrets file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;

use super::*;
use crate::domain::secret_set::SecretSetRecord;
use crate::domain::user::second_factor::SecondFactorKey;

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
    assert_eq!(created.active().id(), read.active().id());
    assert_eq!(created.signer().public_key(), read.signer().public_key());
    assert_eq!(created.active().cookie_key(), read.active().cookie_key());
}

#[test]
fn secrets_that_another_server_created_meanwhile_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    file::create(&path).unwrap();
    let first = fs::read(&path).unwrap();
    assert_eq!(file::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn servers_that_start_together_read_the_same_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let open = || scope.spawn(|| Secrets::open(&path, false).unwrap().active().id().to_owned());
        let opened: Vec<_> = (0..8).map(|_| open()).collect();
        opened.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_check_depends_on_its_secret_and_on_the_installation() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |folder: &tempfile::TempDir| Secrets::open(&folder.path().join("secrets"), false).unwrap();
    let installation = |seed| InstallationId::new(Timestamp::from_micros(0), &[seed; 10]);
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
    let mut stored: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    stored["sets"][0]["pepper"] = "c2hvcnQ=".into();
    fs::write(&path, stored.to_string()).unwrap();
    assert!(error(&path, true).contains("pepper is not 32 bytes long"));
    fs::write(&path, "hunter2").unwrap();
    let sentence = error(&path, true);
    assert!(sentence.contains("damaged") && !sentence.contains("hunter2"));
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// The records of sets that were created, and activated where there is a time, in this order.
fn records(sets: &[(&str, Option<i64>, Option<i64>)]) -> SecretSetRecords {
    let record = |(created, (id, activated, retired)): (i64, &(&str, Option<i64>, Option<i64>))| SecretSetRecord {
        id: (*id).to_owned(),
        created_at: at(created),
        activated_at: activated.map(at),
        retired_at: retired.map(at),
    };
    SecretSetRecords::new((1..).zip(sets).map(record).collect())
}

fn rotate(path: &Path) -> String {
    let (prepared, set) = prepare_rotation(path, at(9), |_| true).unwrap();
    prepared.put_in_place(path).unwrap();
    set.id().to_owned()
}

#[test]
fn a_file_of_an_older_version_is_one_set_and_is_rewritten_by_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    file::create(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut set = file["sets"][0].take();
    set.as_object_mut().unwrap().remove("second_factor");
    let id = set.as_object_mut().unwrap().remove("id").unwrap();
    set["pepper_id"] = id.clone();
    fs::write(&path, set.to_string()).unwrap();
    let read = Secrets::open(&path, true).unwrap();
    assert_eq!(read.active().id(), id);
    let derived = SecondFactorKey::derived_from(read.active().throttle_key.expose_secret());
    assert_eq!(read.active().second_factor.keyed_value(b"x"), derived.keyed_value(b"x"));
    let added = rotate(&path);
    let rotated = Secrets::open(&path, true).unwrap();
    let ids: Vec<String> = rotated.file_sets().iter().map(|set| set.id().to_owned()).collect();
    assert_eq!(ids, [added, id.as_str().unwrap().to_owned()]);
    let former = rotated.keyring().set(id.as_str().unwrap()).unwrap().second_factor.keyed_value(b"x");
    assert_eq!(former, derived.keyed_value(b"x"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_new_set_is_accepted_and_used_for_nothing_new_until_it_is_active() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let secrets = Secrets::open(&path, false).unwrap();
    let first = secrets.active().id().to_owned();
    secrets.apply(records(&[(&first, Some(1), None)]), at(5));
    let second = rotate(&path);
    assert!(secrets.reload(at(5), |_| Ok::<_, SecretsError>(())).unwrap());
    assert!(!secrets.reload(at(5), |_| Ok::<_, SecretsError>(())).unwrap(), "the file is as it was");
    secrets.apply(records(&[(&first, Some(1), None), (&second, None, None)]), at(5));
    let order = || secrets.keyring().sets().map(|set| set.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(order(), [first.clone(), second.clone()]);
    let generation = secrets.generation();
    secrets.apply(records(&[(&first, Some(1), None), (&second, Some(6), None)]), at(7));
    assert_eq!(order(), [second.clone(), first.clone()]);
    assert!(secrets.generation() > generation);
    assert_eq!(secrets.keyring().oldest().id(), first);
    secrets.apply(records(&[(&first, Some(1), Some(8)), (&second, Some(6), None)]), at(9));
    assert_eq!(order(), std::slice::from_ref(&second));
    assert_eq!(secrets.lacking(), None);
    secrets.apply(records(&[(&first, Some(1), None), (&second, Some(6), None), ("x", Some(7), None)]), at(9));
    assert_eq!(secrets.lacking().as_deref(), Some("x"));
}

#[test]
fn a_changed_file_that_is_not_accepted_leaves_the_sets_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let secrets = Secrets::open(&path, false).unwrap();
    rotate(&path);
    assert!(secrets.reload(at(5), |_| Err(SecretsError("foreign".to_owned()))).is_err());
    assert_eq!(secrets.file_sets().len(), 1);
    assert!(!secrets.reload(at(5), |_| Err(SecretsError("foreign".to_owned()))).unwrap(), "it is named once");
    fs::write(&path, "{").unwrap();
    assert!(secrets.reload(at(5), |_| Ok::<_, SecretsError>(())).is_err());
    assert_eq!(secrets.file_sets().len(), 1);
}

#[test]
fn there_are_at_most_four_sets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    file::create(&path).unwrap();
    (1..MAX_LIVE_SETS).for_each(|_| drop(rotate(&path)));
    let refused = prepare_rotation(&path, at(9), |_| true).err().unwrap().to_string();
    assert!(refused.contains("4 sets") && refused.contains("Retire one first"), "{refused}");
}

#[test]
fn a_retired_set_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let first = Secrets::open(&path, false).unwrap().active().id().to_owned();
    let second = rotate(&path);
    prepare_retirement(&path, &first).unwrap().unwrap().put_in_place(&path).unwrap();
    assert!(prepare_retirement(&path, &first).unwrap().is_none());
    assert_eq!(Secrets::open(&path, true).unwrap().active().id(), second);
}
