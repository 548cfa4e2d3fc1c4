//! Companies: the first one, made with its admin at set-up, and those that commands add.

use serde_json::json;

use super::users::{AddUserError, NewUser};
use super::{Actions, Admission, Change, SignedInUser};
use crate::domain::action::Action;
use crate::domain::actor::Actor;
use crate::domain::email::{EmailAddress, EmailError};
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, TrailId, UserId};
use crate::domain::key_policy::{Days, KeyPolicy};
use crate::domain::merkle::Frontier;
use crate::domain::name::{CompanyName, NameError, PersonName};
use crate::domain::password::{Password, PasswordError};
use crate::domain::user::Role;
use crate::random;
use crate::store::{CompanySettings, StoreError, Transaction};

/// Why a company was not added, or not given another name.
#[derive(Debug, thiserror::Error)]
pub enum CompanyNameError {
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
    pub fn set_up(&self, typed: &SetUp<'_>, origin: &Origin) -> Result<Admission, SetUpError> {
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
            let user = NewUser { role: Role::Admin, name: &name, email: &email };
            let added = self.begin_company(transaction, &company_name, &origin, |change, company_id| {
                match user.add_to(change, company_id, user_id, Some(&password_hash)) {
                    Ok(()) => change.record_signed_in(user_id, None).map_err(CompanyNameError::from),
                    Err(AddUserError::Store(error)) => Err(error.into()),
                    Err(AddUserError::EmailTaken) => Err(StoreError::Exists.into()),
                }
            });
            match added {
                Ok(company_id) => Ok(Admission { user: SignedInUser { user_id, company_id }, epoch: 0 }),
                Err(CompanyNameError::Store(error)) => Err(error.into()),
                Err(taken @ CompanyNameError::NameTaken(_)) => Err(SetUpError::Refused(Box::new(SetUpRefused {
                    company_name: Some(taken.to_string()),
                    ..SetUpRefused::default()
                }))),
            }
        })
    }

    /// Adds a company without users.
    ///
    /// # Errors
    /// [`CompanyNameError`].
    pub fn add_company(&self, name: &CompanyName, origin: &Origin) -> Result<CompanyId, CompanyNameError> {
        self.store.write(|transaction| {
            transaction.lock_trail(self.installation.into())?;
            self.begin_company(transaction, name, origin, |_, _| Ok(()))
        })
    }

    /// Gives a company another name and other rules; answers the event that says so, where anything changed.
    ///
    /// # Errors
    /// [`CompanyNameError`].
    pub fn change_company(
        &self,
        id: CompanyId,
        name: &CompanyName,
        require_second_factor: bool,
        key_policy: KeyPolicy,
        origin: &Origin,
    ) -> Result<Option<EventId>, CompanyNameError> {
        let taken = || CompanyNameError::NameTaken(name.as_str().to_owned());
        let settings = CompanySettings { name: name.as_str().to_owned(), require_second_factor, key_policy };
        self.change(id.into(), origin, |change| {
            let before = change.company_settings(id)?;
            if before == settings {
                return Ok(None);
            }
            if change.company_by_name(&name.folded())?.is_some_and(|company| company.id != id) {
                return Err(taken());
            }
            // Two companies may take the same name at once, each under its own lock: the table decides then.
            change.update_company(id, name, require_second_factor, &key_policy).map_err(|error| match error {
                StoreError::Exists => taken(),
                other => other.into(),
            })?;
            let event = change.record(Happening {
                before: Some(in_words(&before)),
                after: Some(in_words(&settings)),
                ..Happening::new(Action::CompanyChanged, Target::Company(id))
            })?;
            Ok(Some(event))
        })
    }

    fn begin_company(
        &self,
        transaction: &mut Transaction<'_>,
        name: &CompanyName,
        origin: &Origin,
        then: impl FnOnce(&mut Change<'_, '_>, CompanyId) -> Result<(), CompanyNameError>,
    ) -> Result<CompanyId, CompanyNameError> {
        if let Some(taken) = transaction.company_by_name(&name.folded())? {
            return Err(CompanyNameError::NameTaken(taken.name));
        }
        let id = CompanyId::new(self.clock.now(), &random::bytes());
        let trail = TrailId::from(id);
        let head = super::signed_head(&self.secrets, self.installation, trail, &Frontier::default());
        transaction.insert_trail(trail, &head)?;
        self.change_from(transaction, trail, &head, origin, |change| {
            let now = change.now;
            change.insert_company(id, name, now)?;
            change.record(Happening {
                after: Some(json!({ "name": name.as_str() })),
                ..Happening::new(Action::CompanyCreated, Target::Company(id))
            })?;
            then(change, id)
        })?;
        Ok(id)
    }
}

/// A company's settings as an event holds them: periods in days, none as null.
fn in_words(settings: &CompanySettings) -> serde_json::Value {
    let CompanySettings { name, require_second_factor, key_policy } = settings;
    let days = |days: Option<Days>| days.map(Days::count);
    json!({
        "name": name,
        "require_second_factor": require_second_factor,
        "default_expiry_days": days(key_policy.default_expiry),
        "maximum_lifetime_days": days(key_policy.maximum_lifetime),
        "rotation_period_days": days(key_policy.rotation_period),
    })
}
