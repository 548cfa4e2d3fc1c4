//! The log as JSON: one object per line, with the fields of the text format.

use std::fmt::{self, Debug, Display, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::domain::text::escape::Escaped;

/// Formats an event as a JSON object.
pub(super) struct JsonFormat;

impl<S, N> FormatEvent<S, N> for JsonFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let spans = context.event_scope().into_iter().flat_map(|scope| scope.from_root());
        let spans: Vec<&str> = spans.map(|span| span.name()).collect();
        let mut object = Fields::default();
        object.text("time", &time);
        object.text("level", &event.metadata().level());
        object.text("target", &fields.target.as_deref().unwrap_or(event.metadata().target()));
        if !spans.is_empty() {
            object.text("span", &spans.join(":"));
        }
        writeln!(writer, "{{{}{}}}", object.members, fields.members)
    }
}

/// The members of an object, each with a comma before it except the first one of the line.
#[derive(Default)]
struct Fields {
    members: String,
    /// The real target of an event that comes from the crate `log`.
    target: Option<String>,
}

impl Fields {
    /// Values may come from a request, a file or the database. They are escaped as in the text format: a reader that
    /// decodes the JSON gets no control characters.
    fn text(&mut self, name: &str, value: &dyn Display) {
        let value = Escaped(value).to_string();
        self.member(name, &serde_json::Value::String(value));
    }

    fn member(&mut self, name: &str, value: &dyn Display) {
        let comma = if name == "time" { "" } else { "," };
        let name = serde_json::Value::from(name);
        // Writing to a string does not fail.
        let _ = write!(self.members, "{comma}{name}:{value}");
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if !field.name().starts_with("log.") {
            self.text(field.name(), &format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.target = Some(Escaped(value).to_string()),
            name if name.starts_with("log.") => {}
            name => self.text(name, &value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !field.name().starts_with("log.") {
            self.member(field.name(), &value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        self.member(field.name(), &serde_json::Value::from(value));
    }
}
