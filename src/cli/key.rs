//! `keydesk key …`.

use super::error::CliError;
use super::open::find_company;
use super::output::{print_line, print_row};
use crate::actions::{Actions, RequestContext, RevokeKeyError};
use crate::domain::ids::KeyId;
use crate::domain::key::lifecycle::{Comment, RevocationReason};
use crate::store::{KeyListQuery, KeyTab, PageRequest, SortBy, SortOrder};

const PAGE_SIZE: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// List a company's keys, active keys first: id, preview, state and name, separated by tabs
    List {
        /// The company, by name or id
        #[arg(long)]
        company: String,
    },
    /// Revoke a key permanently; running servers refuse it at once
    Revoke {
        /// The id, as keydesk key list prints it
        id: String,
        /// The reason: unspecified, compromised, superseded, no-longer-used or owner-left
        #[arg(long, default_value = "unspecified", value_parser = parse_reason)]
        reason: RevocationReason,
        /// A comment for the audit trail, up to 500 characters
        #[arg(long, default_value = "", hide_default_value = true)]
        comment: String,
    },
}

fn parse_reason(word: &str) -> Result<RevocationReason, String> {
    RevocationReason::parse(word).ok_or_else(|| {
        let words: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("give one of {}", words.join(", "))
    })
}

impl Key {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        match self {
            Self::List { company } => list(actions, &company),
            Self::Revoke { id, reason, comment } => revoke(actions, &id, reason, &comment),
        }
    }
}

fn list(actions: &Actions, company: &str) -> Result<(), CliError> {
    let company_id = find_company(&actions.store, company)?.id;
    let now = actions.clock.now();
    for tab in [KeyTab::Active, KeyTab::Ended] {
        let sort_by = SortBy::Created;
        let mut query = KeyListQuery {
            company_id,
            tab,
            search: None,
            sort_by,
            order: SortOrder::Descending,
            paging: PageRequest::First,
            page_size: PAGE_SIZE,
            now,
        };
        loop {
            let page = actions.store.read(|db| db.keys().list(&query))?;
            for key in &page.keys {
                print_row([&key.id, &key.preview, &key.ends().state(now).as_str(), &key.name])?;
            }
            match page.keys.last() {
                Some(last) if page.keys.len() == PAGE_SIZE => {
                    query.paging = PageRequest::After(last.position(sort_by));
                }
                _ => break,
            }
        }
    }
    Ok(())
}

fn revoke(actions: &Actions, id: &str, reason: RevocationReason, comment: &str) -> Result<(), CliError> {
    let unknown = || CliError(format!("No API key has the id {id}. List them with: keydesk key list --company NAME"));
    if actions.key_format.is_contained_in(comment) {
        return Err("The comment contains an API key, and comments are kept permanently. Remove it.".into());
    }
    let comment = Comment::parse(comment)?;
    let id = KeyId::parse(id).ok_or_else(unknown)?;
    let key = actions.store.query(|db| db.keys().find(id))?.ok_or_else(unknown)?;
    match actions.revoke_key(&RequestContext::command_line(key.company_id), id, reason, comment) {
        Ok((_, key)) => {
            // The key is revoked. Without this record, the server counts its refused uses from a minute later.
            if let Err(error) = actions.record_acknowledgements() {
                tracing::warn!(%error, "acknowledgement of a revocation not recorded");
            }
            print_line(&format!("Revoked: {} {}", key.name, key.preview))
        }
        Err(RevokeKeyError::AlreadyEnded(key)) => {
            Err(CliError(format!("The key {} of {} has already ended.", key.preview, key.name)))
        }
        Err(error) => Err(error.into()),
    }
}
