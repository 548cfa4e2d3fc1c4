//! `keydesk key revoke`.

use super::find::find;
use crate::actions::{Actions, RequestContext, RevokeKeyError};
use crate::cli::error::CliError;
use crate::cli::output::print_line;
use crate::domain::key::lifecycle::{Comment, RevocationReason};
use crate::domain::text::escape::Quoted;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Revoke {
    /// The id, as keydesk key list prints it
    id: String,
    /// The reason: unspecified, compromised, superseded, no-longer-used or owner-left
    #[arg(long, default_value = "unspecified", value_parser = parse_reason)]
    reason: RevocationReason,
    /// A comment for the audit trail, up to 500 characters
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: String,
}

fn parse_reason(word: &str) -> Result<RevocationReason, String> {
    RevocationReason::parse(word).ok_or_else(|| {
        let words: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("give one of {}", words.join(", "))
    })
}

impl Revoke {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        if actions.key_format.is_contained_in(&self.comment) {
            return Err("The comment contains an API key, and comments are kept permanently. Remove it.".into());
        }
        let comment = Comment::parse(&self.comment)?;
        let key = find(&actions.store, &self.id)?;
        match actions.revoke_key(&RequestContext::command_line(key.company_id), key.id, self.reason, comment) {
            Ok((_, key)) => {
                record_acknowledgements(actions);
                print_line(&format!("Revoked: {} {}", key.name, key.preview))
            }
            Err(RevokeKeyError::AlreadyEnded(key)) => {
                Err(CliError(format!("The key {} of {} has already ended.", key.preview, Quoted(&key.name))))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Records that the revocation of keys was acknowledged. The keys are revoked anyway. Without this record, the server
/// counts their refused uses from a minute later.
pub(in crate::cli) fn record_acknowledgements(actions: &Actions) {
    if let Err(error) = actions.record_acknowledgements() {
        tracing::warn!(%error, "acknowledgement of a revocation not recorded");
    }
}
