//! Creates companies, the first one with its admin at set-up, and changes their settings.

use super::authority::{Denied, Permission, RequestContext};
use super::change::Change;
use super::passwords::HashError;
use super::service::Actions;
use super::signed_in_user::{AuthenticatedUser, SignedInUser};
use super::trail_head::{signed_head, signer_of};
use super::users::{AddUserError, NewUser};
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, EventId, TrailId, UserId};
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::policy::reasons::{PolicyReason, PolicyReasons};
use crate::domain::text::name::{CompanyName, NameError, PersonName};
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{self, Name};
use crate::domain::trail::merkle::Frontier;
use crate::domain::user::email::{EmailAddress, EmailError};
use crate::domain::user::password::{Password, PasswordError};
use crate::domain::user::profile::Role;
use crate::random;
use crate::store::{CompanySettings, StoreError, WriteDb};

/// Why a company was not added or renamed.
#[derive(Debug, thiserror::Error)]
pub enum CompanyNameError {
    /// Another company has this name.
    #[error("A company named “{0}” already exists. Choose another name.")]
    NameTaken(String),
    /// The settings are not in the expected version.
    #[error("The settings were changed in the meantime.")]
    Outdated,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the admins of a company decide on, besides its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyRules {
    /// Admins must have a second factor.
    pub require_second_factor: bool,
    pub key_policy: KeyPolicy,
    pub reasons: PolicyReasons,
}

/// The fields of the set-up page, as typed.
#[derive(Clone, Debug)]
pub struct SetupForm<'a> {
    pub company_name: &'a str,
    /// The first admin's name.
    pub name: &'a str,
    pub email: &'a str,
    pub password: &'a str,
}

/// The errors of the set-up page, by field.
#[derive(Debug, Default)]
pub struct SetupFieldErrors {
    pub company_name: Option<String>,
    pub name: Option<NameError>,
    pub email: Option<EmailError>,
    pub password: Option<PasswordError>,
}

/// Why set-up failed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is a user already.
    #[error("Keydesk is already set up.")]
    Closed,
    #[error("fields must be corrected")]
    Refused(Box<SetupFieldErrors>),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Creates the first company and its admin, as long as there are no users. Returns the admin, signed in.
    pub fn set_up(&self, form: &SetupForm<'_>, client: &Client) -> Result<AuthenticatedUser, SetupError> {
        let company_name = CompanyName::parse(form.company_name);
        let name = PersonName::parse(form.name);
        let email = EmailAddress::parse(form.email);
        let words = [form.company_name, form.name, form.email, &self.platform_name, "keydesk"];
        let password = Password::validate_new(form.password, &words);
        let (company_name, name, email, password) = match (company_name, name, email, password) {
            (Ok(company_name), Ok(name), Ok(email), Ok(password)) => (company_name, name, email, password),
            (company_name, name, email, password) => {
                return Err(SetupError::Refused(Box::new(SetupFieldErrors {
                    company_name: company_name.err().map(|error| error.to_string()),
                    name: name.err(),
                    email: email.err(),
                    password: password.err(),
                })));
            }
        };
        let password_hash = self.passwords.hash(&password)?;
        self.store.write(|tx| {
            // The lock of the installation's trail decides between two requests: the second finds set-up closed.
            tx.trails().lock(self.installation.into())?;
            if tx.users().any_exists()? {
                return Err(SetupError::Closed);
            }
            tx.setup_links().delete_all()?;
            let user_id = UserId::new(self.clock.now(), &random::bytes());
            let user = NewUser { role: Role::Admin, name: &name, email: &email };
            let created = self.create_company(
                tx,
                &company_name,
                Permission::by_credential(user_id),
                client,
                |change, company_id| match user.add_to(change, company_id, user_id, Some(&password_hash)) {
                    Ok(()) => {
                        let user = SignedInUser { user_id, company_id };
                        change.record_signed_in(user, None).map_err(CompanyNameError::from)
                    }
                    Err(AddUserError::Store(error)) => Err(error.into()),
                    Err(AddUserError::EmailTaken | AddUserError::Denied(_)) => Err(StoreError::Exists.into()),
                },
            );
            match created {
                Ok(company_id) => Ok(AuthenticatedUser { user: SignedInUser { user_id, company_id }, epoch: 0 }),
                Err(CompanyNameError::Store(error)) => Err(error.into()),
                Err(taken) => Err(SetupError::Refused(Box::new(SetupFieldErrors {
                    company_name: Some(taken.to_string()),
                    ..SetupFieldErrors::default()
                }))),
            }
        })
    }

    /// Adds a company without users.
    pub fn add_company(&self, name: &CompanyName) -> Result<CompanyId, CompanyNameError> {
        self.store.write(|tx| {
            tx.trails().lock(self.installation.into())?;
            self.create_company(tx, name, Permission::command_line(), &Client::none(), |_, _| Ok(()))
        })
    }

    /// Changes a company's rules, and its name if there is one. Returns the event, or `None` if nothing changed. With a
    /// `version`, the change is made only if the settings are still in this version.
    pub fn change_company(
        &self,
        context: &RequestContext,
        version: Option<i64>,
        name: Option<&CompanyName>,
        rules: &CompanyRules,
    ) -> Result<Option<EventId>, CompanyNameError> {
        let id = context.company_id;
        self.change(context, |change| {
            let before = change.settings_in_version(id, version)?;
            let after_name = name.map_or_else(|| before.name.clone(), |name| name.as_str().to_owned());
            let CompanyRules { require_second_factor, key_policy, reasons } = rules.clone();
            let after = CompanySettings { name: after_name, require_second_factor, key_policy, reasons };
            change.change_settings(id, name, before, after)
        })
    }

    /// Renames a company. Returns the event, or `None` if the company already has this name. `version` is that of
    /// [`change_company`](Self::change_company).
    pub fn rename_company(
        &self,
        context: &RequestContext,
        version: Option<i64>,
        name: &CompanyName,
    ) -> Result<Option<EventId>, CompanyNameError> {
        let id = context.company_id;
        self.change(context, |change| {
            let before = change.settings_in_version(id, version)?;
            let after = CompanySettings { name: name.as_str().to_owned(), ..before.clone() };
            change.change_settings(id, Some(name), before, after)
        })
    }

    fn create_company(
        &self,
        tx: &mut WriteDb<'_>,
        name: &CompanyName,
        permission: Permission,
        client: &Client,
        then: impl FnOnce(&mut Change<'_, '_>, CompanyId) -> Result<(), CompanyNameError>,
    ) -> Result<CompanyId, CompanyNameError> {
        if let Some(taken) = tx.companies().by_name(&name.case_folded())? {
            return Err(CompanyNameError::NameTaken(taken.name));
        }
        let id = CompanyId::new(self.clock.now(), &random::bytes());
        let trail = TrailId::from(id);
        // The key that signs now: a company that is added while the secrets are rotated starts with one or the other.
        let installation = TrailId::from(self.installation);
        let signer = signer_of(&self.secrets, self.installation, installation, &tx.trails().lock(installation)?)?;
        let head = signed_head(&signer, self.installation, trail, &Frontier::default());
        tx.trails().insert(trail, &head)?;
        self.change_locked_trail(tx, trail, &head, permission, client, |change| {
            let now = change.now;
            change.tx.companies().insert(id, name, now)?;
            let detail = EventDetail::CompanyCreated { after: Name { name: name.as_str().to_owned() } };
            change.append_event(EventDraft::new(EventTarget::Company(id), detail))?;
            then(change, id)
        })?;
        Ok(id)
    }
}

impl Change<'_, '_> {
    fn settings_in_version(
        &mut self,
        id: CompanyId,
        version: Option<i64>,
    ) -> Result<CompanySettings, CompanyNameError> {
        let current = self.tx.companies().version(id)?;
        if version.is_some_and(|version| version != current) {
            return Err(CompanyNameError::Outdated);
        }
        Ok(self.tx.companies().settings(id)?)
    }

    /// Changes the settings of a company. `name` is its new name, if it gets one.
    fn change_settings(
        &mut self,
        id: CompanyId,
        name: Option<&CompanyName>,
        before: CompanySettings,
        after: CompanySettings,
    ) -> Result<Option<EventId>, CompanyNameError> {
        if before == after {
            return Ok(None);
        }
        let taken = || CompanyNameError::NameTaken(after.name.clone());
        if let Some(name) = name
            && self.tx.companies().by_name(&name.case_folded())?.is_some_and(|company| company.id != id)
        {
            return Err(taken());
        }
        // Two companies may take the same name at once, each under its own lock. The unique index decides.
        let updated = self.tx.companies().update(id, name, &after);
        updated.map_err(|error| match error {
            StoreError::Exists => taken(),
            other => other.into(),
        })?;
        let detail = EventDetail::CompanyChanged { before: event_value(before), after: event_value(after) };
        Ok(Some(self.append_event(EventDraft::new(EventTarget::Company(id), detail))?))
    }
}

/// Returns the settings as an event records them.
fn event_value(settings: CompanySettings) -> event_values::CompanySettings {
    let CompanySettings { name, require_second_factor, key_policy, reasons } = settings;
    let days = |days: Option<Days>| days.map(Days::count);
    let reason = |reason: Option<PolicyReason>| Some(reason.map(|reason| reason.as_str().to_owned()));
    event_values::CompanySettings {
        default_expiry_days: days(key_policy.default_expiry),
        default_expiry_reason: reason(reasons.default_expiry),
        idle_end_days: Some(days(key_policy.idle_end)),
        idle_end_reason: reason(reasons.idle_end),
        maximum_lifetime_days: days(key_policy.maximum_lifetime),
        maximum_lifetime_reason: reason(reasons.maximum_lifetime),
        name,
        require_second_factor,
        rotation_period_days: days(key_policy.rotation_period),
        rotation_period_reason: reason(reasons.rotation_period),
    }
}
