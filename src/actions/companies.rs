//! Companies: the first one, made with its admin at set-up, and those that commands add.

use serde_json::json;

use super::users::{AddUserError, NewUser};
use super::{Actions, Change};
use crate::domain::actor::Actor;
use crate::domain::email::{EmailAddress, EmailError};
use crate::domain::event::{Action, Happening, Origin, Target};
use crate::domain::ids::{CompanyId, TrailId, UserId};
use crate::domain::merkle::Frontier;
use crate::domain::name::{CompanyName, NameError, PersonName};
use crate::domain::password::{Password, PasswordError};
use crate::domain::user::Role;
use crate::random;
use crate::store::{StoreError, Transaction};

/// Why a company was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddCompanyError {
    /// Another has the name.
    #[error("A company named “{0}” already exists. Choose another name.")]
    NameTaken(String),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was typed on the set-up page.
#[derive(Clone, Debug)]
pub struct SetUp<'a> {
    /// The company's name.
    pub company_name: &'a str,
    /// The first admin's name.
    pub name: &'a str,
    /// Their address.
    pub email: &'a str,
    /// Their password.
    pub password: &'a str,
}

/// What is wrong with which field of the set-up page.
#[derive(Debug, Default)]
pub struct SetUpRefused {
    /// Beside the company's name.
    pub company_name: Option<String>,
    /// Beside the admin's name.
    pub name: Option<NameError>,
    /// Beside the address.
    pub email: Option<EmailError>,
    /// Beside the password.
    pub password: Option<PasswordError>,
}

/// Why set-up did not happen.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// Somebody was faster.
    #[error("Keydesk is set up already.")]
    Closed,
    /// Fields have to be corrected.
    #[error("fields have to be corrected")]
    Refused(Box<SetUpRefused>),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] super::passwords::HashError),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Makes the first company and its first admin, while there is no user at all; answers who signed in.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn set_up(&self, typed: &SetUp<'_>, origin: &Origin) -> Result<(CompanyId, UserId), SetUpError> {
        let company_name = CompanyName::parse(typed.company_name);
        let name = PersonName::parse(typed.name);
        let email = EmailAddress::parse(typed.email);
        let words = [typed.company_name, typed.name, typed.email, &self.platform_name, "keydesk"];
        let password = Password::chosen(typed.password, &words);
        let (company_name, name, email, password) = match (company_name, name, email, password) {
            (Ok(company_name), Ok(name), Ok(email), Ok(password)) => (company_name, name, email, password),
            (company_name, name, email, password) => {
                return Err(SetUpError::Refused(Box::new(SetUpRefused {
                    company_name: company_name.err().map(|error| error.to_string()),
                    name: name.err(),
                    email: email.err(),
                    password: password.err(),
                })));
            }
        };
        let password_hash = self.passwords.hash(&password)?;
        self.store.write(|transaction| {
            // The installation's trail is the lock: of two people with the link, one finds set-up closed.
            transaction.lock_trail(self.installation.into())?;
            if transaction.any_user_exists()? {
                return Err(SetUpError::Closed);
            }
            let user_id = UserId::new(self.clock.now(), &random::bytes());
            let origin = Origin { actor: Actor::User(user_id), ..origin.clone() };
            let user = NewUser { role: Role::Admin, name: &name, email: &email, password_hash: &password_hash };
            let added = self.begin_company(transaction, &company_name, &origin, |change, company_id| {
                match user.add_to(change, company_id, user_id) {
                    Ok(()) => change.record_signed_in(user_id).map_err(AddCompanyError::from),
                    Err(AddUserError::Store(error)) => Err(error.into()),
                    Err(AddUserError::EmailTaken) => Err(StoreError::Exists.into()),
                }
            });
            match added {
                Ok(company_id) => Ok((company_id, user_id)),
                Err(AddCompanyError::Store(error)) => Err(error.into()),
                Err(taken @ AddCompanyError::NameTaken(_)) => Err(SetUpError::Refused(Box::new(SetUpRefused {
                    company_name: Some(taken.to_string()),
                    ..SetUpRefused::default()
                }))),
            }
        })
    }

    /// Adds a company without users.
    ///
    /// # Errors
    /// [`AddCompanyError`].
    pub fn add_company(&self, name: &CompanyName, origin: &Origin) -> Result<CompanyId, AddCompanyError> {
        self.store.write(|transaction| {
            transaction.lock_trail(self.installation.into())?;
            self.begin_company(transaction, name, origin, |_, _| Ok(()))
        })
    }

    fn begin_company(
        &self,
        transaction: &mut Transaction<'_>,
        name: &CompanyName,
        origin: &Origin,
        then: impl FnOnce(&mut Change<'_, '_>, CompanyId) -> Result<(), AddCompanyError>,
    ) -> Result<CompanyId, AddCompanyError> {
        if let Some(taken) = transaction.company_by_name(&name.folded())? {
            return Err(AddCompanyError::NameTaken(taken.name));
        }
        let id = CompanyId::new(self.clock.now(), &random::bytes());
        let trail = TrailId::from(id);
        let head = super::signed_head(&self.secrets, self.installation, trail, &Frontier::default());
        transaction.insert_trail(trail, &head)?;
        self.change_from(transaction, trail, &head, origin, |change| {
            let now = change.now;
            change.insert_company(id, name, now)?;
            change.record(Happening {
                action: Action::CompanyCreated,
                target: Target::Company(id),
                before: None,
                after: Some(json!({ "name": name.as_str() })),
                reason: None,
                comment: None,
            })?;
            then(change, id)
        })?;
        Ok(id)
    }
}
