//! `keydesk user …`.

use std::io::{IsTerminal, Read};

use secrecy::zeroize::Zeroizing;

use super::{Refusal, find_company, say};
use crate::actions::{Actions, NewUser};
use crate::config::PublicUrl;
use crate::domain::email::EmailAddress;
use crate::domain::event::Origin;
use crate::domain::name::PersonName;
use crate::domain::password::Password;
use crate::domain::user::Role;
use crate::store::{Company, User as StoredUser};
use crate::web::paths;

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add somebody who signs in; without a password, print the link by which they choose one
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
    /// Give somebody the password on standard input; their sessions end
    SetPassword {
        #[command(flatten)]
        who: Who,
        /// Read the password from standard input, as is done in any case
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let somebody sign in again whose address was tried too often
    Unlock {
        #[command(flatten)]
        who: Who,
    },
    /// Remove the second factor of somebody who lost it and the recovery codes
    RemoveSecondFactor {
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Their email address
    #[arg(long)]
    email: String,
    /// Their company, by name or id, to be sure that it is they
    #[arg(long)]
    company: Option<String>,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "give admin or auditor".to_owned())
}

impl User {
    pub(super) fn run(self, actions: &Actions, public_url: &PublicUrl) -> Result<(), Refusal> {
        let origin = Origin::command_line();
        match self {
            Self::Add { company, name, email, role, password_stdin } => {
                let company = find_company(actions, &company)?;
                let (name, email) = (PersonName::parse(&name)?, EmailAddress::parse(&email)?);
                let user = NewUser { role, name: &name, email: &email };
                if password_stdin {
                    return add(actions, &company, &user);
                }
                let invited = actions.invite_user(company.id, &user, &origin)?;
                say(&format!("Invitation link: {}", paths::invitation_link(public_url, &invited.token)))
            }
            Self::SetPassword { who, .. } => {
                let user = who.find(actions)?;
                if std::io::stdin().is_terminal() {
                    return Err("Give the password on standard input, for example from a file.".into());
                }
                actions.set_password(&user, &password_from_stdin()?, &origin)?;
                say(&format!("Password set: {}", user.email))
            }
            Self::Unlock { who } => {
                let user = who.find(actions)?;
                actions.unlock(&user, &origin)?;
                say(&format!("Unlocked: {}", user.email))
            }
            Self::RemoveSecondFactor { who } => {
                let user = who.find(actions)?;
                if !user.has_second_factor {
                    return Err(Refusal(format!("{} has no second factor.", user.email)));
                }
                actions.reset_second_factor(&user, &origin)?;
                say(&format!("Second factor removed: {}", user.email))
            }
        }
    }
}

impl Who {
    fn find(&self, actions: &Actions) -> Result<StoredUser, Refusal> {
        let company = self.company.as_deref().map(|company| find_company(actions, company)).transpose()?;
        let email = EmailAddress::parse(&self.email)?;
        let found = actions.store.read(|questions| match questions.credentials(&email.folded())? {
            Some(known) => questions.user(known.company_id, known.user_id),
            None => Ok(None),
        })?;
        let is_theirs = |user: &StoredUser| company.as_ref().is_none_or(|company| company.id == user.company_id);
        found
            .filter(is_theirs)
            .ok_or_else(|| Refusal(format!("Nobody has the email address {}. Check how it is spelt.", self.email)))
    }
}

fn add(actions: &Actions, company: &Company, user: &NewUser<'_>) -> Result<(), Refusal> {
    let typed = password_from_stdin()?;
    let (name, email) = (user.name.as_str(), user.email.as_str());
    let words = [company.name.as_str(), name, email, &actions.platform_name, "keydesk"];
    let password_hash = actions.passwords.hash(&Password::chosen(&typed, &words)?)?;
    let id = actions.add_user(company.id, user, &password_hash, &Origin::command_line())?;
    say(&format!("User: {id}"))
}

/// Standard input, less one newline at its end.
fn password_from_stdin() -> Result<Zeroizing<String>, Refusal> {
    let mut typed = Zeroizing::new(String::new());
    let unreadable = |_| Refusal("The password on standard input is not text in UTF-8. Give it as text.".to_owned());
    std::io::stdin().read_to_string(&mut typed).map_err(unreadable)?;
    if typed.ends_with('\n') {
        typed.pop();
    }
    Ok(typed)
}
