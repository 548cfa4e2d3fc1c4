//! How the systems of the demo company use their keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::cli::error::CliError;
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::key::usage::{RequestSource, UsageDelta, hour_of};
use crate::domain::timestamp::Timestamp;
use crate::random;

/// An address and a user agent.
type Program = (&'static str, &'static str);

/// A system that uses a key periodically.
pub(super) struct UsagePattern {
    pub(super) account: &'static str,
    /// The index among the account's keys, newest first.
    pub(super) key: usize,
    days: u64,
    /// The minutes between two requests.
    interval: u64,
    /// The minutes since the last request.
    last: u64,
    programs: &'static [Program],
}

const DAY_MINUTES: u64 = 24 * 60;

pub(super) const USAGE_PATTERNS: [UsagePattern; 13] = [
    UsagePattern {
        account: "ERP Sync Service",
        key: 0,
        days: 10,
        interval: 1,
        last: 4,
        programs: &[("203.0.113.9", "python-requests/2.32"), ("198.51.100.4", "curl/8.5")],
    },
    UsagePattern {
        account: "Warehouse Label Printer",
        key: 1,
        days: 30,
        interval: 6,
        last: 3,
        programs: &[("203.0.113.88", "LabelPrint/4.1 (Zebra ZT411)")],
    },
    UsagePattern {
        account: "Warehouse Label Printer",
        key: 0,
        days: 0,
        interval: 11,
        last: 9,
        programs: &[("203.0.113.89", "LabelPrint/4.2 (Zebra ZT411)")],
    },
    UsagePattern {
        account: "Reporting Dashboard",
        key: 0,
        days: 40,
        interval: 15,
        last: 128,
        programs: &[
            ("198.51.100.31", "Grafana/12.1.0"),
            ("198.51.100.32", "Grafana/12.1.0"),
            ("2001:db8:4006:812::200e", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"),
        ],
    },
    UsagePattern {
        account: "Route Planning",
        key: 0,
        days: 11,
        interval: 5,
        last: 0,
        programs: &[("192.0.2.140", "okhttp/5.1.0"), ("192.0.2.141", "okhttp/5.1.0")],
    },
    UsagePattern {
        account: "Payroll Export (nightly)",
        key: 0,
        days: 60,
        interval: DAY_MINUTES,
        last: 610,
        programs: &[("192.0.2.77", "Go-http-client/2.0")],
    },
    UsagePattern {
        account: "Supplier Portal Webhooks",
        key: 0,
        days: 40,
        interval: 45,
        last: 5 * DAY_MINUTES + 90,
        programs: &[("198.51.100.200", "Java-http-client/21.0.4")],
    },
    UsagePattern {
        account: "Customs declaration and freight document exchange with Rotterdam",
        key: 0,
        days: 17,
        interval: 240,
        last: DAY_MINUTES + 200,
        programs: &[(
            "2001:db8:85a3:8d3:1319:8a2e:370:7348",
            "customs-exchange/3.0 (+https://customs.example/contact)",
        )],
    },
    UsagePattern {
        account: "שירות דיווח חודשי",
        key: 0,
        days: 28,
        interval: 28 * DAY_MINUTES,
        last: 3 * DAY_MINUTES,
        programs: &[("192.0.2.18", "PowerShell/7.5")],
    },
    UsagePattern {
        account: "Order Alerts",
        key: 0,
        days: 5,
        interval: DAY_MINUTES,
        last: 155 * DAY_MINUTES,
        programs: &[("192.0.2.9", "axios/1.7.2")],
    },
    UsagePattern {
        account: "Legacy Importer",
        key: 0,
        days: 20,
        interval: 300,
        last: 25,
        programs: &[("203.0.113.140", "libwww-perl/6.77")],
    },
    UsagePattern {
        account: "Power BI Gateway",
        key: 0,
        days: 20,
        interval: 500,
        last: 88 * DAY_MINUTES,
        programs: &[("198.51.100.31", "Microsoft.Data.Mashup/2.140")],
    },
    UsagePattern {
        account: "Carrier Rate Import",
        key: 0,
        days: 30,
        interval: 720,
        last: 42 * DAY_MINUTES,
        programs: &[("203.0.113.61", "node-fetch/3.3")],
    },
];

impl UsagePattern {
    /// Generates the usage until `now`.
    pub(super) fn usage_until(&self, now: Timestamp, company: CompanyId) -> Result<UsageDelta, CliError> {
        let mut usage = UsageDelta::new(company);
        let requests = (self.days * DAY_MINUTES).max(15 * 60) / self.interval;
        for number in (0..=requests).rev() {
            let at = now - Duration::from_mins(self.last + number * self.interval);
            if number > 0 && self.interval < DAY_MINUTES / 4 && !is_sent(number, at) {
                continue;
            }
            // Most requests come from the first program, every seventh from any.
            let program = if number % 7 == 3 { usize::try_from(number)? % self.programs.len() } else { 0 };
            usage.count_accepted(at, source(&self.programs[program])?);
        }
        Ok(usage)
    }
}

/// Generates refused requests, one per minute.
pub(super) fn refusals(
    key: KeyId,
    company: CompanyId,
    count: u64,
    last_at: Timestamp,
    program: &Program,
) -> Result<HashMap<KeyId, UsageDelta>, CliError> {
    let mut usage = UsageDelta::new(company);
    for number in (0..count).rev() {
        usage.count_refused(last_at - Duration::from_mins(number), source(program)?, random::hex::<8>());
    }
    Ok(HashMap::from([(key, usage)]))
}

fn source((address, client): &Program) -> Result<RequestSource<'_>, CliError> {
    Ok(RequestSource { address: Some(address.parse::<IpAddr>()?), client: Some(client) })
}

/// Thins out requests at night and at weekends, and varies their number by day.
fn is_sent(number: u64, at: Timestamp) -> bool {
    let (day, hour) = (hour_of(at).div_euclid(24), hour_of(at).rem_euclid(24));
    // 1 January 1970 was a Thursday.
    let is_quiet = !(6..18).contains(&hour) || matches!(day.rem_euclid(7), 2 | 3);
    let sent_per_nine = if is_quiet { 1 } else { 9 - (day * 7).rem_euclid(5) };
    i64::try_from(number % 9).is_ok_and(|index| index < sent_per_nine)
}
