//! Creates companies and their first users.

use keydesk::actions::{Actions, NewUser, RequestContext};
use keydesk::domain::ids::CompanyId;
use keydesk::domain::text::name::{CompanyName, PersonName};
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::password::Password;
use keydesk::domain::user::profile::Role;

use super::PASSWORD;

pub fn add_brightwater(actions: &Actions) {
    let company = add_company(actions, "Brightwater");
    add_user(actions, company, "Maria Lindqvist", "maria@brightwater.example", Role::Admin);
}

pub fn add_company(actions: &Actions, name: &str) -> CompanyId {
    actions.add_company(&CompanyName::parse(name).unwrap()).unwrap()
}

pub fn add_user(actions: &Actions, company: CompanyId, name: &str, email: &str, role: Role) {
    let (name, email) = (PersonName::parse(name).unwrap(), EmailAddress::parse(email).unwrap());
    let password_hash = actions.passwords.hash(&Password::presented(PASSWORD)).unwrap();
    let user = NewUser { role, name: &name, email: &email };
    actions.add_user(&RequestContext::command_line(company), &user, &password_hash).unwrap();
}
