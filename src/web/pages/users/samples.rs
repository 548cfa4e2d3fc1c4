//! The Users page and its dialogs with sample data.

use crate::domain::user::profile::Role;
use crate::web::components::dialog::Dialog;
use crate::web::components::field::Field;
use crate::web::components::key_use::samples::several_in_use;
use crate::web::components::paging::Pager;
use crate::web::components::people::Person;
use crate::web::components::samples::{LONG_NAME, Rendered, ago, edited, layout, render, user, zone};
use crate::web::pages::users::change_role::ChangeRole;
use crate::web::pages::users::delete::{DeleteUser, KeysChoice, NewOwner, OwnedKey};
use crate::web::pages::users::invitation::NewLink;
use crate::web::pages::users::invite::{AddUser, InvitationLink};
use crate::web::pages::users::view::{LastSignIn, UserRow, UsersBanner, UsersPage};

const TOMASZ: &str = "Tomasz Wójcik";

fn rows() -> Vec<UserRow> {
    let row = |id: &str, name: &str, email: &str, role, has_second_factor, last_sign_in| UserRow {
        id: id.to_owned(),
        person: Person::named(name),
        email: email.to_owned(),
        role,
        has_second_factor,
        last_sign_in,
        is_you: id == "u1",
        is_only_admin: false,
    };
    let at = |minutes| LastSignIn::At(zone().date_time(ago(minutes)));
    let long = "priya.wolfeschlegelsteinhausenbergerdorff@procurement.brightwater.example";
    vec![
        row("u1", "Maria Lindqvist", "maria.lindqvist@brightwater.example", Role::Admin, true, at(16)),
        row("u2", TOMASZ, "tomasz.wojcik@brightwater.example", Role::Admin, true, at(2_608)),
        row("u3", "דנה לוי", "dana.levi@brightwater.example", Role::Auditor, false, at(73_000)),
        row("u4", "Priya Wolfeschlegelsteinhausenbergerdorff", long, Role::Auditor, false, LastSignIn::Invited),
        row("u5", LONG_NAME, "warehouse@brightwater.example", Role::Auditor, false, LastSignIn::NotYet),
    ]
}

fn list() -> UsersPage {
    UsersPage {
        layout: layout(),
        rows: rows(),
        pager: Pager::default(),
        total: 5,
        can_change: true,
        zone: zone().label(ago(0)),
        banner: None,
        dialog: None,
    }
}

fn with_dialog(dialog: Dialog) -> UsersPage {
    UsersPage { dialog: Some(dialog), ..list() }
}

fn change_role(name: &str, role: Field, is_you: bool) -> UsersPage {
    with_dialog(
        ChangeRole {
            user_id: "u2".to_owned(),
            name: name.to_owned(),
            role,
            is_you,
            has_signed_in: true,
            edited: edited(None),
        }
        .into_dialog(),
    )
}

fn delete(name: &str) -> DeleteUser {
    DeleteUser {
        user_id: "u2".to_owned(),
        name: name.to_owned(),
        is_you: false,
        refusal: None,
        keys: vec![],
        more_keys: 0,
        in_use: None,
        new_owners: vec![],
        choice: KeysChoice::HandOver,
        new_owner: Field::default(),
    }
}

fn delete_owner(name: &str) -> DeleteUser {
    let key = |(id, name, preview): (&str, &str, &str)| OwnedKey {
        id: id.to_owned(),
        name: name.to_owned(),
        preview: preview.to_owned(),
    };
    let new_owner = |(id, name, role): (&str, &str, Role)| NewOwner {
        id: id.to_owned(),
        name: name.to_owned(),
        role,
        has_signed_in: id != "u4",
    };
    DeleteUser {
        in_use: Some(several_in_use(3)),
        keys: [
            ("k1", "Staging Smoke Tests", "goa_2nQj…PyB6"),
            ("k3", "خدمة مزامنة الطلبات", "goa_Lm4x…T0ve"),
            ("k4", LONG_NAME, "goa_b9Zc…eW31"),
        ]
        .map(key)
        .into(),
        new_owners: [
            ("u1", "Maria Lindqvist", Role::Admin),
            ("u3", "דנה לוי", Role::Auditor),
            ("u4", "Priya Wolfeschlegelsteinhausenbergerdorff", Role::Auditor),
            ("u5", LONG_NAME, Role::Auditor),
        ]
        .map(new_owner)
        .into(),
        ..delete(name)
    }
}

impl UsersPage {
    pub fn samples() -> Vec<Rendered> {
        let role = |name: &str| Field::new(name);
        let refused = AddUser {
            name: Field::invalid("", "Enter a name"),
            email: Field::invalid("maria.lindqvist@brightwater.example", "This email address cannot be used."),
            role: Field::invalid("owner", "Select a role"),
        };
        let link = InvitationLink {
            user_id: "u4".to_owned(),
            name: "Priya Wolfeschlegelsteinhausenbergerdorff".to_owned(),
            email: "priya.wolfeschlegelsteinhausenbergerdorff@procurement.brightwater.example".to_owned(),
            link: "https://keys.brightwater.example/invitation?token=mZ3kq8uWv0bY5xTn2LrPc7Gd9sHf4JaEoXi6RtVwQ1U"
                .to_owned(),
            until: zone().date_time(ago(0)),
        };
        let new_link = |name: &str, has_signed_in, is_you| NewLink {
            user_id: "u2".to_owned(),
            name: name.to_owned(),
            has_signed_in,
            has_second_factor: has_signed_in,
            is_you,
            refusal: is_you.then(|| "You cannot reset your own password here.".to_owned()),
        };
        let paged = UsersPage {
            total: 1_204,
            pager: Pager {
                previous: Some("/users?cursor=cA".to_owned()),
                next: Some("/users?cursor=bg".to_owned()),
                ..Pager::default()
            },
            ..list()
        };
        let banner = |banner| UsersPage { banner: Some(banner), ..list() };
        let changed = UsersBanner::RoleChanged { name: TOMASZ.to_owned(), role: Role::Auditor };
        let deleted = |keys_handed_over, keys_revoked| UsersBanner::Deleted {
            keys_handed_over,
            keys_revoked,
            new_owner: (keys_handed_over > 0).then(|| user("דנה לוי")),
        };
        let with_keys = DeleteUser { more_keys: 12, ..delete_owner(TOMASZ) };
        let no_owner = DeleteUser {
            new_owner: Field::invalid("", "Select a new owner"),
            ..delete_owner("Priya Wolfeschlegelsteinhausenbergerdorff")
        };
        let last_admin = DeleteUser {
            is_you: true,
            refusal: Some("The last administrator cannot be deleted.".to_owned()),
            choice: KeysChoice::Revoke,
            keys: delete_owner(TOMASZ).keys.into_iter().take(1).collect(),
            ..delete_owner("Maria Lindqvist")
        };
        vec![
            render("users", &list()),
            render("users-auditor", &UsersPage { can_change: false, ..list() }),
            render("users-paged", &paged),
            render("users-past-the-end", &UsersPage { rows: vec![], ..paged }),
            render("users-role-changed", &banner(changed)),
            render("users-deleted", &banner(deleted(0, 0))),
            render("users-deleted-handed-over", &banner(deleted(3, 0))),
            render("users-deleted-revoked", &banner(deleted(0, 1))),
            render("add-user", &with_dialog(AddUser::default().into_dialog())),
            render("add-user-refused", &with_dialog(refused.into_dialog())),
            render("invitation-link", &with_dialog(link.into_dialog())),
            render("reset-password", &with_dialog(new_link(TOMASZ, true, false).into_dialog())),
            render("reset-own-password", &with_dialog(new_link("Maria Lindqvist", true, true).into_dialog())),
            render("resend-invitation", &with_dialog(new_link(LONG_NAME, false, false).into_dialog())),
            render("change-role", &change_role(TOMASZ, role("admin"), false)),
            render(
                "change-role-refused",
                &change_role(
                    "Maria Lindqvist",
                    Field::invalid(
                        "auditor",
                        "This is the only administrator. Make someone else an administrator first.",
                    ),
                    true,
                ),
            ),
            render("delete-user", &with_dialog(delete("דנה לוי").into_dialog())),
            render("delete-user-keys", &with_dialog(with_keys.into_dialog())),
            render("delete-user-nobody", &with_dialog(no_owner.into_dialog())),
            render("delete-user-refused", &with_dialog(last_admin.into_dialog())),
        ]
    }
}
