//! `keydesk gateway …`.

use super::{Refusal, say};
use crate::actions::Actions;
use crate::domain::event::Origin;
use crate::domain::name::GatewayName;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Gateway {
    /// Let a gateway ask about keys by introspection; prints its credential, once
    Add {
        /// Its name, 1 to 64 characters
        name: String,
    },
    /// List the gateways: name, state and when they were added or revoked, separated by tabs
    List,
    /// Let a gateway ask no more, from its next question on
    Revoke {
        /// Its name, as keydesk gateway list prints it
        name: String,
    },
}

impl Gateway {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        let origin = Origin::command_line();
        match self {
            Self::Add { name } => {
                if actions.key_format.occurs_in(&name) {
                    return Err("The name contains an API key. Choose another name.".into());
                }
                say(actions.add_gateway(&GatewayName::parse(&name)?, &origin)?.reveal())
            }
            Self::List => {
                for gateway in actions.store.ask(|questions| questions.gateways())? {
                    let (state, since) = match gateway.revoked_at {
                        None => ("active", gateway.created_at),
                        Some(at) => ("revoked", at),
                    };
                    let since = since.to_rfc_3339().unwrap_or_default();
                    say(&format!("{}\t{state}\t{since}", gateway.name))?;
                }
                Ok(())
            }
            Self::Revoke { name } => {
                let gateway = actions.revoke_gateway(&GatewayName::parse(&name)?, &origin)?;
                say(&format!("Revoked: {}", gateway.name))
            }
        }
    }
}
