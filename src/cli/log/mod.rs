//! The log on standard error. A thread of its own writes it.

mod json;
mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use self::json::JsonFormat;
use self::queue::LogQueue;
use super::error::CliError;
use super::output::{escaped_lines, write_error};
use crate::config::settings::{LogFormat, LogLevel};

/// How long the end of the program waits for the reader of the log.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The log of this process. Clones share it.
#[derive(Clone)]
pub(super) struct Log(LogQueue);

impl Log {
    /// Starts the log. Libraries log warnings only, because their other lines may contain secrets. actix-http and
    /// actix-session log nothing, because each request that they cannot use would write a line. The debug log has the
    /// duration of each query. A panic is logged, too.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(level: LogLevel, format: LogFormat) -> Result<Self, CliError> {
        let report = |lines| tracing::warn!(lines, "log lines dropped: the reader of the log was too slow or absent");
        let queue = LogQueue::start(write_error, report);
        let queue = queue.map_err(|error| CliError(format!("The log cannot start: {error}.")))?;
        let ours = match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        };
        let filter = EnvFilter::new(format!("warn,actix_http=off,actix_session=off,keydesk={ours}"));
        let span_events = match level {
            LogLevel::Error | LogLevel::Warn | LogLevel::Info => FmtSpan::NONE,
            LogLevel::Debug => FmtSpan::CLOSE,
            LogLevel::Trace => FmtSpan::NEW | FmtSpan::CLOSE,
        };
        let writer = queue.clone();
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(span_events);
        // Colours are control characters, which the writer escapes. Reports of internal errors would be written
        // directly, and panic without a reader.
        let log = log.with_ansi(false).log_internal_errors(false).with_writer(move || LogWriter(writer.clone()));
        match format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.event_format(JsonFormat).init(),
        }
        panic::set_hook(Box::new(log_panic));
        Ok(Self(queue))
    }

    /// The number of dropped lines.
    pub(super) fn dropped_lines(&self) -> Counter {
        self.0.dropped()
    }

    /// Writes lines for the user after the lines of the log, and waits for the reader, but not for ever.
    pub(super) fn finish(self, lines: impl IntoIterator<Item: Display>) {
        self.0.push(escaped_lines(lines).as_bytes());
        self.0.flush(FLUSH_TIMEOUT);
    }
}

/// Queues events of the log. Each write is one event on one line.
struct LogWriter(LogQueue);

impl Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.push(escaped_lines([line]).as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(tracing::field::display);
    let cause = panic.payload_as_str().unwrap_or("unknown");
    tracing::error!(location, cause, "panicked");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        for frame in backtrace.to_string().lines() {
            tracing::error!(frame, "backtrace");
        }
    }
}
