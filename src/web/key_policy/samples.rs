//! The Key Policy page with sample data.

use crate::web::key_policy::{KeyPolicyPage, PolicyKey};
use crate::web::keys::expiry::Expiry;
use crate::web::page::Field;
use crate::web::samples::{Drawn, LONG_NAME, ago, drawn, shell, zone};

impl KeyPolicyPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = || Self {
            shell: shell(),
            company_name: Field::kept("Brightwater Foods"),
            default_expiry: Field::kept("none"),
            maximum_lifetime: Field::kept("none"),
            rotation_period: Field::kept("none"),
            beyond: vec![],
            more_beyond: 0,
            due: vec![],
            more_due: 0,
            require_second_factor: true,
            can_change: true,
            admins_without: 0,
            banner_saved: false,
        };
        let refused = Self {
            company_name: Field::refused("", "Enter a name for the company"),
            require_second_factor: false,
            admins_without: 2,
            maximum_lifetime: Field::refused("20", "The longest lifetime allowed must not be shorter than the default"),
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
            default_expiry: Field::kept("90"),
            maximum_lifetime: Field::kept("180"),
            rotation_period: Field::kept("45"),
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
            drawn("key-policy", &page()),
            drawn("key-policy-saved", &Self { banner_saved: true, ..page() }),
            drawn("key-policy-refused", &refused),
            drawn("key-policy-strict", &strict(true)),
            drawn("key-policy-strict-auditor", &strict(false)),
            drawn("key-policy-auditor", &Self { can_change: false, ..page() }),
        ]
    }
}
