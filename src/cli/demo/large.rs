//! `keydesk demo --large`: fills the company with the keys of a former system, to see the pages at that size.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::actions::{Actions, ImportedKey, RequestContext};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::domain::ids::{CompanyId, KeyId, UserId};
use crate::domain::key::digest::DigestKind;
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::key::usage::{RequestSource, UsageDelta};
use crate::domain::policy::key_policy::{Days, RequestedExpiry};
use crate::domain::text::name::ServiceAccountName;
use crate::domain::timestamp::Timestamp;
use crate::random;

const BATCH_SIZE: u64 = 2_500;
/// Of ten keys, one is revoked with the next batch, and four are used.
const REVOKED_OF_TEN: usize = 1;
const USED_OF_TEN: usize = 4;
const HOURS_BETWEEN_BATCHES: u64 = 8;

const SYSTEMS: [&str; 8] = [
    "Store Terminal",
    "Freezer Sensor",
    "Supplier Portal",
    "Label Printer",
    "Route Tablet",
    "Handheld Scanner",
    "Loading Gate",
    "Price Display",
];
const PLACES: [&str; 10] =
    ["Bergen", "Gdańsk", "Göteborg", "Kraków", "Malmö", "Oslo", "Rotterdam", "Tallinn", "Turku", "Århus"];

/// The number of days in which the keys are added.
pub(super) const fn days(keys: u64) -> u64 {
    (keys.div_ceil(BATCH_SIZE) * HOURS_BETWEEN_BATCHES).div_ceil(24)
}

/// Adds keys to a company until `until` of its clock. They are shared among the owners.
pub(super) fn fill(
    actions: &Actions,
    (company, owners): (CompanyId, &[UserId]),
    keys: u64,
    until: Timestamp,
) -> Result<(), CliError> {
    let context = RequestContext::command_line(company);
    let mut progress = Progress::start();
    let mut revocable = Vec::new();
    let mut first = 0;
    while first < keys {
        let batches_left = (keys - first).div_ceil(BATCH_SIZE);
        actions.clock.set(until - Duration::from_hours(HOURS_BETWEEN_BATCHES * batches_left));
        if !revocable.is_empty() {
            actions.revoke_keys(&context, &revocable, RevocationReason::NoLongerUsed, None)?;
        }
        let numbers = first..keys.min(first + BATCH_SIZE);
        first = numbers.end;
        let batch: Vec<ImportedKey> =
            numbers.map(|number| new_key(actions, owners, number)).collect::<Result<_, _>>()?;
        let ids = actions.import_keys(&context, &batch)?;
        revocable = ids.iter().copied().filter(numbered(|number| number < REVOKED_OF_TEN)).collect();
        use_keys(actions, company, ids.iter().copied().filter(numbered(|number| number >= 10 - USED_OF_TEN)))?;
        progress.show("keys", first, keys);
    }
    Ok(())
}

/// Returns a filter by the position of a key among ten.
fn numbered(is_wanted: impl Fn(usize) -> bool) -> impl FnMut(&KeyId) -> bool {
    let mut position = 0;
    move |_| {
        position += 1;
        is_wanted((position - 1) % 10)
    }
}

fn new_key(actions: &Actions, owners: &[UserId], number: u64) -> Result<ImportedKey, CliError> {
    let index = usize::try_from(number)?;
    let key = actions.key_format.generate(&mut random::system());
    let digests = key.presented(actions.secrets.keyring().peppers());
    let (system, place) = (SYSTEMS[index % SYSTEMS.len()], PLACES[index / SYSTEMS.len() % PLACES.len()]);
    let expiry = match index % 3 {
        0 => Days::new(2_000).map_or(RequestedExpiry::Default, RequestedExpiry::For),
        _ => RequestedExpiry::Default,
    };
    Ok(ImportedKey {
        name: ServiceAccountName::parse(&format!("{system} {place} {number:06}"))?,
        digests,
        digest_kind: DigestKind::Key,
        pepper_id: actions.secrets.active().id().to_owned(),
        preview: key.preview(),
        expiry,
        owner: owners[index % owners.len()],
    })
}

/// Records a request with each key.
fn use_keys(actions: &Actions, company: CompanyId, keys: impl Iterator<Item = KeyId>) -> Result<(), CliError> {
    let now = actions.clock.now();
    let usage = keys.zip((0..=u8::MAX).cycle()).map(|(key, number)| {
        let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, number));
        let mut usage = UsageDelta::new(company);
        usage.count_accepted(now, RequestSource { address: Some(address), client: Some("terminal/4.2") });
        (key, usage)
    });
    let (unwritten, recorded) = actions.record_usage(usage.collect::<HashMap<_, _>>(), now);
    recorded?;
    if unwritten.is_empty() { Ok(()) } else { Err("The demo used a key whose end is not recorded.".into()) }
}
