//! The Key Policy page with sample data.

use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::timestamp::Timestamp;
use crate::store::KeyLifetime;
use crate::web::components::field::Field;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, edited, layout, render, zone};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::key_policy::period::{Period, PeriodField, default_note, forecast};
use crate::web::pages::key_policy::view::{KeyPolicyPage, PolicyKey};

fn periods(days: [&str; 4]) -> [PeriodField; 4] {
    let policy = KeyPolicy { default_expiry: Days::new(365), maximum_lifetime: Days::new(180), ..KeyPolicy::default() };
    let key = |created_at, last_used_at| KeyLifetime {
        created_at,
        refused_from: Timestamp::from_micros(i64::MAX),
        last_used_at,
    };
    let keys = [key(ago(60 * 24 * 200), ago(5)), key(ago(60), Timestamp::from_micros(0))];
    Period::ALL.map(|period| PeriodField {
        period,
        days: Field::new(days[Period::ALL.iter().position(|each| *each == period).unwrap()]),
        reason: Field::new(if period == Period::Rotation { "Risk review of March 2026,\nPCI DSS 8.6.3." } else { "" }),
        note: default_note(&policy)
            .filter(|_| days[0] != "none" && period == Period::DefaultExpiry)
            .or_else(|| forecast(period, &keys, ago(0))),
    })
}

fn refused_periods() -> [PeriodField; 4] {
    let mut periods = periods(["none", "none", "none", "none"]);
    periods[1].days = Field::invalid("20000", "Enter 1 to 3,650 days, or choose no limit");
    periods[2].reason = Field::invalid(LONG_NAME.repeat(8), "Use 500 characters or fewer");
    periods
}

impl KeyPolicyPage {
    pub fn samples() -> Vec<Rendered> {
        let page = || Self {
            layout: layout(),
            company_name: None,
            periods: periods(["none", "none", "none", "none"]),
            beyond: vec![],
            more_beyond: 0,
            due: vec![],
            more_due: 0,
            require_second_factor: true,
            can_change: true,
            admins_without: 0,
            banner_saved: false,
            edited: edited(None),
        };
        let refused = Self {
            company_name: Some(Field::invalid("", "Enter a name for the company")),
            require_second_factor: false,
            admins_without: 2,
            periods: refused_periods(),
            ..page()
        };
        let conflict = Self { edited: edited(Some(&[("Maximum lifetime", "180 days", "No limit")])), ..page() };
        let key = |id: &str, name: &str, preview: &str, expires| PolicyKey {
            id: id.to_owned(),
            name: name.to_owned(),
            preview: preview.to_owned(),
            created: zone().date(ago(60 * 60 * 24 * 120)),
            expires,
        };
        let strict = |can_change| Self {
            periods: periods(["365", "180", "45", "90"]),
            beyond: vec![
                key("k2", "ERP Sync Service", "goa_7Hq2…9fKd", Expiry::Never),
                key("k4", LONG_NAME, "goa_b9Zc…eW31", Expiry::On(zone().date(ago(0)))),
            ],
            more_beyond: 1_204,
            due: vec![key("k3", "خدمة مزامنة الطلبات", "goa_Lm4x…T0ve", Expiry::Never)],
            can_change,
            ..page()
        };
        vec![
            render("key-policy", &page()),
            render("key-policy-saved", &Self { banner_saved: true, ..page() }),
            render("key-policy-refused", &refused),
            render("key-policy-conflict", &conflict),
            render("key-policy-strict", &strict(true)),
            render("key-policy-strict-auditor", &strict(false)),
            render("key-policy-auditor", &Self { can_change: false, ..page() }),
        ]
    }
}
