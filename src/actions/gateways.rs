//! Adds and revokes gateways. They belong to the installation, and their events to the installation's trail.

use super::authority::Permission;
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::GatewayId;
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::GatewayName;
use crate::domain::token::Token;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::Name;
use crate::random;
use crate::store::{Gateway, StoreError};

/// Why a gateway was not added or revoked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// An active gateway has this name.
    #[error("A gateway named {} already exists. Revoke it first, or choose another name.", Quoted(.0))]
    NameTaken(String),
    /// No active gateway has this name.
    #[error("There is no gateway {}. List them with: keydesk gateway list", Quoted(.0))]
    Unknown(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Adds a gateway. Returns its credential, which is not stored in plaintext.
    pub fn add_gateway(&self, name: &GatewayName) -> Result<Token, GatewayError> {
        let credential = Token::new(random::bytes());
        self.change_with(Permission::command_line(), self.installation.into(), &Client::none(), |change| {
            if let Some(known) = change.tx.gateways().by_name(&name.case_folded())? {
                return Err(GatewayError::NameTaken(known.name));
            }
            let (id, now) = (GatewayId::new(change.now, &random::bytes()), change.now);
            change.tx.gateways().insert(id, name, &credential.digest(), now)?;
            let detail = EventDetail::GatewayAdded { after: Name { name: name.as_str().to_owned() } };
            change.append_event(EventDraft::new(EventTarget::Gateway(id), detail))?;
            Ok(())
        })?;
        Ok(credential)
    }

    /// Revokes a gateway: its next request is refused. Returns the gateway as it was before.
    pub fn revoke_gateway(&self, name: &GatewayName) -> Result<Gateway, GatewayError> {
        self.change_with(Permission::command_line(), self.installation.into(), &Client::none(), |change| {
            let unknown = || GatewayError::Unknown(name.as_str().to_owned());
            let gateway = change.tx.gateways().by_name(&name.case_folded())?.ok_or_else(unknown)?;
            let now = change.now;
            change.tx.gateways().revoke(gateway.id, now)?;
            let detail = EventDetail::GatewayRevoked { before: Name { name: gateway.name.clone() } };
            change.append_event(EventDraft::new(EventTarget::Gateway(gateway.id), detail))?;
            Ok(gateway)
        })
    }
}
