//! The formats of exports.

use super::csv;
use super::json_lines::JsonLines;
use super::row::{Export, ExportedEvent};
use crate::actions::Actions;
use crate::domain::trail::filter::ExportFormat;
use crate::store::{Db, StoreError};

/// The format of an export, with its options.
#[derive(Clone, Copy, Debug)]
pub enum Encoder {
    Csv,
    /// With inclusion proofs, and a consistency proof from the checkpoint of size `since`.
    JsonLines {
        since: Option<u64>,
    },
}

impl Encoder {
    pub const fn format(self) -> ExportFormat {
        match self {
            Self::Csv => ExportFormat::Csv,
            Self::JsonLines { .. } => ExportFormat::JsonLines,
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines { .. } => "application/jsonl; charset=utf-8",
        }
    }

    /// The file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines { .. } => "jsonl",
        }
    }

    pub fn writer(self) -> Writer {
        match self {
            Self::Csv => Writer::Csv,
            Self::JsonLines { since } => Writer::JsonLines(Box::new(JsonLines::since(since))),
        }
    }
}

/// Writes an export.
pub enum Writer {
    Csv,
    JsonLines(Box<JsonLines>),
}

impl Writer {
    /// Returns the text before the first event.
    pub fn begin(&mut self, actions: &Actions, export: &Export) -> Result<String, StoreError> {
        match self {
            Self::Csv => Ok(csv::HEADER.to_owned()),
            Self::JsonLines(lines) => lines.begin(actions, export),
        }
    }

    /// Loads the data of the proofs before the first event is written.
    pub fn prepare(&mut self, actions: &Actions, export: &Export) -> Result<(), StoreError> {
        match self {
            Self::Csv => Ok(()),
            Self::JsonLines(lines) => lines.prepare(actions, export),
        }
    }

    /// Appends an event to `out`.
    pub fn event(&mut self, db: &mut Db<'_>, exported: &ExportedEvent, out: &mut String) -> Result<(), StoreError> {
        match self {
            Self::Csv => csv::write_row(exported, out),
            Self::JsonLines(lines) => out.push_str(&lines.event(db, exported)?),
        }
        Ok(())
    }

    /// Returns the text after the last event. It proves that the export is complete.
    pub fn end(&mut self, actions: &Actions, export: &Export) -> String {
        match self {
            Self::Csv => String::new(),
            Self::JsonLines(lines) => lines.end(actions, export),
        }
    }
}
