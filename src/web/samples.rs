//! All pages with sample data. One test renders and checks them, and can write them to files.

use crate::web::components::field::Field;
use crate::web::components::samples::{Rendered, edited, layout, render, signed_out_layout};
use crate::web::pages::account::second_factor::SecondFactorPage;
use crate::web::pages::account::view::AccountPage;
use crate::web::pages::api_keys::activity::view::KeyActivityPage;
use crate::web::pages::api_keys::list::view::KeyListPage;
use crate::web::pages::api_keys::service_account::view::ServiceAccountPage;
use crate::web::pages::api_keys::show::view::KeyDetailPage;
use crate::web::pages::audit_trail::view::TrailPage;
use crate::web::pages::errors::view::{Message, MessagePage, SignedInMessagePage};
use crate::web::pages::evidence::view::EvidencePage;
use crate::web::pages::general::GeneralPage;
use crate::web::pages::invitation::InvitationPage;
use crate::web::pages::key_policy::view::KeyPolicyPage;
use crate::web::pages::practice::view::PracticePage;
use crate::web::pages::setup::SetupPage;
use crate::web::pages::sign_in::code::{CodeNotice, SignInCodePage};
use crate::web::pages::sign_in::password::{SignInNotice, SignInPage};
use crate::web::pages::users::view::UsersPage;

impl SignInPage {
    pub fn samples() -> Vec<Rendered> {
        let page = |notice| Self {
            layout: signed_out_layout(),
            email: if notice == Some(SignInNotice::Incorrect) { "maria.lindqvist@brightwater.example" } else { "" }
                .to_owned(),
            next: Some("/administration/company-settings/api-keys?tab=revoked&q=a".to_owned()),
            notice,
        };
        vec![
            render("sign-in", &page(None)),
            render("sign-in-incorrect", &page(Some(SignInNotice::Incorrect))),
            render("sign-in-throttled", &page(Some(SignInNotice::Throttled { minutes: 15 }))),
            render("sign-in-stopped", &page(Some(SignInNotice::Blocked))),
            render("sign-in-signed-out", &page(Some(SignInNotice::SignedOut))),
        ]
    }
}

impl SignInCodePage {
    pub fn samples() -> Vec<Rendered> {
        let page = |notice| Self { layout: signed_out_layout(), notice };
        vec![
            render("sign-in-code", &page(None)),
            render("sign-in-code-incorrect", &page(Some(CodeNotice::Incorrect))),
            render("sign-in-code-throttled", &page(Some(CodeNotice::Throttled { minutes: 1 }))),
            render("sign-in-code-stopped", &page(Some(CodeNotice::Blocked))),
        ]
    }
}

impl InvitationPage {
    pub fn samples() -> Vec<Rendered> {
        let page = |email: &str, error: Option<&str>| Self {
            layout: signed_out_layout(),
            email: email.to_owned(),
            is_reset: error.is_some(),
            token: "Zm9v_b-Fy".to_owned(),
            password_error: error.map(str::to_owned),
        };
        let long = "priya.wolfeschlegelsteinhausenbergerdorff@procurement.brightwater.example";
        vec![
            render("invitation", &page("tomasz.wojcik@brightwater.example", None)),
            render("invitation-refused", &page(long, Some("Use at least 15 characters."))),
        ]
    }
}

impl SetupPage {
    pub fn samples() -> Vec<Rendered> {
        let empty = Self {
            layout: signed_out_layout(),
            token: "Zm9v_b-Fy".to_owned(),
            company_name: Field::default(),
            name: Field::default(),
            email: Field::default(),
            password_error: None,
        };
        let refused = Self {
            layout: signed_out_layout(),
            token: "Zm9v_b-Fy".to_owned(),
            company_name: Field::new("Brightwater Foods"),
            name: Field::invalid("", "Enter your name"),
            email: Field::invalid("maria", "Enter a valid email address"),
            password_error: Some("This password is too easy to guess. Try a few unrelated words.".to_owned()),
        };
        vec![render("setup", &empty), render("setup-refused", &refused)]
    }
}

impl GeneralPage {
    pub fn samples() -> Vec<Rendered> {
        let page = || Self {
            layout: layout(),
            company_id: "0199c2f4-7f0a-7c3e-9d51-2f6b8c1e4a77".to_owned(),
            company_name: Field::new("Brightwater Foods"),
            can_change: true,
            banner_saved: false,
            edited: edited(None),
        };
        let conflict = [("Company name", "Brightwater Foods", "Brightwater Foods International")];
        vec![
            render("general", &page()),
            render("general-saved", &Self { banner_saved: true, ..page() }),
            render(
                "general-refused",
                &Self { company_name: Field::invalid("", "Enter a name for the company"), ..page() },
            ),
            render("general-conflict", &Self { edited: edited(Some(&conflict)), ..page() }),
            render("general-auditor", &Self { can_change: false, ..page() }),
        ]
    }
}

impl MessagePage {
    pub fn samples() -> Vec<Rendered> {
        let page = |name, message| {
            let request_id = Some("4f1d0c9be27a8365".to_owned());
            render(name, &Self { layout: signed_out_layout(), message, request_id })
        };
        let signed_in = |name, message| {
            let request_id = Some("4f1d0c9be27a8365".to_owned());
            render(name, &SignedInMessagePage { layout: layout(), message, request_id })
        };
        vec![
            page("message-400", Message::bad_request()),
            page("message-403", Message::admins_only()),
            page("message-403-cross-site", Message::cross_site()),
            page("message-403-setup", Message::setup_token_required()),
            page("message-404", Message::page_not_found()),
            page("message-404-key", Message::key_not_found()),
            page("message-405", Message::method_not_allowed()),
            page("message-408", Message::too_slow()),
            page("message-409", Message::key_already_shown()),
            page("message-413", Message::too_large()),
            page("message-415", Message::unsupported_type()),
            page("message-busy", Message::too_many_at_once("/sign-in")),
            page("message-500", Message::internal_error()),
            page("message-503", Message::database_unreachable("/sign-in")),
            signed_in("message-404-signed-in", Message::page_not_found()),
            signed_in("message-403-signed-in", Message::admins_only()),
        ]
    }
}

pub fn all() -> Vec<Rendered> {
    [
        SignInPage::samples(),
        SignInCodePage::samples(),
        SetupPage::samples(),
        InvitationPage::samples(),
        MessagePage::samples(),
        KeyListPage::samples(),
        KeyActivityPage::samples(),
        TrailPage::samples(),
        EvidencePage::samples(),
        GeneralPage::samples(),
        KeyDetailPage::samples(),
        ServiceAccountPage::samples(),
        UsersPage::samples(),
        KeyPolicyPage::samples(),
        PracticePage::samples(),
        AccountPage::samples(),
        SecondFactorPage::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// With `DUMP_PAGES=FOLDER`, also writes each page to a file in that folder, to compare pages before and after a
/// change.
#[test]
fn every_page_is_complete_and_has_no_inline_code() {
    let module = "<script type=\"module\" src=\"/static/js/keydesk.js\"></script>";
    let folder = std::env::var_os("DUMP_PAGES").map(std::path::PathBuf::from);
    for (name, html) in all() {
        if let Some(folder) = &folder {
            std::fs::write(folder.join(name).with_extension("html"), &html).unwrap();
        }
        assert_eq!(html.matches(module).count(), 1, "{name} loads the module");
        // The search of the list is the only field with a placeholder.
        let html = html.replace(module, "").replace(" placeholder=\"Search by name or key\"", "");
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{name}");
        for forbidden in
            ["<script", "<style", " style=", " onclick=", " onload=", "javascript:", " maxlength=", " placeholder="]
        {
            assert!(!html.contains(forbidden), "{name} has {forbidden}");
        }
        assert!(html.matches(" autofocus").count() <= 1, "{name} has more than one autofocus");
        for form in html.split("<form").skip(1) {
            assert!(form.split('>').next().is_some_and(|tag| tag.contains(" action=\"/")), "{name}: {form}");
        }
    }
}
