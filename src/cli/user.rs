//! `keydesk user …`.

use std::io::Read;

use secrecy::zeroize::Zeroizing;

use super::{Refusal, find_company};
use crate::actions::{Actions, NewUser};
use crate::domain::email::EmailAddress;
use crate::domain::event::Origin;
use crate::domain::name::PersonName;
use crate::domain::password::Password;
use crate::domain::user::Role;

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add somebody who signs in
    Add {
        /// Their company, by name or id
        #[arg(long)]
        company: String,
        /// Their name
        #[arg(long)]
        name: String,
        /// Their email address
        #[arg(long)]
        email: String,
        /// What they may do: admin or auditor
        #[arg(long, value_parser = role)]
        role: Role,
        /// Read their password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "give admin or auditor".to_owned())
}

impl User {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        let Self::Add { company, name, email, role, password_stdin } = self;
        if !password_stdin {
            return Err("Give the password on standard input and add --password-stdin.".into());
        }
        let company = find_company(actions, &company)?;
        let (name, email) = (PersonName::parse(&name)?, EmailAddress::parse(&email)?);
        let mut typed = Zeroizing::new(String::new());
        let unreadable =
            |_| Refusal("The password on standard input is not text in UTF-8. Give it as text.".to_owned());
        std::io::stdin().read_to_string(&mut typed).map_err(unreadable)?;
        let typed = typed.strip_suffix('\n').unwrap_or(&typed);
        let words = [company.name.as_str(), name.as_str(), email.as_str(), &actions.platform_name, "keydesk"];
        let password_hash = actions.passwords.hash(&Password::chosen(typed, &words)?)?;
        let user = NewUser { role, name: &name, email: &email, password_hash: &password_hash };
        let id = actions.add_user(company.id, &user, &Origin::command_line())?;
        super::say(&format!("User: {id}"))?;
        Ok(())
    }
}
