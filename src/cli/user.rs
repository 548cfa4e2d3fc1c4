//! `keydesk user …`.

use std::io::{IsTerminal, Read};

use secrecy::zeroize::Zeroizing;

use super::error::CliError;
use super::open::find_company;
use super::output::print_line;
use crate::actions::{Actions, NewUser, RemainingLock, RequestContext};
use crate::config::PublicUrl;
use crate::domain::text::name::PersonName;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::password::Password;
use crate::domain::user::profile::Role;
use crate::store::{Company, User as StoredUser};
use crate::web::paths;

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add a user; without a password, print a link to choose one
    Add {
        /// The company, by name or id
        #[arg(long)]
        company: String,
        /// The name
        #[arg(long)]
        name: String,
        /// The email address
        #[arg(long)]
        email: String,
        /// The role: admin or auditor
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a user's password from standard input; ends the user's sessions
    SetPassword {
        #[command(flatten)]
        user: UserSelector,
        /// Read the password from standard input (always done)
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let a user sign in again after too many failed attempts
    Unlock {
        #[command(flatten)]
        user: UserSelector,
    },
    /// Remove the second factor of a user who lost it and the recovery codes
    RemoveSecondFactor {
        #[command(flatten)]
        user: UserSelector,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct UserSelector {
    /// The user's email address
    #[arg(long)]
    email: String,
    /// The user's company, by name or id, as a safeguard
    #[arg(long)]
    company: Option<String>,
}

fn parse_role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "give admin or auditor".to_owned())
}

impl User {
    pub(super) fn run(self, actions: &Actions, public_url: &PublicUrl) -> Result<(), CliError> {
        match self {
            Self::Add { company, name, email, role, password_stdin } => {
                let company = find_company(&actions.store, &company)?;
                let (name, email) = (PersonName::parse(&name)?, EmailAddress::parse(&email)?);
                let user = NewUser { role, name: &name, email: &email };
                if password_stdin {
                    return add_with_password(actions, &company, &user);
                }
                let invited = actions.invite_user(&RequestContext::command_line(company.id), &user)?;
                print_line(&format!("Invitation link: {}", paths::invitation_link(public_url, &invited.token)))
            }
            Self::SetPassword { user, .. } => {
                let user = user.find(actions)?;
                if std::io::stdin().is_terminal() {
                    return Err("Give the password on standard input, for example from a file.".into());
                }
                actions.set_password(&user, &read_password()?)?;
                print_line(&format!("Password set: {}", user.email))
            }
            Self::Unlock { user } => {
                let user = user.find(actions)?;
                let remaining = actions.unlock(&user)?;
                print_line(&format!("Unlocked: {}", user.email))?;
                remaining.into_iter().try_for_each(|lock| print_line(&remaining_lock_sentence(lock)))
            }
            Self::RemoveSecondFactor { user } => {
                let user = user.find(actions)?;
                if !user.has_second_factor {
                    return Err(CliError(format!("{} has no second factor.", user.email)));
                }
                actions.reset_second_factor(&user)?;
                print_line(&format!("Second factor removed: {}", user.email))
            }
        }
    }
}

impl UserSelector {
    fn find(&self, actions: &Actions) -> Result<StoredUser, CliError> {
        let company = self.company.as_deref().map(|company| find_company(&actions.store, company)).transpose()?;
        let email = EmailAddress::parse(&self.email)?;
        let found = actions.store.read(|db| match db.users().credentials(&email.case_folded())? {
            Some(known) => db.users().by_id(known.company_id, known.user_id),
            None => Ok(None),
        })?;
        let is_in_company = |user: &StoredUser| company.as_ref().is_none_or(|company| company.id == user.company_id);
        found
            .filter(is_in_company)
            .ok_or_else(|| CliError(format!("No user has the email address {}. Check the spelling.", self.email)))
    }
}

/// Says what `user unlock` does not lift.
fn remaining_lock_sentence(lock: RemainingLock) -> String {
    match lock {
        RemainingLock::ClientsWait(until) => format!(
            "Not lifted: a client address with 100 failed sign-ins waits until {}. If the user is behind it, a browser that \
             they have signed in with before does not wait.",
            until.to_rfc_3339().unwrap_or_default()
        ),
        RemainingLock::NoPassword => {
            "Not lifted: the user has not chosen a password yet. Resend the invitation on the page Users.".to_owned()
        }
    }
}

fn add_with_password(actions: &Actions, company: &Company, user: &NewUser<'_>) -> Result<(), CliError> {
    let password = read_password()?;
    let (name, email) = (user.name.as_str(), user.email.as_str());
    let words = [company.name.as_str(), name, email, &actions.platform_name, "keydesk"];
    let password_hash = actions.passwords.hash(&Password::validate_new(&password, &words)?)?;
    let id = actions.add_user(&RequestContext::command_line(company.id), user, &password_hash)?;
    print_line(&format!("User: {id}"))
}

/// Reads standard input without its final newline.
fn read_password() -> Result<Zeroizing<String>, CliError> {
    let mut password = Zeroizing::new(String::new());
    let not_text = |_| CliError("The password on standard input is not UTF-8. Give it as text.".to_owned());
    std::io::stdin().read_to_string(&mut password).map_err(not_text)?;
    if password.ends_with('\n') {
        password.pop();
    }
    Ok(password)
}
