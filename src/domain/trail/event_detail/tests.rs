use super::*;
use crate::domain::actor::Actor;
use crate::domain::ids::{ServiceAccountId, SessionId};
use crate::domain::key::digest::{DigestFingerprint, DigestKind};
use crate::domain::key::lifecycle::KeyState;
use crate::domain::policy::key_policy::Days;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::filter::{ExportFormat, TrailFilter};
use crate::domain::user::profile::{ProfileField, Role};
use crate::domain::user::second_factor::CodeKind;

const KEY: &str = "01a2a747-5680-7cdd-b6c0-1ce0e5498baa";
const ACCOUNT: &str = "01a2a747-5680-73c5-afd2-669c11aa517b";
const USER: &str = "01a207a2-3280-759c-a164-adc0f8de0552";
const COLLEAGUE: &str = "01a207a2-3280-753a-a310-8f98e62a4fab";
const SESSION: &str = "01a207a2-3280-7bed-9a72-7f03dbd1e748";

fn key() -> KeyId {
    KeyId::parse(KEY).unwrap()
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

/// An export of active keys; with a word for every filter, or without filters.
fn key_export(word: Option<&str>) -> KeyExport {
    let word = word.map(str::to_owned);
    KeyExport {
        expires: word.clone(),
        owner: word.is_some().then(|| user(USER)),
        practice: word.clone(),
        q: word.clone(),
        tab: "active".to_owned(),
        used: word,
    }
}

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn named(name: &str) -> Name {
    Name { name: name.to_owned() }
}

fn active() -> KeyStatus {
    KeyStatus { name: "ERP".to_owned(), state: KeyState::Active }
}

fn new_key() -> NewKey {
    NewKey {
        digest_fingerprint: None,
        digest_kind: None,
        expires_at: None,
        imported: false,
        name: "ERP".to_owned(),
        owner: None,
        pepper_id: None,
        preview: "goa_D0MA…SAgE".to_owned(),
        purpose: None,
        replaces: None,
        service_account_id: ServiceAccountId::parse(ACCOUNT).unwrap(),
        state: KeyState::Active,
    }
}

/// Settings with reasons, as events of this version have them.
fn reasoned() -> CompanySettings {
    CompanySettings {
        default_expiry_reason: Some(None),
        idle_end_days: Some(Some(90)),
        idle_end_reason: Some(None),
        maximum_lifetime_reason: Some(Some("Risk review".to_owned())),
        rotation_period_reason: Some(None),
        ..settings(None)
    }
}

fn settings(days: Option<u16>) -> CompanySettings {
    CompanySettings {
        default_expiry_days: days,
        default_expiry_reason: None,
        idle_end_days: None,
        idle_end_reason: None,
        maximum_lifetime_days: days,
        maximum_lifetime_reason: None,
        name: "Brightwater".to_owned(),
        require_second_factor: days.is_some(),
        rotation_period_days: days,
        rotation_period_reason: None,
    }
}

fn secrets_details() -> Vec<(EventDetail, String, String)> {
    let fingerprint = DigestFingerprint::of(b"abc");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let renewed = RenewedDigest { digest_fingerprint: fingerprint, name: "ERP".to_owned(), pepper_id: "p2".to_owned() };
    let created = NewKey { pepper_id: Some("p2".to_owned()), ..new_key() };
    let rotated = ChangedSecrets { set: "p2".to_owned(), state: "pending".to_owned() };
    [
        (
            EventDetail::ApiKeyDigestRenewed { after: renewed },
            format!(r#"{{"digest_fingerprint":"{hex}","name":"ERP","pepper_id":"p2"}}"#),
        ),
        (
            EventDetail::ApiKeyCreated { after: created },
            format!(
                r#"{{"name":"ERP","pepper_id":"p2","preview":"goa_D0MA…SAgE","service_account_id":"{ACCOUNT}","state":"active"}}"#
            ),
        ),
        (EventDetail::SecretsRotated { after: rotated }, r#"{"set":"p2","state":"pending"}"#.to_owned()),
    ]
    .map(|(detail, after)| (detail, String::new(), after))
    .into()
}

/// Details with the exact text of their `before` and `after`. These bytes are hashed into trails that exist.
fn pinned() -> Vec<(EventDetail, String, String)> {
    let name = "ERP".to_owned();
    let pin = |detail, before: &str, after: &str| (detail, before.to_owned(), after.to_owned());
    let mut all = key_details(&name);
    all.extend(rotation_details(&name));
    all.extend(user_details());
    all.extend(secrets_details());
    let days = Days::new(30).map(Days::count);
    let loss =
        |first_lost| AcceptedLoss { checkpoint: "note".to_owned(), events_left: 940, first_lost, last_lost: 1_000 };
    all.extend([
        pin(
            EventDetail::AuditTrailLossAccepted { after: loss(Some(941)) },
            "",
            r#"{"checkpoint":"note","events_left":940,"first_lost":941,"last_lost":1000}"#,
        ),
        pin(
            EventDetail::AuditTrailLossAccepted { after: loss(None) },
            "",
            r#"{"checkpoint":"note","events_left":940,"last_lost":1000}"#,
        ),
        pin(
            EventDetail::ApiKeysExported { after: key_export(None) },
            "",
            r#"{"tab":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeysExported { after: key_export(Some("unused")) },
            "",
            r#"{"expires":"unused","owner":"USER","practice":"unused","q":"unused","tab":"active","used":"unused"}"#,
        ),
        pin(
            EventDetail::AuditTrailExported { after: Export::new(&TrailFilter::default(), ExportFormat::JsonLines) },
            "",
            r#"{"format":"json_lines"}"#,
        ),
        pin(
            EventDetail::AuditTrailExported {
                after: Export::new(
                    &TrailFilter {
                        from: Some(at(1_795_564_800_000_000)),
                        until: Some(at(1_795_651_199_999_999)),
                        actor: Some(Actor::User(user(USER))),
                        actions: vec![Action::ApiKeyCreated, Action::ApiKeyRevoked],
                        key: Some(key()),
                    },
                    ExportFormat::Csv,
                ),
            },
            "",
            r#"{"actions":["api_key.created","api_key.revoked"],"format":"csv","from":1795564800000000,"key":"KEY","until":1795651199999999,"user":"USER"}"#,
        ),
        pin(
            EventDetail::AuditTrailExported {
                after: Export::new(
                    &TrailFilter { actor: Some(Actor::CommandLine), ..TrailFilter::default() },
                    ExportFormat::Csv,
                ),
            },
            "",
            r#"{"format":"csv","user":"command_line"}"#,
        ),
        pin(
            EventDetail::CompanyChanged { before: settings(None), after: settings(days) },
            r#"{"default_expiry_days":null,"maximum_lifetime_days":null,"name":"Brightwater","require_second_factor":false,"rotation_period_days":null}"#,
            r#"{"default_expiry_days":30,"maximum_lifetime_days":30,"name":"Brightwater","require_second_factor":true,"rotation_period_days":30}"#,
        ),
        pin(
            EventDetail::CompanyChanged { before: settings(None), after: reasoned() },
            r#"{"default_expiry_days":null,"maximum_lifetime_days":null,"name":"Brightwater","require_second_factor":false,"rotation_period_days":null}"#,
            r#"{"default_expiry_days":null,"default_expiry_reason":null,"idle_end_days":90,"idle_end_reason":null,"maximum_lifetime_days":null,"maximum_lifetime_reason":"Risk review","name":"Brightwater","require_second_factor":false,"rotation_period_days":null,"rotation_period_reason":null}"#,
        ),
        pin(EventDetail::CompanyCreated { after: named("Third") }, "", r#"{"name":"Third"}"#),
        pin(EventDetail::GatewayAdded { after: named("Łódź \"1\"/\t") }, "", r#"{"name":"Łódź \"1\"/\t"}"#),
        pin(EventDetail::GatewayRevoked { before: named("edge") }, r#"{"name":"edge"}"#, ""),
    ]);
    let ids = [("KEY", KEY), ("ACCOUNT", ACCOUNT), ("USER", USER), ("COLLEAGUE", COLLEAGUE), ("SESSION", SESSION)];
    let text = |text: String| {
        ids.iter().fold(text, |text, (word, id)| text.replace(&format!("\"{word}\""), &format!("\"{id}\"")))
    };
    all.into_iter().map(|(detail, before, after)| (detail, text(before), text(after))).collect()
}

#[expect(clippy::too_many_lines, reason = "one list of all shapes")]
fn key_details(name: &str) -> Vec<(EventDetail, String, String)> {
    let name = name.to_owned();
    let pin = |detail, before: &str, after: &str| (detail, before.to_owned(), after.to_owned());
    let owner = |id| KeyOwner { name: name.clone(), owner: user(id) };
    let details = |purpose: &str| AccountDetails {
        contact: String::new(),
        department: "IT".to_owned(),
        name: name.clone(),
        purpose: purpose.to_owned(),
    };
    let revoked = |keys_together| RevokedKey { keys_together, name: name.clone(), state: KeyState::Revoked };
    let superseded = |rotated_by| SupersededKey {
        ended_at: at(1_796_029_200_000_000),
        name: name.clone(),
        rotated_by,
        state: KeyState::Revoked,
    };
    let refused = |last_refused_at| RefusedKey { last_refused_at, name: name.clone(), refused: 2 };
    vec![
        pin(
            EventDetail::ApiKeyCreated { after: new_key() },
            "",
            r#"{"name":"ERP","preview":"goa_D0MA…SAgE","service_account_id":"ACCOUNT","state":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeyCreated {
                after: NewKey { expires_at: Some(at(1_806_019_199_999_999)), replaces: Some(key()), ..new_key() },
            },
            "",
            r#"{"expires_at":1806019199999999,"name":"ERP","preview":"goa_D0MA…SAgE","replaces":"KEY","service_account_id":"ACCOUNT","state":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeyCreated {
                after: NewKey { digest_fingerprint: Some(DigestFingerprint::of(b"abc")), ..new_key() },
            },
            "",
            r#"{"digest_fingerprint":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","name":"ERP","preview":"goa_D0MA…SAgE","service_account_id":"ACCOUNT","state":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeyCreated {
                after: NewKey {
                    digest_kind: Some(DigestKind::Sha256),
                    imported: true,
                    owner: Some(user(USER)),
                    ..new_key()
                },
            },
            "",
            r#"{"digest_kind":"sha256","imported":true,"name":"ERP","owner":"USER","preview":"goa_D0MA…SAgE","service_account_id":"ACCOUNT","state":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeyCreated { after: NewKey { purpose: Some("Syncs orders".to_owned()), ..new_key() } },
            "",
            r#"{"name":"ERP","preview":"goa_D0MA…SAgE","purpose":"Syncs orders","service_account_id":"ACCOUNT","state":"active"}"#,
        ),
        pin(
            EventDetail::ApiKeyDetailsChanged { before: details(""), after: details("Syncs orders") },
            r#"{"contact":"","department":"IT","name":"ERP","purpose":""}"#,
            r#"{"contact":"","department":"IT","name":"ERP","purpose":"Syncs orders"}"#,
        ),
        pin(
            EventDetail::ApiKeyExpired {
                before: active(),
                after: ExpiredKey {
                    ended_at: at(1_795_564_799_999_999),
                    idle_days: None,
                    name: name.clone(),
                    state: KeyState::Expired,
                },
            },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"ended_at":1795564799999999,"name":"ERP","state":"expired"}"#,
        ),
        pin(
            EventDetail::ApiKeyExpired {
                before: active(),
                after: ExpiredKey {
                    ended_at: at(1_795_564_799_999_999),
                    idle_days: Some(90),
                    name: name.clone(),
                    state: KeyState::Expired,
                },
            },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"ended_at":1795564799999999,"idle_days":90,"name":"ERP","state":"expired"}"#,
        ),
        pin(
            EventDetail::ApiKeyHandedOver { before: owner(USER), after: owner(COLLEAGUE) },
            r#"{"name":"ERP","owner":"USER"}"#,
            r#"{"name":"ERP","owner":"COLLEAGUE"}"#,
        ),
        pin(
            EventDetail::ApiKeyRefusedAfterRevocation { after: refused(Some(at(1_795_426_260_000_000))) },
            "",
            r#"{"last_refused_at":1795426260000000,"name":"ERP","refused":2}"#,
        ),
        pin(
            EventDetail::ApiKeyRefusedAfterRevocation { after: refused(None) },
            "",
            r#"{"last_refused_at":null,"name":"ERP","refused":2}"#,
        ),
        pin(
            EventDetail::ApiKeyRenamed { before: named("ERP Sync"), after: named("ERP") },
            r#"{"name":"ERP Sync"}"#,
            r#"{"name":"ERP"}"#,
        ),
        pin(
            EventDetail::ApiKeyRevoked { before: active(), after: revoked(None) },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"name":"ERP","state":"revoked"}"#,
        ),
        pin(
            EventDetail::ApiKeyRevoked { before: active(), after: revoked(Some(2)) },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"keys_together":2,"name":"ERP","state":"revoked"}"#,
        ),
        pin(
            EventDetail::ApiKeySuperseded { before: active(), after: superseded(Some(user(USER))) },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"ended_at":1796029200000000,"name":"ERP","rotated_by":"USER","state":"revoked"}"#,
        ),
        pin(
            EventDetail::ApiKeySuperseded { before: active(), after: superseded(None) },
            r#"{"name":"ERP","state":"active"}"#,
            r#"{"ended_at":1796029200000000,"name":"ERP","rotated_by":null,"state":"revoked"}"#,
        ),
    ]
}

fn rotation_details(name: &str) -> Vec<(EventDetail, String, String)> {
    let name = name.to_owned();
    let pin = |detail, before: &str, after: &str| (detail, before.to_owned(), after.to_owned());
    let end = |ends_at| KeyEnd { ends_at: at(ends_at), name: name.clone(), overlap_ends_at: None };
    let overlap_ends_at = Some(at(1_796_173_199_999_999));
    let old_key = |ends_at| OldKey { ends_at, name: name.clone(), overlap_ends_at: None, replaced_by: key() };
    vec![
        pin(
            EventDetail::ApiKeyOverlapExtended {
                before: end(1_795_568_399_999_998),
                after: end(1_796_173_199_999_998),
            },
            r#"{"ends_at":1795568399999998,"name":"ERP"}"#,
            r#"{"ends_at":1796173199999998,"name":"ERP"}"#,
        ),
        pin(
            EventDetail::ApiKeyOverlapExtended {
                before: end(1_795_568_399_999_998),
                after: KeyEnd { overlap_ends_at, ..end(1_796_173_199_999_998) },
            },
            r#"{"ends_at":1795568399999998,"name":"ERP"}"#,
            r#"{"ends_at":1796173199999998,"name":"ERP","overlap_ends_at":1796173199999999}"#,
        ),
        pin(
            EventDetail::ApiKeyExpiryChanged {
                before: KeyExpiry { expires_at: None, name: name.clone() },
                after: KeyExpiry { expires_at: Some(at(1_796_173_199_999_999)), name: name.clone() },
            },
            r#"{"expires_at":null,"name":"ERP"}"#,
            r#"{"expires_at":1796173199999999,"name":"ERP"}"#,
        ),
        pin(
            EventDetail::ApiKeyRotated { before: named("ERP"), after: old_key(None) },
            r#"{"name":"ERP"}"#,
            r#"{"name":"ERP","replaced_by":"KEY"}"#,
        ),
        pin(
            EventDetail::ApiKeyRotated { before: named("ERP"), after: old_key(Some(at(1_796_036_399_999_999))) },
            r#"{"name":"ERP"}"#,
            r#"{"ends_at":1796036399999999,"name":"ERP","replaced_by":"KEY"}"#,
        ),
        pin(
            EventDetail::ApiKeyRotated {
                before: named("ERP"),
                after: OldKey { overlap_ends_at, ..old_key(Some(at(1_796_036_399_999_999))) },
            },
            r#"{"name":"ERP"}"#,
            r#"{"ends_at":1796036399999999,"name":"ERP","overlap_ends_at":1796173199999999,"replaced_by":"KEY"}"#,
        ),
    ]
}

fn user_details() -> Vec<(EventDetail, String, String)> {
    let pin = |detail, before: &str, after: &str| (detail, before.to_owned(), after.to_owned());
    let role = |role| UserRole { role };
    let second_factor = SecondFactor::new;
    let code = |second_factor| EventDetail::UserSignedInWithCode { after: UsedCode { second_factor } };
    vec![
        pin(EventDetail::UserAdded { after: role(Role::Admin) }, "", r#"{"role":"admin"}"#),
        pin(EventDetail::UserDeleted { before: role(Role::Auditor) }, r#"{"role":"auditor"}"#, ""),
        pin(
            EventDetail::UserDeletedKeysHandedOver {
                before: role(Role::Admin),
                after: KeysHandedOver { keys_handed_over: 2, new_owner: user(COLLEAGUE) },
            },
            r#"{"role":"admin"}"#,
            r#"{"keys_handed_over":2,"new_owner":"COLLEAGUE"}"#,
        ),
        pin(
            EventDetail::UserDeletedKeysRevoked { before: role(Role::Admin), after: KeysRevoked { keys_revoked: 2 } },
            r#"{"role":"admin"}"#,
            r#"{"keys_revoked":2}"#,
        ),
        pin(EventDetail::UserInvitationAccepted, "", ""),
        pin(EventDetail::UserInvitationRenewed, "", ""),
        pin(EventDetail::UserInvited, "", ""),
        pin(EventDetail::UserPasswordChanged, "", ""),
        pin(
            EventDetail::UserPasswordChangedByLink { after: UsedLink::new(Some(Actor::User(user(COLLEAGUE)))) },
            "",
            r#"{"link_created_by":"COLLEAGUE","link_created_by_type":"user"}"#,
        ),
        pin(
            EventDetail::UserPasswordChangedByLink { after: UsedLink::new(Some(Actor::CommandLine)) },
            "",
            r#"{"link_created_by_type":"command_line"}"#,
        ),
        pin(
            EventDetail::UserPasswordChangedByLink { after: UsedLink::new(None) },
            "",
            r#"{"link_created_by_type":null}"#,
        ),
        pin(
            EventDetail::UserProfileChanged {
                after: ChangedProfile {
                    changed: vec![ProfileField::Name, ProfileField::TimeZone, ProfileField::Theme],
                },
            },
            "",
            r#"{"changed":["name","time_zone","theme"]}"#,
        ),
        pin(
            EventDetail::UserRoleChanged { before: role(Role::Auditor), after: role(Role::Admin) },
            r#"{"role":"auditor"}"#,
            r#"{"role":"admin"}"#,
        ),
        pin(
            EventDetail::UserSecondFactorChanged { before: second_factor(false), after: second_factor(true) },
            r#"{"second_factor":false}"#,
            r#"{"second_factor":true}"#,
        ),
        pin(
            EventDetail::UserSecondFactorChanged {
                before: second_factor(true),
                after: SecondFactor { recovery_codes_renewed: true, ..second_factor(true) },
            },
            r#"{"second_factor":true}"#,
            r#"{"recovery_codes_renewed":true,"second_factor":true}"#,
        ),
        pin(
            EventDetail::UserSessionEnded { after: EndedSession { session_id: SessionId::parse(SESSION).unwrap() } },
            "",
            r#"{"session_id":"SESSION"}"#,
        ),
        pin(EventDetail::UserSessionsEnded { after: EndedSessions { sessions: 1 } }, "", r#"{"sessions":1}"#),
        pin(EventDetail::UserSignInRefused { after: RefusedSignIns { refusals: 1 } }, "", r#"{"refusals":1}"#),
        pin(EventDetail::UserSignedIn, "", ""),
        pin(code(CodeKind::Authenticator), "", r#"{"second_factor":"authenticator"}"#),
        pin(code(CodeKind::RecoveryCode), "", r#"{"second_factor":"recovery_code"}"#),
        pin(EventDetail::UserSignedOut, "", ""),
        pin(EventDetail::UserUnlocked, "", ""),
    ]
}

fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[test]
fn the_json_of_events_never_changes() {
    for (detail, before, after) in pinned() {
        let json = detail.to_json();
        assert_eq!((json.before.as_deref(), json.after.as_deref()), (present(&before), present(&after)));
    }
}

#[test]
fn a_detail_is_parsed_back_from_its_json() {
    for (detail, before, after) in pinned() {
        assert_eq!(EventDetail::parse(detail.action(), present(&before), present(&after)), detail);
    }
}

#[test]
fn every_action_is_pinned() {
    let pinned = pinned();
    for action in Action::ALL {
        assert!(pinned.iter().any(|(detail, _, _)| detail.action() == action.as_str()), "{action:?}");
    }
}

#[test]
fn unknown_details_stay_readable() {
    let owner = format!(r#"{{"name":"ERP","owner":"{USER}","since":1}}"#);
    for (action, before, after) in [
        ("api_key.handed_over", Some(r#"{"name":"Old"}"#), Some(owner.as_str())),
        ("api_key.archived", Some(r#"{"name":"Old"}"#), Some(owner.as_str())),
        ("user.signed_out", None, Some(owner.as_str())),
    ] {
        let detail = EventDetail::parse(action, before, after);
        assert!(matches!(detail, EventDetail::Raw(_)), "{detail:?}");
        assert_eq!((detail.action(), detail.name().as_deref()), (action, Some("ERP")));
        assert_eq!((detail.users(), detail.keys()), (vec![user(USER)], vec![]));
        let json = detail.to_json();
        assert_eq!((json.before.as_deref(), json.after.as_deref()), (before, after));
    }
    let replaced =
        EventDetail::parse("api_key.archived", Some(&format!(r#"{{"name":"ERP","replaces":"{KEY}"}}"#)), None);
    assert_eq!((replaced.name().as_deref(), replaced.keys()), (Some("ERP"), vec![key()]));
    assert_eq!(EventDetail::parse("api_key.renamed", Some("no JSON"), Some("{}")).name(), None);
}

#[test]
fn a_detail_names_its_subject_users_and_keys() {
    let of = |action: &'static str| {
        pinned().into_iter().map(|(detail, _, _)| detail).filter(move |detail| detail.action() == action)
    };
    assert_eq!(of("api_key.renamed").next().unwrap().name().as_deref(), Some("ERP"));
    assert_eq!(of("gateway.revoked").next().unwrap().name().as_deref(), Some("edge"));
    assert_eq!(of("user.added").next().unwrap().name(), None);
    assert_eq!(of("api_key.handed_over").next().unwrap().users(), [user(USER), user(COLLEAGUE)]);
    assert_eq!(of("user.deleted").flat_map(|detail| detail.users()).collect::<Vec<_>>(), [user(COLLEAGUE)]);
    assert_eq!(of("api_key.revoked").flat_map(|detail| detail.users()).collect::<Vec<_>>(), [user(USER)]);
    assert_eq!(of("api_key.created").flat_map(|detail| detail.keys()).collect::<Vec<_>>(), [key()]);
    assert_eq!(of("api_key.rotated").next().unwrap().keys(), [key()]);
    assert_eq!(of("audit_trail.exported").flat_map(|detail| detail.users()).collect::<Vec<_>>(), [user(USER)]);
    assert_eq!(of("audit_trail.exported").flat_map(|detail| detail.keys()).collect::<Vec<_>>(), [key()]);
}
