//! The log on standard error.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::output::{LogWriter, report_lines};
use crate::config::settings::LogLevel;

/// Starts the log. Libraries log warnings only, because their other lines may contain secrets. actix-http and
/// actix-session log nothing, because each request that they cannot use would write a line. The debug log has the
/// duration of each query. A panic is logged, too.
pub(super) fn init(level: LogLevel) {
    let ours = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    let filter = EnvFilter::new(format!("warn,actix_http=off,actix_session=off,keydesk={ours}"));
    let span_events = if matches!(level, LogLevel::Debug) { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(span_events);
    // Colours are control characters, which the writer escapes.
    log.with_ansi(false).with_writer(|| LogWriter).init();
    panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(tracing::field::display);
    let cause = panic.payload_as_str().unwrap_or("unknown");
    tracing::error!(location, cause, "panicked");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        report_lines(backtrace.to_string().lines());
    }
}
