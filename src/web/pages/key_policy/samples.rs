//! The Key Policy page with sample data.

use crate::web::components::field::Field;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, edited, layout, render, zone};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::key_policy::view::{KeyPolicyPage, PolicyKey};

impl KeyPolicyPage {
    pub fn samples() -> Vec<Rendered> {
        let page = || Self {
            layout: layout(),
            company_name: Field::new("Brightwater Foods"),
            default_expiry: Field::new("none"),
            maximum_lifetime: Field::new("none"),
            rotation_period: Field::new("none"),
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
            company_name: Field::invalid("", "Enter a name for the company"),
            require_second_factor: false,
            admins_without: 2,
            maximum_lifetime: Field::invalid("20", "The maximum lifetime must not be shorter than the default expiry"),
            ..page()
        };
        let conflict = Self {
            company_name: Field::new("Brightwater Foods International"),
            edited: edited(Some(&[
                ("Company name", "Brightwater Foods", "Brightwater Foods International"),
                ("Maximum lifetime", "180 days", "No limit"),
            ])),
            ..page()
        };
        let key = |id: &str, name: &str, preview: &str, expires| PolicyKey {
            id: id.to_owned(),
            name: name.to_owned(),
            preview: preview.to_owned(),
            created: zone().date(ago(60 * 60 * 24 * 120)),
            expires,
        };
        let strict = |can_change| Self {
            default_expiry: Field::new("90"),
            maximum_lifetime: Field::new("180"),
            rotation_period: Field::new("45"),
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
