//! The settings that this layer reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ipnet::IpNet;

use crate::clock::Clock;

/// The HTTP settings of a server.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether browsers reach Keydesk over TLS.
    pub https: bool,
    /// For `X-Forwarded-For` from a peer that is not a trusted proxy.
    pub forwarded_warning: HourlyWarning,
}

const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;

/// Decides when a warning is logged: once an hour at most, as clients can cause it.
#[derive(Clone, Debug)]
pub struct HourlyWarning {
    clock: Clock,
    /// The last warning in microseconds since 1970, or [`i64::MIN`].
    last_at: Arc<AtomicI64>,
}

impl HourlyWarning {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, last_at: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Returns whether the warning is due, to one caller only.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let (now, last) = (self.clock.now().as_micros(), self.last_at.load(Ordering::Relaxed));
        // After a clock went back, the last warning is in the future.
        let is_due = now < last || now.saturating_sub(last) >= HOUR_MICROS;
        is_due && self.last_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::timestamp::Timestamp;

    #[test]
    fn a_warning_is_due_once_an_hour() {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        let clock = Clock::manual(start);
        let warning = HourlyWarning::new(clock.clone());
        assert!(warning.is_due() && !warning.is_due() && !warning.clone().is_due());
        clock.set(start + Duration::from_mins(59));
        assert!(!warning.is_due());
        clock.set(start + Duration::from_hours(1));
        assert!(warning.is_due() && !warning.is_due());
        clock.set(start);
        assert!(warning.is_due() && !warning.is_due());
    }
}
