//! Sample data for the samples of all pages.

use std::time::Duration;

use askama::Template;

use crate::domain::timestamp::Timestamp;
use crate::domain::user::profile::Theme;
use crate::web::app::assets::AssetPaths;
use crate::web::app::form_version::FormVersion;
use crate::web::app::time::zone::Zone;
use crate::web::components::layout::{PageLayout, SignedOutLayout};
use crate::web::components::people::{ActorView, Person};
use crate::web::components::versioned_form::{Conflict, ConflictingChange, ConflictingField, VersionedForm};

const ASSETS: AssetPaths =
    AssetPaths { stylesheet: "/static/keydesk.css", module: "/static/js/keydesk.js", favicon: "/static/favicon.svg" };

/// A name of the maximum length, without a place for a line break.
pub const LONG_NAME: &str = "Warehouse_Label_Printer_And_Pallet_Tracking_Gateway_Rotterdam_02";

/// The name of a sample and its HTML.
pub type Rendered = (&'static str, String);

pub fn render(name: &'static str, page: &impl Template) -> Rendered {
    (name, page.render().unwrap())
}

pub fn layout() -> PageLayout {
    PageLayout {
        company: "Brightwater Foods".to_owned(),
        platform: "Go Autonomous".to_owned(),
        person: Person::named("Maria Lindqvist"),
        theme: Theme::System,
        assets: ASSETS,
        warning: None,
    }
}

/// The version of a form, with a conflict in these fields: label, saved value, typed value.
pub fn edited(conflict: Option<&[(&'static str, &str, &str)]>) -> VersionedForm {
    let version = FormVersion::new("key-k8", 4, &["ERP Sync"]);
    let Some(fields) = conflict else { return VersionedForm::new(&version) };
    let field = |(label, saved, typed): &(&'static str, &str, &str)| ConflictingField {
        label,
        saved: (*saved).to_owned(),
        typed: (*typed).to_owned(),
    };
    let at = zone().ago_mid_sentence(ago(2), ago(0));
    let change = Some(ConflictingChange { by: user("Ingrid Holm"), is_you: false, at });
    VersionedForm::new(&version).after_conflict(Conflict { change, fields: fields.iter().map(field).collect() })
}

pub fn zone() -> Zone {
    Zone::from_cookie(Some("Europe/Oslo"))
}

/// The given number of minutes before 23 November 2026, 09:30 in Oslo.
pub fn ago(minutes: u64) -> Timestamp {
    Timestamp::from_micros(1_795_422_600_000_000) - Duration::from_secs(minutes * 60)
}

/// A user; a deleted one if the name is empty.
pub fn user(name: &str) -> ActorView {
    ActorView::user((!name.is_empty()).then(|| name.to_owned()))
}

pub fn signed_out_layout() -> SignedOutLayout {
    SignedOutLayout { platform: "Go Autonomous".to_owned(), assets: ASSETS }
}
