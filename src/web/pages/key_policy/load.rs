//! Loads the Key Policy page.

use std::time::Duration;

use super::period::{Period, PeriodField, default_note, forecast};
use super::view::{KeyPolicyPage, PolicyKey};
use crate::domain::ids::CompanyId;
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::policy::reasons::{PolicyReason, PolicyReasons};
use crate::domain::timestamp::Timestamp;
use crate::store::{KeyLifetime, KeyRecord, PolicyViolation};
use crate::web::app::error::PageError;
use crate::web::app::form_version::FormVersion;
use crate::web::app::page_context::PageContext;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::versioned_form::VersionedForm;
use crate::web::pages::api_keys::expiry::Expiry;

const DAY: Duration = Duration::from_hours(24);
const MAX_LISTED_KEYS: i64 = 20;

/// Loads the page with the current policy.
pub async fn page(cx: &PageContext) -> Result<KeyPolicyPage, PageError> {
    let (company_id, now) = (cx.company_id(), cx.now());
    let can_change = cx.can_change();
    let (settings, changes, admins_without, beyond, due, lifetimes) = cx
        .read(move |db| {
            let settings = db.companies().settings(company_id)?;
            let policy = settings.key_policy;
            // A key with an expiry date works until the end of that day, so allow one day more.
            let lifetime = policy.maximum_lifetime.map(|days| PolicyViolation::Lifetime(days.duration() + DAY));
            let age = policy.rotation_period.map(|days| PolicyViolation::Age(now - days.duration()));
            let mut violating = |violation: Option<PolicyViolation>| match violation {
                Some(violation) => db.keys().violating_policy(company_id, violation, now, MAX_LISTED_KEYS),
                None => Ok((Vec::new(), 0)),
            };
            let (beyond, due) = (violating(lifetime)?, violating(age)?);
            let changes = db.companies().version(company_id)?;
            let admins_without = db.users().count_admins_without_second_factor(company_id)?;
            let lifetimes = if can_change { db.keys().lifetimes(company_id, now)? } else { Vec::new() };
            Ok((settings, changes, admins_without, beyond, due, lifetimes))
        })
        .await?;
    let ((beyond, more_beyond), (due, more_due)) = (listed_keys(cx, beyond), listed_keys(cx, due));
    let mut page = KeyPolicyPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        company_name: None,
        periods: period_fields(&settings.key_policy, &settings.reasons, &lifetimes, now),
        beyond,
        more_beyond,
        due,
        more_due,
        require_second_factor: settings.require_second_factor,
        can_change,
        admins_without: u64::try_from(admins_without).unwrap_or(0),
        banner_saved: false,
        edited: VersionedForm::default(),
    };
    page.edited = VersionedForm::new(&FormVersion::new(versioned_thing(company_id), changes, &page.values()));
    Ok(page)
}

/// What the version of the form belongs to.
#[must_use]
pub fn versioned_thing(company_id: CompanyId) -> String {
    format!("policy-{company_id}")
}

/// The saved periods, each with its reason and a note.
fn period_fields(
    policy: &KeyPolicy,
    reasons: &PolicyReasons,
    lifetimes: &[KeyLifetime],
    now: Timestamp,
) -> [PeriodField; 4] {
    Period::ALL.map(|period| {
        let (days, reason) = match period {
            Period::DefaultExpiry => (policy.default_expiry, &reasons.default_expiry),
            Period::MaximumLifetime => (policy.maximum_lifetime, &reasons.maximum_lifetime),
            Period::Rotation => (policy.rotation_period, &reasons.rotation_period),
            Period::IdleEnd => (policy.idle_end, &reasons.idle_end),
        };
        let note = match period {
            Period::DefaultExpiry => default_note(policy),
            _ => forecast(period, lifetimes, now),
        };
        let reason = Field::new(reason.as_ref().map_or("", PolicyReason::as_str));
        PeriodField { period, days: days_field(days), reason, note }
    })
}

/// The form field for a number of days.
#[must_use]
pub fn days_field(days: Option<Days>) -> Field {
    Field::new(days.map_or_else(|| "none".to_owned(), |days| days.count().to_string()))
}

/// Returns the listed keys, and the number of keys that are not listed.
fn listed_keys(cx: &PageContext, (keys, count): (Vec<KeyRecord>, i64)) -> (Vec<PolicyKey>, u64) {
    let more = u64::try_from(count).unwrap_or(0).saturating_sub(keys.len() as u64);
    let keys = keys.into_iter().map(|key| PolicyKey {
        id: key.id.to_string(),
        created: cx.zone.date(key.created_at),
        expires: Expiry::of(key.ends(), &cx.zone, cx.now()),
        name: key.name,
        preview: key.preview,
    });
    (keys.collect(), more)
}
