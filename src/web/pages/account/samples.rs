//! The account pages with sample data.

use crate::domain::user::profile::{Role, Theme};
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::samples::{Rendered, ago, edited, layout, render, zone};
use crate::web::pages::account::qr_code::QrCode;
use crate::web::pages::account::second_factor::{SecondFactorPage, SecondFactorState};
use crate::web::pages::account::view::{AccountBanner, AccountPage, SecondFactorSummary, SessionRow};

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
        layout: layout(),
        email: "maria.lindqvist@brightwater.example".to_owned(),
        role: Role::Admin,
        name: Field::new("Maria Lindqvist"),
        time_zone: Field::new("Europe/Oslo"),
        zones: ["America/Argentina/Buenos_Aires", "Europe/Oslo", "UTC"].map(str::to_owned).into(),
        theme: Field::new(Theme::System.as_str()),
        current_password_error: None,
        new_password_error: None,
        second_factor: SecondFactorSummary { since: Some(zone().date(ago(73_000))), recovery_codes_left: 8 },
        sessions: sessions(),
        zone: zone().label(ago(0)),
        banner: None,
        edited: edited(None),
    }
}

impl AccountPage {
    pub fn samples() -> Vec<Rendered> {
        let refused = AccountPage {
            name: Field::invalid("", "Enter your name"),
            time_zone: Field::invalid("", "Select a time zone"),
            theme: Field::invalid("system", "Select a theme"),
            ..account()
        };
        let password_refused = AccountPage {
            current_password_error: Some("The password is incorrect.".to_owned()),
            new_password_error: Some("Use at least 15 characters.".to_owned()),
            ..account()
        };
        let minimal = AccountPage {
            layout: PageLayout { theme: Theme::Dark, ..layout() },
            theme: Field::new(Theme::Dark.as_str()),
            second_factor: SecondFactorSummary { since: None, recovery_codes_left: 0 },
            sessions: sessions().into_iter().take(1).collect(),
            ..account()
        };
        let banner = |name, banner| render(name, &AccountPage { banner: Some(banner), ..account() });
        vec![
            render("account", &account()),
            render("account-refused", &refused),
            render("account-conflict", &AccountPage { edited: edited(Some(&[])), ..account() }),
            render("account-password-refused", &password_refused),
            render("account-always-dark", &minimal),
            banner("account-saved", AccountBanner::Saved),
            banner("account-password-changed", AccountBanner::PasswordChanged),
            banner("account-session-ended", AccountBanner::SessionEnded),
            banner("account-others-ended", AccountBanner::OtherSessionsEnded),
            banner("account-second-factor-removed", AccountBanner::SecondFactorRemoved),
        ]
    }
}

impl SecondFactorPage {
    pub(crate) fn samples() -> Vec<Rendered> {
        let off = |password_error: Option<&str>, code_error: Option<&str>| {
            let link = format!("otpauth://totp/Go%20Autonomous:maria@brightwater.example?secret={SECRET}");
            SecondFactorState::Off {
                email: "maria.lindqvist@brightwater.example".to_owned(),
                qr: QrCode::of(&link),
                secret: SECRET.to_owned(),
                password_error: password_error.map(str::to_owned),
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
            (0..10_u32).map(|index| format!("{:04x}-{:04x}-{:04x}", index * 977, 40_961 - index, index + 7_919));
        let page = |state| Self { layout: layout(), state, is_required: false };
        vec![
            render("second-factor-off", &page(off(None, None))),
            render("second-factor-required", &Self { is_required: true, ..page(off(None, None)) }),
            render(
                "second-factor-refused",
                &page(off(None, Some("The code is incorrect. Check the clock of your device."))),
            ),
            render("second-factor-password-refused", &page(off(Some("This is not your current password."), None))),
            render("second-factor-on", &page(on(8, None))),
            render("second-factor-on-refused", &page(on(1, Some("The password is incorrect.")))),
            render("second-factor-codes", &page(SecondFactorState::JustSetUp { recovery_codes: codes.collect() })),
        ]
    }
}
