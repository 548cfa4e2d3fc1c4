//! Counts responses by class of route and status. Every request is counted, so counting takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::StatusCode;

/// What a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteClass {
    /// A page for browsers.
    Page,
    /// A stylesheet, a script or a picture.
    Asset,
    /// An endpoint for gateways and key holders.
    Machine,
    /// An endpoint for monitoring.
    Monitoring,
}

impl RouteClass {
    const ALL: [Self; 4] = [Self::Page, Self::Asset, Self::Machine, Self::Monitoring];

    /// Returns the class of a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path.starts_with("/v1/") {
            Self::Machine
        } else if path.starts_with("/assets/") {
            Self::Asset
        } else if matches!(path, "/healthz" | "/readyz" | "/metrics") {
            Self::Monitoring
        } else {
            Self::Page
        }
    }

    /// The word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Asset => "asset",
            Self::Machine => "machine",
            Self::Monitoring => "monitoring",
        }
    }
}

const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

/// The number of responses by class and status.
#[derive(Debug)]
pub struct RequestCounts([[AtomicU64; STATUSES]; RouteClass::ALL.len()]);

impl Default for RequestCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))))
    }
}

impl RequestCounts {
    pub(super) fn add(&self, class: RouteClass, status: StatusCode) {
        let index = usize::from(status.as_u16().saturating_sub(FIRST_STATUS));
        if let Some(counter) = self.0.get(class as usize).and_then(|counters| counters.get(index)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the counters that are not zero.
    pub fn counted(&self) -> impl Iterator<Item = (RouteClass, u16, u64)> {
        RouteClass::ALL.into_iter().zip(&self.0).flat_map(|(class, counters)| {
            let counts =
                (FIRST_STATUS..).zip(counters).map(|(status, counter)| (status, counter.load(Ordering::Relaxed)));
            counts.filter(|(_, count)| *count > 0).map(move |(status, count)| (class, status, count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_counted_by_class_and_status() {
        let counts = RequestCounts::default();
        for (path, status) in
            [("/sign-in", 200), ("/v1/whoami", 401), ("/v1/whoami", 401), ("/assets/a.css", 304), ("/readyz", 599)]
        {
            counts.add(RouteClass::of(path), StatusCode::from_u16(status).unwrap());
        }
        counts.add(RouteClass::Page, StatusCode::from_u16(999).unwrap());
        let counted: Vec<_> = counts.counted().map(|(class, status, count)| (class.as_str(), status, count)).collect();
        assert_eq!(counted, [("page", 200, 1), ("asset", 304, 1), ("machine", 401, 2), ("monitoring", 599, 1)]);
    }
}
