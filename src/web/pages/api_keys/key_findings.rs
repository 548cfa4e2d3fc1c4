//! What good practice finds about one key, each finding with its remedy.

use crate::domain::practice::finding::{Findings, Practice};
use crate::domain::practice::wording::Remedy;
use crate::store::{KeyRecord, User};
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::pages::api_keys::assessed::assess;
use crate::web::paths;

/// A finding, as the key's page shows it.
#[derive(Clone, Debug)]
pub struct KeyFinding {
    pub label: &'static str,
    pub advice: &'static str,
    /// The link to what can be done. `None` for auditors, and if the owner cannot be asked.
    pub remedy: Option<RemedyLink>,
}

#[derive(Clone, Debug)]
pub struct RemedyLink {
    pub label: String,
    pub href: String,
}

/// Loads the findings of a key, heaviest first.
pub async fn load(cx: &PageContext, key: &KeyRecord) -> Result<Vec<KeyFinding>, PageError> {
    assess(cx, cx.company_id()).await?;
    let (company_id, id, owner) = (cx.company_id(), key.id, key.owner);
    let (findings, owner) =
        cx.read(move |db| Ok((db.assessments().of_key(company_id, id)?, db.users().by_id(company_id, owner)?))).await?;
    Ok(views(findings, &key.id.to_string(), owner.as_ref(), cx.can_change()))
}

fn views(findings: Findings, key_id: &str, owner: Option<&User>, can_change: bool) -> Vec<KeyFinding> {
    let view = |practice: Practice| KeyFinding {
        label: practice.label(),
        advice: practice.advice(),
        remedy: remedy(practice.remedy(), key_id, owner).filter(|_| can_change),
    };
    findings.iter().map(view).collect()
}

fn remedy(remedy: Remedy, key_id: &str, owner: Option<&User>) -> Option<RemedyLink> {
    let link = |label: &str, href| Some(RemedyLink { label: label.to_owned(), href });
    match remedy {
        Remedy::Rotate => link("Rotate this key", paths::rotate_api_key(key_id)),
        Remedy::HandOver => link("Hand over this key", paths::edit_api_key(key_id)),
        Remedy::Revoke => link("Revoke this key", paths::revoke_api_key(key_id)),
        Remedy::Describe => link("Edit the details", paths::edit_api_key(key_id)),
        Remedy::AskOwner => {
            let owner = owner?;
            link(&format!("Ask {}", owner.name), format!("mailto:{}", owner.email))
        }
    }
}
