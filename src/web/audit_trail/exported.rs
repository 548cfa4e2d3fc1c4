//! What an export says, whatever its format: its events with the names of today around them. A format is one encoder.

use super::csv;
use super::json_lines::JsonLines;
use super::told::actor;
use crate::actions::Actions;
use crate::domain::event::Event;
use crate::domain::ids::UserId;
use crate::domain::trail_check::TrailHead;
use crate::domain::trail_filter::{ExportFormat, TrailFilter};
use crate::store::{Company, ListedEvent, Names, Snapshot, StoreError};
use crate::web::page::{Who, who};

/// What is known of an export before its first event.
#[derive(Clone, Debug)]
pub(super) struct Export {
    pub(super) company: Company,
    pub(super) filter: TrailFilter,
    /// The trail's head with the export's own event, which is the last that may be in it.
    pub(super) head: TrailHead,
    /// How many events follow.
    pub(super) count: u64,
}

/// An event as exports have it.
#[derive(Clone, Debug)]
pub(super) struct ExportedEvent {
    pub(super) event: Event,
    pub(super) actor_name: String,
    pub(super) key_preview: Option<String>,
    /// The service account's name when it happened; of a user and the company, today's.
    pub(super) target_name: String,
}

impl ExportedEvent {
    pub(super) fn new(listed: ListedEvent, names: &Names, company: &Company) -> Self {
        let ListedEvent { event, key_preview } = listed;
        let target_name = match (event.target_type.as_str(), UserId::parse(&event.target_id)) {
            ("user", Some(id)) => Who::user(names.get(&id).cloned()).words().to_owned(),
            ("company", _) => company.name.clone(),
            _ => event.subject_name().unwrap_or_default(),
        };
        Self { actor_name: who(actor(&event), names).words().to_owned(), key_preview, target_name, event }
    }
}

/// How an export is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Encoder {
    Csv,
    /// With proofs, also of what a checkpoint of that size says.
    JsonLines {
        since: Option<u64>,
    },
}

impl Encoder {
    pub(super) const fn format(self) -> ExportFormat {
        match self {
            Self::Csv => ExportFormat::Csv,
            Self::JsonLines { .. } => ExportFormat::JsonLines,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines { .. } => "application/jsonl; charset=utf-8",
        }
    }

    /// How the names of its files end.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines { .. } => "jsonl",
        }
    }

    pub(super) fn writer(self) -> Writer {
        match self {
            Self::Csv => Writer::Csv,
            Self::JsonLines { since } => Writer::JsonLines(Box::new(JsonLines::since(since))),
        }
    }
}

/// An export being written.
pub(super) enum Writer {
    Csv,
    JsonLines(Box<JsonLines>),
}

impl Writer {
    /// What stands before the first event.
    pub(super) fn begin(&mut self, actions: &Actions, export: &Export) -> Result<String, StoreError> {
        match self {
            Self::Csv => Ok(csv::HEADER.to_owned()),
            Self::JsonLines(lines) => lines.begin(actions, export),
        }
    }

    /// Reads what it takes to write events beyond these themselves.
    pub(super) fn prepare(&mut self, actions: &Actions, export: &Export) -> Result<(), StoreError> {
        match self {
            Self::Csv => Ok(()),
            Self::JsonLines(lines) => lines.prepare(actions, export),
        }
    }

    /// Appends an event.
    pub(super) fn event(
        &mut self,
        questions: &mut Snapshot<'_>,
        exported: &ExportedEvent,
        out: &mut String,
    ) -> Result<(), StoreError> {
        match self {
            Self::Csv => csv::write_row(exported, out),
            Self::JsonLines(lines) => out.push_str(&lines.event(questions, exported)?),
        }
        Ok(())
    }

    /// What stands behind the last event: whoever finds it has all of them.
    pub(super) fn end(&mut self, actions: &Actions, export: &Export) -> String {
        match self {
            Self::Csv => String::new(),
            Self::JsonLines(lines) => lines.end(actions, export),
        }
    }
}
