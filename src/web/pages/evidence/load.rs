//! Loads the Evidence page.

use super::view::EvidencePage;
use super::{state_check, witnesses};
use crate::domain::ids::TrailId;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::pages::audit_trail::address::TrailAddress;

/// Loads the page, with the filters of its export.
pub async fn page(cx: &PageContext, address: TrailAddress) -> Result<EvidencePage, PageError> {
    let trail = TrailId::from(cx.company_id());
    let head = cx.query(move |db| db.trails().head(trail)).await?;
    Ok(EvidencePage {
        layout: PageLayout::new(&cx.app, &cx.user),
        events: head.size.unsigned_abs(),
        witnesses: witnesses::load(cx).await?,
        state_check: state_check::load(cx),
        address,
        since: Field::default(),
        zone: cx.zone.label(cx.now()),
    })
}
