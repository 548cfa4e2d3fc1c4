//! Loads the account page.

use super::browser;
use super::view::{AccountPage, SecondFactorSummary, SessionRow};
use crate::domain::ids::UserId;
use crate::web::app::error::PageError;
use crate::web::app::form_version::FormVersion;
use crate::web::app::page_context::PageContext;
use crate::web::app::session::store::session_expiry;
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::versioned_form::VersionedForm;
use crate::web::paths::ACCOUNT;

/// Loads the account page of the signed-in user.
pub async fn page(cx: &PageContext) -> Result<AccountPage, PageError> {
    let (user, now) = (cx.user.as_user(), cx.now());
    let (stored, second_factor, sessions) = cx
        .read(move |db| {
            let stored = db.users().by_id(user.company_id, user.user_id)?;
            let second_factor = db.second_factors().of_user(user.user_id)?;
            Ok((stored, second_factor, db.sessions().of_user(user.user_id, session_expiry(now))?))
        })
        .await?;
    let stored = stored.ok_or_else(|| PageError::SignInRequired(ACCOUNT.to_owned()))?;
    let mut zones = Zone::names();
    zones.extend(stored.time_zone.clone().filter(|chosen| !zones.contains(chosen)));
    let rows = sessions.into_iter().map(|session| SessionRow {
        id: session.id.to_string(),
        browser: browser::name(session.user_agent.as_deref()),
        address: session.client_address,
        signed_in: cx.zone.date_time(session.created_at),
        last_seen: cx.zone.date_time(session.last_seen_at),
        is_this: session.id == cx.user.session_id,
    });
    let recovery_codes_left = second_factor.as_ref().map_or(0, |second_factor| second_factor.recovery_codes_left);
    let mut page = AccountPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        email: stored.email,
        role: cx.user.role,
        name: Field::new(stored.name),
        time_zone: Field::new(stored.time_zone.unwrap_or_default()),
        zones,
        theme: Field::new(stored.theme.as_str()),
        current_password_error: None,
        new_password_error: None,
        second_factor: SecondFactorSummary {
            since: second_factor.map(|second_factor| cx.zone.date(second_factor.since)),
            recovery_codes_left: u64::try_from(recovery_codes_left).unwrap_or(0),
        },
        sessions: rows.collect(),
        zone: cx.zone.label(now),
        banner: None,
        edited: VersionedForm::default(),
    };
    let version = FormVersion::new(versioned_thing(user.user_id), stored.profile_version, &page.preferences());
    page.edited = VersionedForm::new(&version);
    Ok(page)
}

/// What the version of the preferences form belongs to.
#[must_use]
pub fn versioned_thing(user_id: UserId) -> String {
    format!("profile-{user_id}")
}
