//! `keydesk gateway …`.

use super::error::CliError;
use super::open::{open, open_read_only};
use super::output::{print_line, row, write_part};
use crate::config::Settings;
use crate::domain::text::name::GatewayName;
use crate::server::ReadOnlyInstallation;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Gateway {
    /// Add a gateway that may introspect keys; prints its credential, once
    #[command(after_help = "Example:\n  keydesk gateway add edge-proxy > credential")]
    Add {
        /// The name, 1 to 64 characters
        name: String,
    },
    /// List the gateways: name, state, and when it was added or revoked, separated by tabs
    #[command(after_help = "Example:\n  keydesk gateway list")]
    List,
    /// Revoke a gateway; its next request is refused
    #[command(after_help = "Example:\n  keydesk gateway revoke edge-proxy")]
    Revoke {
        /// The name, as keydesk gateway list prints it
        name: String,
    },
}

impl Gateway {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Add { name } => {
                let actions = open(settings)?;
                if actions.key_format.is_contained_in(&name) {
                    return Err("The name contains an API key. Choose another name.".into());
                }
                print_line(actions.add_gateway(&GatewayName::parse(&name)?)?.expose_secret())
            }
            Self::List => list(&open_read_only(settings)?),
            Self::Revoke { name } => {
                let gateway = open(settings)?.revoke_gateway(&GatewayName::parse(&name)?)?;
                print_line(&format!("Revoked: {}", gateway.name))
            }
        }
    }
}

fn list(installation: &ReadOnlyInstallation) -> Result<(), CliError> {
    let mut rows = String::new();
    for gateway in installation.store.query(|db| db.gateways().all())? {
        let (state, since) = match gateway.revoked_at {
            None => ("active", gateway.created_at),
            Some(at) => ("revoked", at),
        };
        rows.push_str(&row([&gateway.name, &state, &since.to_rfc_3339().unwrap_or_default()]));
    }
    write_part(&rows).map(drop)
}
