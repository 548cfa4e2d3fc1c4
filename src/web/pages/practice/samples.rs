//! The Practice page with sample data.

use super::view::{Bar, Chart, FindingRow, History, PracticePage};
use crate::domain::practice::finding::Practice;
use crate::store::PracticeDay;
use crate::web::components::samples::{Rendered, layout, render, zone};

impl PracticePage {
    pub fn samples() -> Vec<Rendered> {
        let chart = |title, labels: [&'static str; 5], keys: [u64; 5]| Chart {
            title,
            bars: labels.into_iter().zip(keys).map(|(label, keys)| Bar { label, keys, width: keys }).collect(),
        };
        let finding = |practice: Practice| FindingRow {
            label: practice.label(),
            advice: practice.advice(),
            keys: "3 keys".to_owned(),
            href: "/keys".to_owned(),
        };
        let ages = ["Up to 30 days", "31 to 90 days", "91 to 180 days", "181 to 365 days", "Over a year"];
        let uses = ["In the last 7 days", "8 to 30 days ago", "31 to 90 days ago", "Over 90 days ago", "Never"];
        let day = |day, active_keys, keys_with_findings| PracticeDay { day, active_keys, keys_with_findings };
        let days = [day(20_000, 40, 31), day(20_100, 64, 20), day(20_340, 80, 12)];
        let page = || Self {
            layout: layout(),
            summary: "12 of 80 active keys have something to improve.".to_owned(),
            findings: Practice::ALL.map(finding).into(),
            by_age: chart("Keys by age", ages, [12, 40, 100, 8, 0]),
            by_last_use: chart("Keys by last use", uses, [100, 12, 4, 20, 8]),
            history: History::new(&days, 20_365, &zone()),
        };
        let first_day = Self {
            summary: "There are no active keys.".to_owned(),
            findings: vec![],
            by_age: chart("Keys by age", ages, [0; 5]),
            by_last_use: chart("Keys by last use", uses, [0; 5]),
            history: None,
            ..page()
        };
        vec![render("practice", &page()), render("practice-empty", &first_day)]
    }
}
