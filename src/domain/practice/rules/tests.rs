//! Tests of the rules, one at each boundary.

use proptest::prelude::*;

use super::*;
use crate::domain::policy::key_policy::Days;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const MOMENT: Duration = Duration::from_micros(1);

fn days(count: u32) -> Duration {
    DAY * count
}

/// A key without findings under the policy of [`standard`].
fn sound_key() -> KeyFacts {
    KeyFacts {
        name: "ERP Sync Service".to_owned(),
        has_purpose: true,
        created_at: NOW - days(20),
        ends: KeyEnds { expires_at: Some(NOW + days(100)), ..KeyEnds::default() },
        owner: Owner::LastSeen(NOW - days(1)),
        last_used_at: Some(NOW - days(1)),
        clients: vec![used(NOW - days(1), "203.0.113.1", "python-requests/2.32")],
    }
}

fn used(at: Timestamp, address: &str, client: &str) -> ClientUse {
    ClientUse { at, address: address.parse().ok(), client: client.to_owned() }
}

fn standard() -> Standard<'static> {
    let policy = KeyPolicy { default_expiry: Days::new(90), rotation_period: Days::new(60), ..KeyPolicy::default() };
    Standard { policy, platform: "Go Autonomous" }
}

fn found(key: &KeyFacts) -> Vec<Practice> {
    standard().assess(key, NOW).findings.iter().collect()
}

#[test]
fn a_sound_key_has_no_findings() {
    assert_eq!(found(&sound_key()), []);
}

#[test]
fn an_ended_key_has_no_findings() {
    let mut key = KeyFacts { name: "test".to_owned(), has_purpose: false, ..sound_key() };
    assert_eq!(found(&key), [Practice::TellsNothing, Practice::NoPurpose]);
    key.ends.expires_at = Some(NOW);
    assert_eq!(standard().assess(&key, NOW), Assessment { findings: Findings::default(), next_change: None });
    key.ends = KeyEnds { revoked_at: Some(NOW), ..KeyEnds::default() };
    assert_eq!(found(&key), []);
}

#[test]
fn an_owner_is_gone_when_deleted_or_absent_for_90_days() {
    let owned_by = |owner| found(&KeyFacts { owner, ..sound_key() });
    assert_eq!(owned_by(Owner::Deleted), [Practice::OwnerGone]);
    assert_eq!(owned_by(Owner::LastSeen(NOW - days(90))), [Practice::OwnerGone]);
    assert_eq!(owned_by(Owner::LastSeen(NOW - days(90) + MOMENT)), []);
}

#[test]
fn a_key_expires_soon_within_30_days() {
    let expiring = |at| {
        let ends = KeyEnds { expires_at: Some(at), ..KeyEnds::default() };
        found(&KeyFacts { ends, ..sound_key() })
    };
    assert_eq!(expiring(NOW + days(30)), [Practice::ExpiresSoon]);
    assert_eq!(expiring(NOW + days(30) + MOMENT), []);
    assert_eq!(expiring(NOW + MOMENT), [Practice::ExpiresSoon]);
}

#[test]
fn rotation_is_due_after_the_period_of_the_policy() {
    let created = |at| KeyFacts { created_at: at, ..sound_key() };
    assert_eq!(found(&created(NOW - days(60))), [Practice::RotationDue]);
    assert_eq!(found(&created(NOW - days(60) + MOMENT)), []);
    let lenient = Standard { policy: KeyPolicy::default(), ..standard() };
    assert!(lenient.assess(&created(NOW - days(3_000)), NOW).findings.is_empty());
}

#[test]
fn a_key_that_is_being_replaced_needs_no_rotation_or_expiry() {
    let ends = KeyEnds { overlap_ends_at: Some(NOW + days(3)), ..KeyEnds::default() };
    let replaced = KeyFacts { ends, created_at: NOW - days(300), ..sound_key() };
    assert_eq!(found(&replaced), []);
    let ends = KeyEnds { expires_at: Some(NOW + days(2)), ..ends };
    assert_eq!(found(&KeyFacts { ends, ..replaced.clone() }), []);
    let ends = KeyEnds { overlap_ends_at: None, ..ends };
    assert_eq!(found(&KeyFacts { ends, ..replaced }), [Practice::ExpiresSoon, Practice::RotationDue]);
}

#[test]
fn clients_of_the_last_seven_days_count() {
    let third_network = |at| {
        let mut clients = sound_key().clients;
        clients.push(used(NOW, "198.51.100.4", "go-http-client/2.0"));
        clients.push(used(at, "192.0.2.1", "go-http-client/2.0"));
        found(&KeyFacts { clients, ..sound_key() })
    };
    assert_eq!(third_network(NOW - days(7) + MOMENT), [Practice::SeveralPlaces]);
    assert_eq!(third_network(NOW - days(7)), []);
    let browser_at = |at| {
        let clients = vec![used(at, "203.0.113.1", "Mozilla/5.0")];
        found(&KeyFacts { clients, ..sound_key() })
    };
    assert_eq!(browser_at(NOW - days(7) + MOMENT), [Practice::HumanClient]);
    assert_eq!(browser_at(NOW - days(7)), []);
}

#[test]
fn a_used_key_is_unused_after_90_days() {
    let last_used = |at| found(&KeyFacts { last_used_at: Some(at), clients: Vec::new(), ..sound_key() });
    assert_eq!(last_used(NOW - days(90)), [Practice::Unused]);
    assert_eq!(last_used(NOW - days(90) + MOMENT), []);
}

#[test]
fn a_key_is_never_used_14_days_after_its_creation() {
    let created = |at| found(&KeyFacts { last_used_at: None, clients: Vec::new(), created_at: at, ..sound_key() });
    assert_eq!(created(NOW - days(14)), [Practice::NeverUsed]);
    assert_eq!(created(NOW - days(14) + MOMENT), []);
}

#[test]
fn a_missing_expiry_is_found_where_the_policy_sets_one() {
    let endless = KeyFacts { ends: KeyEnds::default(), ..sound_key() };
    assert_eq!(found(&endless), [Practice::NoExpiry]);
    let maximum = KeyPolicy { maximum_lifetime: Days::new(365), ..KeyPolicy::default() };
    let findings = |policy| Standard { policy, ..standard() }.assess(&endless, NOW).findings;
    assert!(findings(maximum).contains(Practice::NoExpiry));
    assert!(findings(KeyPolicy::default()).is_empty());
}

proptest! {
    /// Nothing changes before the time that an assessment names.
    #[test]
    fn findings_hold_until_the_next_change(
        created in 0_u32..200, expires in 1_u32..200, overlap in proptest::option::of(1_u32..60),
        seen in 0_u32..120, last_used in proptest::option::of(0_u32..120),
        clients in proptest::collection::vec((0_u32..10, 0_u8..4, 0_usize..3), 0..6), wait in 0.0_f64..1.0,
    ) {
        let families = ["curl/8", "Mozilla/5.0", "okhttp/4"];
        let clients = clients
            .into_iter()
            .map(|(ago, network, family)| used(NOW - days(ago), &format!("192.0.{network}.1"), families[family]))
            .collect();
        let ends = KeyEnds {
            expires_at: Some(NOW + days(expires)),
            overlap_ends_at: overlap.map(|left| NOW + days(left)),
            ..KeyEnds::default()
        };
        let key = KeyFacts {
            created_at: NOW - days(created),
            ends,
            owner: Owner::LastSeen(NOW - days(seen)),
            last_used_at: last_used.map(|ago| NOW - days(ago)),
            clients,
            ..sound_key()
        };
        let assessed = standard().assess(&key, NOW);
        let next = assessed.next_change.expect("the key expires");
        prop_assert!(next > NOW);
        let before = NOW + (next - MOMENT).since(NOW).mul_f64(wait);
        prop_assert_eq!(standard().assess(&key, before).findings, assessed.findings);
    }
}
