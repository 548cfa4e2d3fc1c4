//! The filter of a trail's events, and the formats of an export.

use serde::{Deserialize, Serialize};

use crate::domain::actor::Actor;
use crate::domain::ids::KeyId;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::action::Action;

/// Selects the events that match every set field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    pub from: Option<Timestamp>,
    /// Inclusive.
    pub until: Option<Timestamp>,
    pub actor: Option<Actor>,
    /// Empty for every action.
    pub actions: Vec<Action>,
    pub key: Option<KeyId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Csv,
    /// With proofs.
    JsonLines,
}
