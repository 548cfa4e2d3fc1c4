//! `keydesk gateway …`.

use super::error::CliError;
use super::output::{print_line, print_row};
use crate::actions::Actions;
use crate::domain::text::name::GatewayName;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Gateway {
    /// Add a gateway that may introspect keys; prints its credential, once
    Add {
        /// The name, 1 to 64 characters
        name: String,
    },
    /// List the gateways: name, state, and when it was added or revoked, separated by tabs
    List,
    /// Revoke a gateway; its next request is refused
    Revoke {
        /// The name, as keydesk gateway list prints it
        name: String,
    },
}

impl Gateway {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        match self {
            Self::Add { name } => {
                if actions.key_format.is_contained_in(&name) {
                    return Err("The name contains an API key. Choose another name.".into());
                }
                print_line(actions.add_gateway(&GatewayName::parse(&name)?)?.expose_secret())
            }
            Self::List => {
                for gateway in actions.store.query(|db| db.gateways().all())? {
                    let (state, since) = match gateway.revoked_at {
                        None => ("active", gateway.created_at),
                        Some(at) => ("revoked", at),
                    };
                    let since = since.to_rfc_3339().unwrap_or_default();
                    print_row([&gateway.name, &state, &since])?;
                }
                Ok(())
            }
            Self::Revoke { name } => {
                let gateway = actions.revoke_gateway(&GatewayName::parse(&name)?)?;
                print_line(&format!("Revoked: {}", gateway.name))
            }
        }
    }
}
