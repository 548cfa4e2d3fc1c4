//! Gateways: adding and revoking who may ask about keys. They belong to the installation, and so does their trail.

use serde_json::json;

use super::Actions;
use crate::domain::action::Action;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::GatewayId;
use crate::domain::name::GatewayName;
use crate::domain::token::Token;
use crate::random;
use crate::store::{Gateway, StoreError};

/// Why a gateway was not added or revoked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// One of that name may ask already.
    #[error("A gateway named “{0}” already exists. Revoke it first, or choose another name.")]
    NameTaken(String),
    /// None of that name may ask.
    #[error("There is no gateway “{0}”. List them with: keydesk gateway list")]
    Unknown(String),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Adds a gateway; answers its credential, which exists nowhere else.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn add_gateway(&self, name: &GatewayName, origin: &Origin) -> Result<Token, GatewayError> {
        let credential = Token::new(random::bytes());
        self.change(self.installation.into(), origin, |change| {
            if let Some(known) = change.gateway_by_name(&name.folded())? {
                return Err(GatewayError::NameTaken(known.name));
            }
            let (id, now) = (GatewayId::new(change.now, &random::bytes()), change.now);
            change.insert_gateway(id, name, &credential.digest(), now)?;
            change.record(Happening {
                after: Some(json!({ "name": name.as_str() })),
                ..Happening::new(Action::GatewayAdded, Target::Gateway(id))
            })?;
            Ok(())
        })?;
        Ok(credential)
    }

    /// Lets a gateway ask no more, from its next question on; answers which it was.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn revoke_gateway(&self, name: &GatewayName, origin: &Origin) -> Result<Gateway, GatewayError> {
        self.change(self.installation.into(), origin, |change| {
            let unknown = || GatewayError::Unknown(name.as_str().to_owned());
            let gateway = change.gateway_by_name(&name.folded())?.ok_or_else(unknown)?;
            let now = change.now;
            change.revoke_gateway(gateway.id, now)?;
            change.record(Happening {
                before: Some(json!({ "name": gateway.name })),
                ..Happening::new(Action::GatewayRevoked, Target::Gateway(gateway.id))
            })?;
            Ok(gateway)
        })
    }
}
