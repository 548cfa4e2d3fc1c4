//! How the systems of the sample company use their keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::cli::Refusal;
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;
use crate::domain::usage::{KeyUse, Presenter, hour_of};
use crate::random;

/// A program at an address.
type Program = (&'static str, &'static str);

/// A system that uses a key at times.
pub(super) struct Habit {
    pub(super) account: &'static str,
    /// Which of the account's keys, counted from the newest.
    pub(super) key: usize,
    /// For how many days, and minutes between two requests.
    days: u64,
    every: u64,
    /// How many minutes ago the last one was.
    last: u64,
    programs: &'static [Program],
}

const A_DAY: u64 = 24 * 60;

pub(super) const HABITS: [Habit; 13] = [
    Habit {
        account: "ERP Sync Service",
        key: 0,
        days: 10,
        every: 1,
        last: 4,
        programs: &[("203.0.113.9", "python-requests/2.32"), ("198.51.100.4", "curl/8.5")],
    },
    Habit {
        account: "Warehouse Label Printer",
        key: 1,
        days: 30,
        every: 6,
        last: 3,
        programs: &[("203.0.113.88", "LabelPrint/4.1 (Zebra ZT411)")],
    },
    Habit {
        account: "Warehouse Label Printer",
        key: 0,
        days: 0,
        every: 11,
        last: 9,
        programs: &[("203.0.113.89", "LabelPrint/4.2 (Zebra ZT411)")],
    },
    Habit {
        account: "Reporting Dashboard",
        key: 0,
        days: 40,
        every: 15,
        last: 128,
        programs: &[
            ("198.51.100.31", "Grafana/12.1.0"),
            ("198.51.100.32", "Grafana/12.1.0"),
            ("2001:db8:4006:812::200e", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"),
        ],
    },
    Habit {
        account: "Route Planning",
        key: 0,
        days: 11,
        every: 5,
        last: 0,
        programs: &[("192.0.2.140", "okhttp/5.1.0"), ("192.0.2.141", "okhttp/5.1.0")],
    },
    Habit {
        account: "Payroll Export (nightly)",
        key: 0,
        days: 60,
        every: A_DAY,
        last: 610,
        programs: &[("192.0.2.77", "Go-http-client/2.0")],
    },
    Habit {
        account: "Supplier Portal Webhooks",
        key: 0,
        days: 40,
        every: 45,
        last: 5 * A_DAY + 90,
        programs: &[("198.51.100.200", "Java-http-client/21.0.4")],
    },
    Habit {
        account: "Customs declaration and freight document exchange with Rotterdam",
        key: 0,
        days: 17,
        every: 240,
        last: A_DAY + 200,
        programs: &[(
            "2001:db8:85a3:8d3:1319:8a2e:370:7348",
            "customs-exchange/3.0 (+https://customs.example/contact)",
        )],
    },
    Habit {
        account: "שירות דיווח חודשי",
        key: 0,
        days: 28,
        every: 28 * A_DAY,
        last: 3 * A_DAY,
        programs: &[("192.0.2.18", "PowerShell/7.5")],
    },
    Habit {
        account: "Order Alerts",
        key: 0,
        days: 5,
        every: A_DAY,
        last: 155 * A_DAY,
        programs: &[("192.0.2.9", "axios/1.7.2")],
    },
    Habit {
        account: "Legacy Importer",
        key: 0,
        days: 20,
        every: 300,
        last: 25,
        programs: &[("203.0.113.140", "libwww-perl/6.77")],
    },
    Habit {
        account: "Power BI Gateway",
        key: 0,
        days: 20,
        every: 500,
        last: 88 * A_DAY,
        programs: &[("198.51.100.31", "Microsoft.Data.Mashup/2.140")],
    },
    Habit {
        account: "Carrier Rate Import",
        key: 0,
        days: 30,
        every: 720,
        last: 42 * A_DAY,
        programs: &[("203.0.113.61", "node-fetch/3.3")],
    },
];

impl Habit {
    /// What it did until now.
    pub(super) fn lived(&self, company: CompanyId, now: Instant) -> Result<KeyUse, Refusal> {
        let mut used = KeyUse::none(company);
        let requests = (self.days * A_DAY).max(15 * 60) / self.every;
        for number in (0..=requests).rev() {
            let at = now - Duration::from_mins(self.last + number * self.every);
            if number > 0 && self.every < A_DAY / 4 && !is_sent(number, at) {
                continue;
            }
            // Most come from the first of the programs, every seventh from any.
            let turn = if number % 7 == 3 { usize::try_from(number)? % self.programs.len() } else { 0 };
            used.accept(at, presenter(&self.programs[turn])?);
        }
        Ok(used)
    }
}

/// Requests that were refused one after the other, once a minute.
pub(super) fn refused(
    key: KeyId,
    company: CompanyId,
    count: u64,
    last_at: Instant,
    program: &Program,
) -> Result<HashMap<KeyId, KeyUse>, Refusal> {
    let mut used = KeyUse::none(company);
    for number in (0..count).rev() {
        used.refuse(last_at - Duration::from_mins(number), presenter(program)?, random::hex::<8>());
    }
    Ok(HashMap::from([(key, used)]))
}

fn presenter((address, client): &Program) -> Result<Presenter<'_>, Refusal> {
    Ok(Presenter { address: Some(address.parse::<IpAddr>()?), client: Some(client) })
}

/// Few at night and at week-ends, and on no two days in a row as many.
fn is_sent(number: u64, at: Instant) -> bool {
    let (day, hour) = (hour_of(at).div_euclid(24), hour_of(at).rem_euclid(24));
    // 1 January 1970 was a Thursday.
    let is_quiet = !(6..18).contains(&hour) || matches!(day.rem_euclid(7), 2 | 3);
    let sent_of_nine = if is_quiet { 1 } else { 9 - (day * 7).rem_euclid(5) };
    i64::try_from(number % 9).is_ok_and(|turn| turn < sent_of_nine)
}
