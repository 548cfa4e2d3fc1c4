//! Findings that are up to date: keys that are due are assessed before a page reads them.

use crate::domain::ids::CompanyId;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::state::blocking;

/// Assesses the keys that are due. If the findings cannot be saved, the page shows those of before.
///
/// # Errors
/// Fails if the database cannot be read.
pub async fn assess(cx: &PageContext, company_id: CompanyId) -> Result<(), PageError> {
    let now = cx.now();
    if cx.query(move |db| Ok(db.assessments().state(company_id, now)?.is_due)).await? {
        assess_due(cx, company_id).await;
    }
    Ok(())
}

/// Assesses the keys of a company of which some are due.
pub async fn assess_due(cx: &PageContext, company_id: CompanyId) {
    let actions = cx.app.actions.clone();
    if let Err(error) = blocking::<_, PageError>(move || Ok(actions.assess_keys_of(company_id)?)).await {
        tracing::warn!(?error, "keys not assessed");
    }
}
