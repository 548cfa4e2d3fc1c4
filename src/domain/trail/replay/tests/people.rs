//! Accounts, users, companies and gateways.

use super::*;

#[test]
fn an_account_has_the_name_of_its_last_renaming() {
    let mut trail = Trail::with_key(None);
    let renamed = Name { name: "Straße".to_owned() };
    trail.add(&key(1), &EventDetail::ApiKeyRenamed { before: Name { name: name() }, after: renamed });
    let row = StoredAccount {
        id: account().to_string(),
        name: "Straße".to_owned(),
        name_folded: "strasse".to_owned(),
        created_at: 3_000,
        purpose: String::new(),
        department: String::new(),
        contact: String::new(),
    };
    let mut compare = |row: &StoredAccount| columns(trail.replay.compare_account(row));
    assert_eq!(compare(&row), []);
    assert_eq!(compare(&StoredAccount { name: "STRASSE".to_owned(), ..row.clone() }), differs("name", 4));
    assert_eq!(compare(&StoredAccount { name_folded: "straße".to_owned(), ..row.clone() }), differs("name_folded", 4));
    assert_eq!(compare(&StoredAccount { created_at: 1, ..row.clone() }), differs("created_at", 3));
    assert_eq!(compare(&StoredAccount { contact: "x".to_owned(), ..row }), differs("contact", 3));
}

#[test]
fn an_account_has_the_details_of_the_last_events() {
    let mut trail = Trail::with_key(None);
    let details = |purpose: &str, contact: &str| AccountDetails {
        contact: contact.to_owned(),
        department: String::new(),
        name: name(),
        purpose: purpose.to_owned(),
    };
    let changed = EventDetail::ApiKeyDetailsChanged { before: details("", ""), after: details("Syncs", "#it") };
    trail.add(&key(1), &changed);
    let row = StoredAccount {
        id: account().to_string(),
        name: name(),
        name_folded: "erp".to_owned(),
        created_at: 3_000,
        purpose: "Syncs".to_owned(),
        department: String::new(),
        contact: "#it".to_owned(),
    };
    let compare = |trail: &mut Trail, row: &StoredAccount| columns(trail.replay.compare_account(row));
    assert_eq!(compare(&mut trail, &row), []);
    for other in ["", "syncs"] {
        assert_eq!(
            compare(&mut trail, &StoredAccount { purpose: other.to_owned(), ..row.clone() }),
            differs("purpose", 4)
        );
    }
    // A new key of the account may bring another purpose.
    let after = NewKey { purpose: Some("Copies".to_owned()), ..Trail::new_key(2, None, None) };
    trail.add(&key(2), &EventDetail::ApiKeyCreated { after });
    assert_eq!(compare(&mut trail, &StoredAccount { purpose: "Copies".to_owned(), ..row.clone() }), []);
    assert_eq!(compare(&mut trail, &row), differs("purpose", 5));
}

#[test]
fn a_user_has_the_role_second_factor_and_end_of_the_events() {
    let mut trail = Trail::with_key(None);
    let role = |role| UserRole { role };
    let demoted = EventDetail::UserRoleChanged { before: role(Role::Admin), after: role(Role::Auditor) };
    trail.add(&user(1), &demoted);
    let factor = SecondFactor::new;
    let set_up = EventDetail::UserSecondFactorChanged { before: factor(false), after: factor(true) };
    trail.add(&user(1), &set_up);
    let row = StoredUser {
        id: user(1).to_string(),
        role: "auditor".to_owned(),
        created_at: 2_000,
        deleted_at: None,
        second_factor_since: Some(5_000),
    };
    let compare = |trail: &mut Trail, row: &StoredUser| columns(trail.replay.compare_user(row));
    assert_eq!(compare(&mut trail, &row), []);
    for (column, sequence, changed) in [
        ("role", 4, StoredUser { role: "admin".to_owned(), ..row.clone() }),
        ("created_at", 2, StoredUser { created_at: 1, ..row.clone() }),
        ("deleted_at", 5, StoredUser { deleted_at: Some(1), ..row.clone() }),
        ("second factor", 5, StoredUser { second_factor_since: None, ..row.clone() }),
    ] {
        assert_eq!(compare(&mut trail, &changed), differs(column, sequence));
    }
    trail.add(&user(1), &EventDetail::UserDeleted { before: role(Role::Auditor) });
    assert_eq!(compare(&mut trail, &row), differs("deleted_at second factor", 6));
    let deleted = StoredUser { deleted_at: Some(6_000), second_factor_since: None, ..row };
    assert_eq!(compare(&mut trail, &deleted), []);
}

#[test]
fn a_company_has_the_settings_of_its_last_change() {
    let mut trail = Trail::with_key(None);
    let settings = |days: Option<u16>, reason: Option<&str>| CompanySettings {
        default_expiry_days: days,
        default_expiry_reason: Some(None),
        idle_end_days: reason.map(|_| Some(90)),
        idle_end_reason: None,
        maximum_lifetime_days: days,
        maximum_lifetime_reason: reason.map(|reason: &str| Some(reason.to_owned())),
        name: name(),
        require_second_factor: days.is_some(),
        rotation_period_days: days,
        rotation_period_reason: None,
    };
    let change = |before, after| EventDetail::CompanyChanged { before, after };
    trail.add(&company(), &change(settings(None, None), settings(Some(30), Some("Risk review"))));
    // An event of an older version says nothing about the reasons.
    trail.add(&company(), &change(settings(Some(30), None), settings(Some(90), None)));
    let row = StoredCompany {
        id: company().to_string(),
        name: name(),
        name_folded: "erp".to_owned(),
        created_at: 1_000,
        require_second_factor: true,
        default_expiry_days: Some(90),
        maximum_lifetime_days: Some(90),
        rotation_period_days: Some(90),
        default_expiry_reason: None,
        maximum_lifetime_reason: Some("Risk review".to_owned()),
        rotation_period_reason: None,
        idle_end_days: Some(90),
        idle_end_reason: None,
    };
    let mut compare = |row: &StoredCompany| columns(trail.replay.compare_company(row));
    assert_eq!(compare(&row), []);
    for (column, sequence, changed) in [
        ("name name_folded", 5, StoredCompany { name: "Other".to_owned(), ..row.clone() }),
        ("name_folded", 5, StoredCompany { name_folded: "ERP".to_owned(), ..row.clone() }),
        ("created_at", 1, StoredCompany { created_at: 0, ..row.clone() }),
        ("require_second_factor", 5, StoredCompany { require_second_factor: false, ..row.clone() }),
        ("default_expiry_days", 5, StoredCompany { default_expiry_days: None, ..row.clone() }),
        ("maximum_lifetime_days", 5, StoredCompany { maximum_lifetime_days: Some(-1), ..row.clone() }),
        ("default_expiry_reason", 5, StoredCompany { default_expiry_reason: Some("Other".to_owned()), ..row.clone() }),
        ("maximum_lifetime_reason", 5, StoredCompany { maximum_lifetime_reason: None, ..row.clone() }),
        ("rotation_period_reason", 5, StoredCompany { rotation_period_reason: Some(String::new()), ..row.clone() }),
        ("idle_end_days", 5, StoredCompany { idle_end_days: None, ..row.clone() }),
        ("idle_end_reason", 5, StoredCompany { idle_end_reason: Some(String::new()), ..row.clone() }),
        ("rotation_period_days", 5, StoredCompany { rotation_period_days: Some(91), ..row.clone() }),
    ] {
        assert_eq!(compare(&changed), differs(column, sequence));
    }
}

#[test]
fn a_revoked_gateway_stays_revoked() {
    let gateway = GatewayId::new(time(0), &[1; 10]);
    let mut trail = Trail::default();
    let named = || Name { name: "Edge".to_owned() };
    trail.add_by(Actor::CommandLine, &gateway, &EventDetail::GatewayAdded { after: named() }, None, None);
    trail.add_by(Actor::CommandLine, &gateway, &EventDetail::GatewayRevoked { before: named() }, None, None);
    let row = StoredGateway {
        id: gateway.to_string(),
        name: "Edge".to_owned(),
        name_folded: "edge".to_owned(),
        created_at: 1_000,
        revoked_at: Some(2_000),
    };
    let mut compare = |row: &StoredGateway| columns(trail.replay.compare_gateway(row));
    assert_eq!(compare(&row), []);
    assert_eq!(compare(&StoredGateway { revoked_at: None, ..row.clone() }), differs("revoked_at", 2));
    assert_eq!(compare(&StoredGateway { name: "EDGE".to_owned(), ..row }), differs("name", 1));
}

#[test]
fn rows_that_were_not_found_are_missing_unless_newer() {
    let mut trail = Trail::with_key(None);
    trail.create(2, None, None);
    trail.replay.compare_key(&Trail::row(None), PEPPER);
    let missing = |trail: &Trail, size| -> Vec<_> {
        let missing = trail.replay.missing(size).into_iter();
        missing.map(|missing| (missing.subject.kind, missing.sequence.unwrap())).collect()
    };
    let rest = [(SubjectKind::Company, 1), (SubjectKind::User, 2), (SubjectKind::ServiceAccount, 4)];
    assert_eq!(missing(&trail, 3), rest);
    assert_eq!(missing(&trail, 4), [&rest[..], &[(SubjectKind::ApiKey, 4)]].concat());
}

#[test]
fn a_folded_text_is_compared_as_it_is_folded() {
    use super::super::comparison::is_case_folded;
    use crate::domain::text::normalize::case_folded;
    for text in ["ERP Sync", "goa_D0MA…SAgE", "Straße", " a", "a  b", "a\tb", "\u{1F511} Ünï", "", "e\u{301}"] {
        for folded in [case_folded(text), text.to_owned(), text.to_lowercase()] {
            let is_folded = folded == case_folded(text);
            assert_eq!(is_case_folded(&folded, text), is_folded, "{text:?} {folded:?}");
        }
    }
}
