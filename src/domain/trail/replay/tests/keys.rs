//! Keys.

use super::*;

#[test]
fn a_new_key_is_as_its_event_says_in_every_column() {
    let mut trail = Trail::with_key(Some(EXPIRY));
    let row = Trail::row(Some(EXPIRY));
    assert_eq!(trail.differing(&row), []);
    let id = || user(7).to_string();
    let text = || Some("x".to_owned());
    for (column, changed) in [
        ("service_account_id", StoredKey { service_account_id: id(), ..row.clone() }),
        ("digest", StoredKey { digest: vec![2; 32], ..row.clone() }),
        ("pepper_id", StoredKey { pepper_id: id(), ..row.clone() }),
        ("preview preview_folded", StoredKey { preview: id(), ..row.clone() }),
        ("preview_folded", StoredKey { preview_folded: id(), ..row.clone() }),
        ("created_at", StoredKey { created_at: 0, ..row.clone() }),
        ("created_by", StoredKey { created_by: id(), ..row.clone() }),
        ("owner", StoredKey { owner: id(), ..row.clone() }),
        ("expires_at ended_at refused_from", StoredKey { expires_at: None, ..row.clone() }),
        ("revoked_at ended_at refused_from", StoredKey { revoked_at: Some(1), ..row.clone() }),
        ("revoked_by_type", StoredKey { revoked_by_type: text(), ..row.clone() }),
        ("revoked_by", StoredKey { revoked_by: text(), ..row.clone() }),
        ("revocation_reason", StoredKey { revocation_reason: text(), ..row.clone() }),
        ("revocation_comment", StoredKey { revocation_comment: text(), ..row.clone() }),
        ("replaced_by", StoredKey { replaced_by: text(), ..row.clone() }),
        ("rotated_by", StoredKey { rotated_by: text(), ..row.clone() }),
        ("overlap_ends_at ended_at refused_from", StoredKey { overlap_ends_at: Some(1), ..row.clone() }),
        ("overlap_extended", StoredKey { overlap_extended: true, ..row.clone() }),
        ("end_recorded refused_from", StoredKey { end_recorded: true, ..row.clone() }),
        ("ended_at", StoredKey { ended_at: 1, ..row.clone() }),
        ("refused_from", StoredKey { refused_from: 1, ..row.clone() }),
    ] {
        assert_eq!(trail.differing(&changed), differs(column, 3));
    }
    let unknown = StoredKey { id: "no id".to_owned(), ..row };
    assert_eq!(columns(trail.replay.compare_key(&unknown, PEPPER)), differs("Unrecorded", 0));
}

#[test]
fn a_revoked_key_stays_revoked() {
    let mut trail = Trail::with_key(None);
    trail.revoke(Actor::KeyHolder);
    let row = StoredKey {
        revoked_at: Some(4_000),
        revoked_by_type: Some("key_holder".to_owned()),
        revocation_reason: Some("compromised".to_owned()),
        revocation_comment: Some("Seen.".to_owned()),
        ended_at: 4_000,
        refused_from: -i64::MAX,
        ..Trail::row(None)
    };
    assert_eq!(trail.differing(&row), []);
    let revived = "revoked_at revoked_by_type revocation_reason revocation_comment";
    assert_eq!(trail.differing(&Trail::row(None)), differs(revived, 4));
    let other_comment = StoredKey { revocation_comment: Some("seen.".to_owned()), ..row };
    assert_eq!(trail.differing(&other_comment), differs("revocation_comment", 4));
}

#[test]
fn a_rotation_its_extension_and_its_end_are_replayed() {
    let mut trail = Trail::with_key(None);
    trail.rotate(Some(50_000), None);
    let mut row = StoredKey {
        replaced_by: Some(key(2).to_string()),
        rotated_by: Some(user(1).to_string()),
        overlap_ends_at: Some(50_000),
        ended_at: 50_000,
        refused_from: 50_000,
        ..Trail::row(None)
    };
    assert_eq!(trail.differing(&row), []);
    trail.extend(60_000, None);
    assert_eq!(trail.differing(&row), differs("overlap_ends_at overlap_extended", 6));
    (row.overlap_ends_at, row.overlap_extended, row.ended_at, row.refused_from) = (Some(60_000), true, 60_000, 60_000);
    assert_eq!(trail.differing(&row), []);
    let after =
        SupersededKey { ended_at: time(60_000), name: name(), rotated_by: Some(user(1)), state: KeyState::Revoked };
    let superseded = EventDetail::ApiKeySuperseded { before: active(), after };
    trail.add_by(Actor::System, &key(1), &superseded, Some("superseded"), None);
    let superseded = StoredKey {
        revoked_at: Some(60_000),
        revoked_by_type: Some("user".to_owned()),
        revoked_by: Some(user(1).to_string()),
        revocation_reason: Some("superseded".to_owned()),
        end_recorded: true,
        refused_from: -i64::MAX,
        ..row.clone()
    };
    assert_eq!(trail.differing(&superseded), []);
    assert_eq!(trail.differing(&row)[0].1, 7);
}

#[test]
fn an_overlap_beyond_the_expiry_is_exact_in_new_events_only() {
    let row = |overlap| StoredKey {
        replaced_by: Some(key(2).to_string()),
        rotated_by: Some(user(1).to_string()),
        overlap_ends_at: Some(overlap),
        ended_at: EXPIRY.min(overlap),
        refused_from: EXPIRY.min(overlap),
        ..Trail::row(Some(EXPIRY))
    };
    for (recorded, fitting, not_fitting) in
        [(Some(95_000), vec![95_000], vec![EXPIRY, 95_001]), (None, vec![EXPIRY, 95_000], vec![EXPIRY - 1])]
    {
        let mut trail = Trail::with_key(Some(EXPIRY));
        trail.rotate(Some(EXPIRY), recorded);
        for overlap in fitting {
            assert_eq!(trail.differing(&row(overlap)), []);
        }
        for overlap in not_fitting {
            assert_eq!(trail.differing(&row(overlap)), differs("overlap_ends_at", 5));
        }
    }
}

#[test]
fn a_recorded_expiry_holds_until_a_new_overlap() {
    let mut trail = Trail::with_key(Some(EXPIRY));
    let after = ExpiredKey { ended_at: time(EXPIRY), idle_days: None, name: name(), state: KeyState::Expired };
    trail.add_by(Actor::System, &key(1), &EventDetail::ApiKeyExpired { before: active(), after }, None, None);
    let row = StoredKey { end_recorded: true, refused_from: -i64::MAX, ..Trail::row(Some(EXPIRY)) };
    assert_eq!(trail.differing(&row), []);
    let by_clock = StoredKey { refused_from: EXPIRY, ..row.clone() };
    assert_eq!(trail.differing(&by_clock), differs("refused_from", 4));
    assert_eq!(trail.differing(&Trail::row(Some(EXPIRY))), differs("end_recorded", 4));
    trail.rotate(Some(50_000), None);
    assert_eq!(trail.differing(&row)[0].0, "replaced_by rotated_by overlap_ends_at end_recorded");
}

#[test]
fn an_idle_key_expired_when_the_event_says() {
    let mut trail = Trail::with_key(None);
    let after = ExpiredKey { ended_at: time(EXPIRY), idle_days: Some(90), name: name(), state: KeyState::Expired };
    trail.add_by(Actor::System, &key(1), &EventDetail::ApiKeyExpired { before: active(), after }, None, None);
    let row = StoredKey { end_recorded: true, refused_from: -i64::MAX, ..Trail::row(Some(EXPIRY)) };
    assert_eq!(trail.differing(&row), []);
    assert!(!trail.differing(&Trail::row(None)).is_empty());
}

#[test]
fn a_key_without_a_fingerprint_is_counted() {
    let mut trail = Trail::with_key(None);
    let detail = EventDetail::parse(
        "api_key.created",
        None,
        Some(&format!(
            r#"{{"name":"Old","preview":"{PREVIEW}","service_account_id":"{}","state":"active"}}"#,
            account()
        )),
    );
    trail.add(&key(9), &detail);
    let row = StoredKey { id: key(9).to_string(), created_at: 4_000, digest: vec![7; 32], ..Trail::row(None) };
    assert_eq!(columns(trail.replay.compare_key(&row, PEPPER)), []);
    let counts = trail.replay.counts();
    assert_eq!((counts.keys, counts.keys_without_fingerprint), (2, 1));
}

#[test]
fn a_rotated_key_keeps_its_owner_unless_deleted() {
    for (is_deleted, owner) in [(false, user(2)), (true, user(1))] {
        let mut trail = Trail::with_key(None);
        trail.add(&user(2), &EventDetail::UserAdded { after: UserRole { role: Role::Auditor } });
        let owner_of = |owner| KeyOwner { name: name(), owner };
        let handed_over = EventDetail::ApiKeyHandedOver { before: owner_of(user(1)), after: owner_of(user(2)) };
        trail.add(&key(1), &handed_over);
        let row = StoredKey { owner: user(2).to_string(), ..Trail::row(None) };
        assert_eq!(trail.differing(&row), []);
        assert_eq!(trail.differing(&Trail::row(None)), differs("owner", 5));
        if is_deleted {
            trail.add(&user(2), &EventDetail::UserDeleted { before: UserRole { role: Role::Auditor } });
        }
        trail.rotate(None, None);
        let created_at = if is_deleted { 7_000 } else { 6_000 };
        let new = StoredKey {
            id: key(2).to_string(),
            digest: vec![2; 32],
            owner: owner.to_string(),
            created_at,
            ..Trail::row(None)
        };
        assert_eq!(columns(trail.replay.compare_key(&new, PEPPER)), []);
    }
}

#[test]
fn a_key_of_the_command_line_has_the_creator_and_owner_of_its_event() {
    let mut trail = Trail::with_key(None);
    let created = NewKey {
        digest_fingerprint: Some(DigestFingerprint::of(&[2; 32])),
        digest_kind: Some(DigestKind::Sha256),
        expires_at: None,
        imported: true,
        name: name(),
        owner: Some(user(1)),
        pepper_id: None,
        preview: PREVIEW.to_owned(),
        purpose: None,
        replaces: None,
        service_account_id: account(),
        state: KeyState::Active,
    };
    let detail = EventDetail::ApiKeyCreated { after: created };
    trail.add_by(Actor::CommandLine, &key(2), &detail, None, None);
    let row = StoredKey {
        id: key(2).to_string(),
        digest: vec![2; 32],
        digest_kind: "sha256".to_owned(),
        created_at: 4_000,
        created_by_type: "command_line".to_owned(),
        ..Trail::row(None)
    };
    assert_eq!(trail.differing(&row), []);
    let found = trail.differing(&StoredKey { created_by_type: "user".to_owned(), ..row.clone() });
    assert_eq!(found, differs("created_by_type", 4));
    assert_eq!(trail.differing(&StoredKey { digest_kind: "key".to_owned(), ..row }), differs("digest_kind", 4));
}

#[test]
fn a_renewed_digest_and_its_pepper_are_those_of_the_last_event() {
    let mut trail = Trail::with_key(None);
    let row = Trail::row(None);
    let fingerprint = DigestFingerprint::of(&[9; 32]);
    let after = RenewedDigest { digest_fingerprint: fingerprint, name: name(), pepper_id: "p2".to_owned() };
    trail.add_by(Actor::System, &key(1), &EventDetail::ApiKeyDigestRenewed { after }, None, None);
    let renewed = StoredKey { digest: vec![9; 32], pepper_id: "p2".to_owned(), ..row.clone() };
    assert_eq!(trail.differing(&renewed), []);
    assert_eq!(trail.differing(&row), differs("digest pepper_id", 4));
    let exchanged = StoredKey { digest: vec![8; 32], ..renewed };
    assert_eq!(trail.differing(&exchanged), differs("digest", 4));
}

#[test]
fn a_key_has_the_expiry_of_the_last_event() {
    let mut trail = Trail::with_key(Some(EXPIRY));
    let expiry = |at: Option<i64>| KeyExpiry { expires_at: at.map(time), name: name() };
    let changed = EventDetail::ApiKeyExpiryChanged { before: expiry(Some(EXPIRY)), after: expiry(Some(50_000)) };
    trail.add(&key(1), &changed);
    assert_eq!(trail.differing(&Trail::row(Some(50_000))), []);
    assert_eq!(trail.differing(&Trail::row(Some(EXPIRY))), differs("expires_at", 4));
    // The overlap of a later rotation is compared with the new expiry.
    trail.rotate(Some(50_000), None);
    let row = StoredKey {
        replaced_by: Some(key(2).to_string()),
        rotated_by: Some(user(1).to_string()),
        overlap_ends_at: Some(60_000),
        ..Trail::row(Some(50_000))
    };
    assert_eq!(trail.differing(&row), []);
}
