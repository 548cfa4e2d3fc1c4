//! `keydesk user …`.

use std::io::{IsTerminal, Read};

use secrecy::zeroize::Zeroizing;

use super::error::CliError;
use super::open::{CompanySelector, find_company, find_user, open_read_only};
use super::output::{print_line, row, write_part};
use crate::actions::{Actions, DeleteUserError, KeyDisposition, NewUser, RemainingLock, RequestContext};
use crate::clock::Clock;
use crate::config::{PublicUrl, Settings};
use crate::domain::ids::UserId;
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::PersonName;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::password::Password;
use crate::domain::user::profile::Role;
use crate::server::{self, ReadOnlyInstallation};
use crate::store::{Company, User as StoredUser, UserCursorPosition, UserPageRequest};
use crate::web::paths;

/// The users that one read returns.
const PAGE_SIZE: u16 = 500;

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add a user; without a password, print a link to choose one
    #[command(
        after_help = "Example:\n  keydesk user add --name 'Maria Lindqvist' --email maria@example.com --role admin"
    )]
    Add {
        #[command(flatten)]
        company: CompanySelector,
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
    /// List a company's users: id, email address, role, state, last sign-in and name, separated by tabs
    ///
    /// The state of a user who has not chosen a password yet is invited. Without a sign-in, a hyphen is in its place.
    #[command(after_help = "Example:\n  keydesk user list --company Brightwater")]
    List {
        #[command(flatten)]
        company: CompanySelector,
    },
    /// Change a user's role; ends the user's sessions
    #[command(after_help = "Example:\n  keydesk user set-role --email maria@example.com --role auditor")]
    SetRole {
        #[command(flatten)]
        user: UserSelector,
        /// The role: admin or auditor
        #[arg(long, value_parser = parse_role)]
        role: Role,
    },
    /// Delete a user, and hand over or revoke the keys that they own
    #[command(after_help = "Example:\n  keydesk user delete --email maria@example.com --new-owner jonas@example.com")]
    Delete {
        #[command(flatten)]
        user: UserSelector,
        /// Make the user with this email address the owner of the user's keys
        #[arg(long, value_name = "EMAIL", conflicts_with = "revoke_keys")]
        new_owner: Option<String>,
        /// Revoke the user's keys
        #[arg(long)]
        revoke_keys: bool,
    },
    /// Set a user's password from standard input; ends the user's sessions
    #[command(after_help = "Example:\n  keydesk user set-password --email maria@example.com < password.txt")]
    SetPassword {
        #[command(flatten)]
        user: UserSelector,
        /// Read the password from standard input (always done)
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let a user sign in again after too many failed attempts
    #[command(after_help = "Example:\n  keydesk user unlock --email maria@example.com")]
    Unlock {
        #[command(flatten)]
        user: UserSelector,
    },
    /// Remove the second factor of a user who lost it and the recovery codes
    #[command(after_help = "Example:\n  keydesk user remove-second-factor --email maria@example.com")]
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
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        if let Self::List { company } = self {
            return list(&open_read_only(settings)?, &company);
        }
        let config = settings.check()?;
        let actions = server::open(&config, &Clock::system())?;
        self.change(&actions, &PublicUrl::new(&config, config.listen))
    }

    fn change(self, actions: &Actions, public_url: &PublicUrl) -> Result<(), CliError> {
        match self {
            Self::List { .. } => Ok(()),
            Self::SetRole { user, role } => set_role(actions, &user.find(actions)?, role),
            Self::Delete { user, new_owner, revoke_keys } => {
                let user = user.find(actions)?;
                let disposition = match new_owner {
                    Some(email) => KeyDisposition::HandOver(new_owner_of(actions, &user, &email)?),
                    None if revoke_keys => KeyDisposition::Revoke,
                    None => KeyDisposition::Unspecified,
                };
                delete(actions, &user, disposition)
            }
            Self::Add { company, name, email, role, password_stdin } => {
                let company = company.find(&actions.store)?;
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
        find_user(&actions.store, &self.email, company.as_ref())
    }
}

fn list(installation: &ReadOnlyInstallation, company: &CompanySelector) -> Result<(), CliError> {
    let (store, mut paging) = (&installation.store, UserPageRequest::First);
    let company_id = company.find(store)?.id;
    loop {
        let users = store.query(|db| db.users().list(company_id, &paging, PAGE_SIZE.into()))?;
        let rows: String = users.iter().map(user_row).collect();
        match users.last() {
            Some(last) if write_part(&rows)? && users.len() == usize::from(PAGE_SIZE) => {
                paging = UserPageRequest::After(UserCursorPosition { name: last.name.clone(), id: last.id });
            }
            _ => return Ok(()),
        }
    }
}

fn user_row(user: &StoredUser) -> String {
    let state = if user.has_password { "active" } else { "invited" };
    let last_sign_in = user.last_signed_in_at.and_then(|at| at.to_rfc_3339()).unwrap_or_else(|| "-".to_owned());
    row([&user.id, &user.email, &user.role.as_str(), &state, &last_sign_in, &user.name])
}

fn set_role(actions: &Actions, user: &StoredUser, role: Role) -> Result<(), CliError> {
    match actions.change_role(&RequestContext::command_line(user.company_id), user.id, None, role)? {
        Some(_) => print_line(&format!("Role set: {} is {}", user.email, role.as_str())),
        None => Err(CliError(format!("{} already has this role.", Quoted(&user.email)))),
    }
}

fn new_owner_of(actions: &Actions, user: &StoredUser, email: &str) -> Result<UserId, CliError> {
    let new_owner = find_user(&actions.store, email, None)?;
    if new_owner.company_id != user.company_id || new_owner.id == user.id {
        return Err(CliError(format!("{} cannot own the keys. Name another user of the company.", Quoted(email))));
    }
    Ok(new_owner.id)
}

fn delete(actions: &Actions, user: &StoredUser, disposition: KeyDisposition) -> Result<(), CliError> {
    match actions.delete_user(&RequestContext::command_line(user.company_id), user.id, disposition) {
        Ok(_) => {
            super::key::record_acknowledgements(actions);
            print_line(&format!("Deleted: {}", user.email))
        }
        Err(DeleteUserError::Unspecified) => {
            let now = actions.clock.now();
            let keys = actions.store.query(|db| db.keys().count_active_of_owner(user.company_id, user.id, now))?;
            Err(CliError(format!(
                "{} owns active keys: {keys}. Hand them over with --new-owner EMAIL, or add --revoke-keys.",
                Quoted(&user.email)
            )))
        }
        Err(error) => Err(error.into()),
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
