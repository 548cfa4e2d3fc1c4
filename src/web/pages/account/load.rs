//! Loads the account page.

use super::browser;
use super::view::{AccountPage, SecondFactorSummary, SessionRow};
use crate::web::app::error::PageError;
use crate::web::app::guards::PageContext;
use crate::web::app::session::store::session_expiry;
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;

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
    let mut zones = Zone::names();
    zones.extend(cx.user.time_zone.clone().filter(|chosen| !zones.contains(chosen)));
    let rows = sessions.into_iter().map(|session| SessionRow {
        id: session.id.to_string(),
        browser: browser::name(session.user_agent.as_deref()),
        address: session.client_address,
        signed_in: cx.zone.date_time(session.created_at),
        last_seen: cx.zone.date_time(session.last_seen_at),
        is_this: session.id == cx.user.session_id,
    });
    let recovery_codes_left = second_factor.as_ref().map_or(0, |second_factor| second_factor.recovery_codes_left);
    Ok(AccountPage {
        layout: PageLayout::new(&cx.app, &cx.user),
        email: stored.map(|stored| stored.email).unwrap_or_default(),
        role: cx.user.role,
        name: Field::new(&cx.user.name),
        time_zone: Field::new(cx.user.time_zone.clone().unwrap_or_default()),
        zones,
        theme: Field::new(cx.user.theme.as_str()),
        current_password_error: None,
        new_password_error: None,
        second_factor: SecondFactorSummary {
            since: second_factor.map(|second_factor| cx.zone.date(second_factor.since)),
            recovery_codes_left: u64::try_from(recovery_codes_left).unwrap_or(0),
        },
        sessions: rows.collect(),
        zone: cx.zone.label(now),
        banner: None,
    })
}
