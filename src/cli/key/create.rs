//! `keydesk key create`.

use super::{expiry, owner};
use crate::actions::{Actions, CreateKeyError, NewKeyRequest, RequestContext};
use crate::cli::error::CliError;
use crate::cli::open::CompanySelector;
use crate::cli::output::print_line;
use crate::domain::key::account_details::Purpose;
use crate::domain::policy::key_policy::{ExpiryError, RequestedExpiry};
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::ServiceAccountName;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    company: CompanySelector,
    /// The name of the service account, 1 to 64 characters
    #[arg(long)]
    name: String,
    /// The email address of the user who owns the key [default: the admin who was added first]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// What the service account is for, up to 200 characters
    #[arg(long)]
    purpose: Option<String>,
    /// When the key expires: none, 30d, 90d, 180d, 365d, a date, or a time in RFC 3339 [default: the key policy's]
    #[arg(long, value_parser = expiry::parse)]
    expires: Option<RequestedExpiry>,
}

impl Create {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        if actions.key_format.is_contained_in(&self.name) {
            return Err("The name contains an API key. Choose another name.".into());
        }
        let purpose = self.purpose.unwrap_or_default();
        if actions.key_format.is_contained_in(&purpose) {
            return Err("The purpose contains an API key. Write another one.".into());
        }
        let (name, purpose) = (ServiceAccountName::parse(&self.name)?, Purpose::parse(&purpose)?);
        let company = self.company.find(&actions.store)?;
        let owner = owner::find(&actions.store, &company, self.owner.as_deref())?;
        let expiry = self.expires.unwrap_or(RequestedExpiry::Default);
        let request = NewKeyRequest { name, expiry, purpose };
        let created = actions
            .create_key_for(&RequestContext::command_line(company.id), &request, owner)
            .map_err(|error| refusal(&error))?;
        print_line(created.key.expose_secret()).map_err(|CliError(sentence)| {
            CliError(format!("{sentence} The new key was not shown. Revoke it: keydesk key revoke {}", created.id))
        })
    }
}

fn refusal(error: &CreateKeyError) -> CliError {
    match error {
        CreateKeyError::NameTaken(name, id) => CliError(format!(
            "An active key named {} already exists ({id}). Rotate it on its page, or choose another name.",
            Quoted(name)
        )),
        CreateKeyError::Expiry(error) => expiry_refusal(*error),
        other => other.into(),
    }
}

fn expiry_refusal(error: ExpiryError) -> CliError {
    CliError(match error {
        ExpiryError::Past => "The expiry is in the past. Choose a later one.".to_owned(),
        ExpiryError::TooFar => "The expiry is more than 10 years ahead. Choose an earlier one.".to_owned(),
        other => other.to_string(),
    })
}
