//! Every page with sample data, so that one test draws them all and a look at them needs no server.

use std::time::Duration;

use askama::Template;

use crate::domain::instant::Instant;
use crate::domain::user::Theme;
use crate::web::account::page::AccountPage;
use crate::web::account::second_factor::SecondFactorPage;
use crate::web::audit_trail::page::TrailPage;
use crate::web::invitation::InvitationPage;
use crate::web::key_policy::KeyPolicyPage;
use crate::web::keys::audit_trail::AuditTrailPage;
use crate::web::keys::key_page::KeyPage;
use crate::web::keys::list::ListPage;
use crate::web::message::{Message, MessagePage};
use crate::web::page::{AssetPaths, Field, OutsideShell, Person, Shell, Who};
use crate::web::setup::SetupPage;
use crate::web::sign_in::{SignInNotice, SignInPage};
use crate::web::sign_in_code::{CodeNotice, SignInCodePage};
use crate::web::time::Zone;
use crate::web::users::list::UsersPage;

const ASSETS: AssetPaths =
    AssetPaths { stylesheet: "/static/keydesk.css", module: "/static/js/keydesk.js", favicon: "/static/favicon.svg" };

/// A name as long as they may be, without a place to break at.
pub(crate) const LONG_NAME: &str = "Warehouse_Label_Printer_And_Pallet_Tracking_Gateway_Rotterdam_02";

/// A page drawn, under the name of what it shows.
pub(crate) type Drawn = (&'static str, String);

pub(crate) fn drawn(name: &'static str, page: &impl Template) -> Drawn {
    (name, page.render().unwrap())
}

pub(crate) fn shell() -> Shell {
    Shell {
        company: "Brightwater Foods".to_owned(),
        platform: "Go Autonomous".to_owned(),
        person: Person::named("Maria Lindqvist"),
        theme: Theme::System,
        assets: ASSETS,
    }
}

pub(crate) fn zone() -> Zone {
    Zone::from_cookie(Some("Europe/Oslo"))
}

/// 23 November 2026, 09:30 in Oslo, less some minutes.
pub(crate) fn ago(minutes: u64) -> Instant {
    Instant::from_micros(1_795_422_600_000_000) - Duration::from_secs(minutes * 60)
}

/// A user, or the deleted user for no name.
pub(crate) fn user(name: &str) -> Who {
    Who::user((!name.is_empty()).then(|| name.to_owned()))
}

fn outside() -> OutsideShell {
    OutsideShell { platform: "Go Autonomous".to_owned(), assets: ASSETS }
}

impl SignInPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = |notice| Self {
            shell: outside(),
            email: if notice == Some(SignInNotice::Incorrect) { "maria.lindqvist@brightwater.example" } else { "" }
                .to_owned(),
            next: Some("/administration/company-settings/api-keys?tab=revoked&q=a".to_owned()),
            notice,
        };
        vec![
            drawn("sign-in", &page(None)),
            drawn("sign-in-incorrect", &page(Some(SignInNotice::Incorrect))),
            drawn("sign-in-throttled", &page(Some(SignInNotice::Throttled { minutes: 15 }))),
            drawn("sign-in-stopped", &page(Some(SignInNotice::Stopped))),
            drawn("sign-in-signed-out", &page(Some(SignInNotice::SignedOut))),
        ]
    }
}

impl SignInCodePage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = |notice| Self { shell: outside(), notice };
        vec![
            drawn("sign-in-code", &page(None)),
            drawn("sign-in-code-incorrect", &page(Some(CodeNotice::Incorrect))),
            drawn("sign-in-code-throttled", &page(Some(CodeNotice::Throttled { minutes: 1 }))),
            drawn("sign-in-code-stopped", &page(Some(CodeNotice::Stopped))),
        ]
    }
}

impl InvitationPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = |email: &str, error: Option<&str>| Self {
            shell: outside(),
            email: email.to_owned(),
            token: "Zm9v_b-Fy".to_owned(),
            password_error: error.map(str::to_owned),
        };
        let long = "priya.wolfeschlegelsteinhausenbergerdorff@procurement.brightwater.example";
        vec![
            drawn("invitation", &page("tomasz.wojcik@brightwater.example", None)),
            drawn("invitation-refused", &page(long, Some("Use at least 15 characters."))),
        ]
    }
}

impl SetupPage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let empty = Self {
            shell: outside(),
            token: "Zm9v_b-Fy".to_owned(),
            company_name: Field::default(),
            name: Field::default(),
            email: Field::default(),
            password_error: None,
        };
        let refused = Self {
            shell: outside(),
            token: "Zm9v_b-Fy".to_owned(),
            company_name: Field::kept("Brightwater Foods"),
            name: Field::refused("", "Enter your name"),
            email: Field::refused("maria", "Enter an email address, such as maria@brightwater.example"),
            password_error: Some("This password is easy to guess. Use a longer or less common one.".to_owned()),
        };
        vec![drawn("setup", &empty), drawn("setup-refused", &refused)]
    }
}

impl MessagePage {
    pub(crate) fn samples() -> Vec<Drawn> {
        let page = |name, message| {
            let request_id = Some("0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned());
            drawn(name, &Self { shell: outside(), message, request_id })
        };
        vec![
            page("message-400", Message::bad_request()),
            page("message-403", Message::admins_only()),
            page("message-403-cross-site", Message::cross_site()),
            page("message-403-setup", Message::setup_link_needed()),
            page("message-404", Message::no_page()),
            page("message-404-key", Message::no_key()),
            page("message-405", Message::wrong_method()),
            page("message-408", Message::too_slow()),
            page("message-409", Message::key_already_shown()),
            page("message-413", Message::too_large()),
            page("message-415", Message::wrong_type()),
            page("message-busy", Message::too_many_at_once("/sign-in")),
            page("message-500", Message::internal_error()),
            page("message-503", Message::database_unreachable("/sign-in")),
        ]
    }
}

pub(crate) fn all() -> Vec<Drawn> {
    [
        SignInPage::samples(),
        SignInCodePage::samples(),
        SetupPage::samples(),
        InvitationPage::samples(),
        MessagePage::samples(),
        ListPage::samples(),
        AuditTrailPage::samples(),
        TrailPage::samples(),
        KeyPage::samples(),
        UsersPage::samples(),
        KeyPolicyPage::samples(),
        AccountPage::samples(),
        SecondFactorPage::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_page_is_drawn_whole_and_without_anything_inline() {
    let module = "<script type=\"module\" src=\"/static/js/keydesk.js\"></script>";
    for (name, html) in all() {
        assert_eq!(html.matches(module).count(), 1, "{name} loads the module");
        let html = html.replace(module, "");
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{name}");
        for forbidden in
            ["<script", "<style", " style=", " onclick=", " onload=", "javascript:", " maxlength=", " placeholder="]
        {
            assert!(!html.contains(forbidden), "{name} has {forbidden}");
        }
        assert!(html.matches(" autofocus").count() <= 1, "{name}: one place to start from");
        for form in html.split("<form").skip(1) {
            assert!(form.split('>').next().is_some_and(|tag| tag.contains(" action=\"/")), "{name}: {form}");
        }
    }
}
