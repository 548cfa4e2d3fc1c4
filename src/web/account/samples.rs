//! The account pages with sample data.

use crate::domain::user::{Role, Theme};
use crate::web::account::page::{AccountBanner, AccountPage, SecondFactorSummary, SessionRow};
use crate::web::account::qr_code::QrCode;
use crate::web::account::second_factor::{SecondFactorPage, SecondFactorState};
use crate::web::page::{Field, Shell};
use crate::web::samples::{Drawn, ago, drawn, shell, zone};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn sessions() -> Vec<SessionRow> {
    let session = |id: &str, browser: &str, address: Option<&str>, signed_in, last_seen| SessionRow {
        id: id.to_owned(),
        browser: browser.to_owned(),
        address: address.map(str::to_owned),
        signed_in: zone().date_time(ago(signed_in)),
        last_seen: zone().date_time(ago(last_seen)),
        is_this: id == "s1",
    };
    vec![
        session("s1", "Firefox on Windows", Some("203.0.113.24"), 75, 0),
        session("s2", "Chrome on Android", Some("2001:db8:85a3:8d3:1319:8a2e:370:7348"), 400, 31),
        session("s3", "Unknown browser", None, 1_000, 990),
    ]
}

fn account() -> AccountPage {
    AccountPage {
        shell: shell(),
        email: "maria.lindqvist@brightwater.example".to_owned(),
        role: Role::Admin,
        name: Field::kept("Maria Lindqvist"),
        time_zone: Field::kept("Europe/Oslo"),
        zones: ["America/Argentina/Buenos_Aires", "Europe/Oslo", "UTC"].map(str::to_owned).into(),
        theme: Field::kept(Theme::System.as_str()),
        current_password_error: None,
        new_password_error: None,
        second_factor: SecondFactorSummary { since: Some(zone().date(ago(73_000))), recovery_codes_left: 8 },
        sessions: sessions(),
        zone: zone().label(ago(0)),
        banner: None,
    }
}

impl AccountPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let refused = AccountPage {
            name: Field::refused("", "Enter your name"),
            time_zone: Field::refused("", "Choose one of the time zones"),
            theme: Field::refused("system", "Choose one of the themes"),
            ..account()
        };
        let password_refused = AccountPage {
            current_password_error: Some("The password is incorrect.".to_owned()),
            new_password_error: Some("Use at least 15 characters.".to_owned()),
            ..account()
        };
        let lone = AccountPage {
            shell: Shell { theme: Theme::Dark, ..shell() },
            theme: Field::kept(Theme::Dark.as_str()),
            second_factor: SecondFactorSummary { since: None, recovery_codes_left: 0 },
            sessions: sessions().into_iter().take(1).collect(),
            ..account()
        };
        let banner = |name, banner| drawn(name, &AccountPage { banner: Some(banner), ..account() });
        vec![
            drawn("account", &account()),
            drawn("account-refused", &refused),
            drawn("account-password-refused", &password_refused),
            drawn("account-always-dark", &lone),
            banner("account-saved", AccountBanner::Saved),
            banner("account-password-changed", AccountBanner::PasswordChanged),
            banner("account-session-ended", AccountBanner::SessionEnded),
            banner("account-others-ended", AccountBanner::OtherSessionsEnded),
            banner("account-second-factor-removed", AccountBanner::SecondFactorRemoved),
        ]
    }
}

impl SecondFactorPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let off = |code_error: Option<&str>| {
            let link = format!("otpauth://totp/Go%20Autonomous:maria@brightwater.example?secret={SECRET}");
            SecondFactorState::Off {
                qr: QrCode::of(&link).unwrap(),
                secret: SECRET.to_owned(),
                code_error: code_error.map(str::to_owned),
            }
        };
        let on = |recovery_codes_left, password_error: Option<&str>| SecondFactorState::On {
            email: "maria.lindqvist@brightwater.example".to_owned(),
            since: zone().date(ago(73_000)),
            recovery_codes_left,
            password_error: password_error.map(str::to_owned),
        };
        let codes =
            (0..10_u32).map(|place| format!("{:04x}-{:04x}-{:04x}", place * 977, 40_961 - place, place + 7_919));
        let page = |state| Self { shell: shell(), state, is_required: false };
        vec![
            drawn("second-factor-off", &page(off(None))),
            drawn("second-factor-required", &Self { is_required: true, ..page(off(None)) }),
            drawn("second-factor-refused", &page(off(Some("The code is incorrect, or was used before.")))),
            drawn("second-factor-on", &page(on(8, None))),
            drawn("second-factor-on-refused", &page(on(1, Some("The password is incorrect.")))),
            drawn("second-factor-codes", &page(SecondFactorState::JustSetUp { recovery_codes: codes.collect() })),
        ]
    }
}
