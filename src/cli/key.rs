//! `keydesk key …`.

use super::{Refusal, find_company};
use crate::actions::{Actions, RevokeKeyError};
use crate::domain::api_key::{Comment, RevocationReason};
use crate::domain::event::Origin;
use crate::domain::ids::KeyId;
use crate::store::{KeyListQuery, KeyTab, Paging, SortBy, SortOrder};

const KEYS_AT_A_TIME: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// List a company's keys, the active ones first: id, preview, state and name, separated by tabs
    List {
        /// The company, by name or id
        #[arg(long)]
        company: String,
    },
    /// Revoke a key, for ever; a server that runs refuses it from that moment
    Revoke {
        /// The key's id, as keydesk key list prints it
        id: String,
        /// Why: unspecified, compromised, superseded, no-longer-used or owner-left
        #[arg(long, default_value = "unspecified", value_parser = reason)]
        reason: RevocationReason,
        /// What the audit trail should say about it, up to 500 characters
        #[arg(long, default_value = "", hide_default_value = true)]
        comment: String,
    },
}

fn reason(word: &str) -> Result<RevocationReason, String> {
    RevocationReason::parse(word).ok_or_else(|| {
        let words: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("give one of {}", words.join(", "))
    })
}

impl Key {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        match self {
            Self::List { company } => list(actions, &company),
            Self::Revoke { id, reason, comment } => revoke(actions, &id, reason, &comment),
        }
    }
}

fn list(actions: &Actions, company: &str) -> Result<(), Refusal> {
    let company_id = find_company(actions, company)?.id;
    let now = actions.clock.now();
    for tab in [KeyTab::Active, KeyTab::Ended] {
        let sort_by = SortBy::Created;
        let mut query = KeyListQuery {
            company_id,
            tab,
            search: None,
            sort_by,
            order: SortOrder::Descending,
            paging: Paging::First,
            page_size: KEYS_AT_A_TIME,
            now,
        };
        loop {
            let page = actions.store.read(|questions| questions.list_keys(&query))?;
            for key in &page.keys {
                super::say(&format!("{}\t{}\t{}\t{}", key.id, key.preview, key.ends().state(now).as_str(), key.name))?;
            }
            match page.keys.last() {
                Some(last) if page.keys.len() == KEYS_AT_A_TIME => {
                    query.paging = Paging::After(last.place(sort_by));
                }
                _ => break,
            }
        }
    }
    Ok(())
}

fn revoke(actions: &Actions, id: &str, reason: RevocationReason, comment: &str) -> Result<(), Refusal> {
    let unknown = || Refusal(format!("No API key has the id {id}. List them with: keydesk key list --company NAME"));
    if actions.key_format.occurs_in(comment) {
        return Err("The comment contains an API key, and would be kept for ever. Leave it out.".into());
    }
    let comment = Comment::parse(comment)?;
    let id = KeyId::parse(id).ok_or_else(unknown)?;
    let key = actions.store.ask(|questions| questions.key(id))?.ok_or_else(unknown)?;
    match actions.revoke_key(key.company_id, id, reason, comment, &Origin::command_line()) {
        Ok((_, key)) => {
            // The key is revoked. Without the note its use is judged by the server a minute later.
            if let Err(error) = actions.note_acknowledged() {
                tracing::warn!(%error, "when the revocation was acknowledged could not be noted");
            }
            super::say(&format!("Revoked: {} {}", key.name, key.preview))?;
            Ok(())
        }
        Err(RevokeKeyError::AlreadyEnded(key)) => {
            Err(Refusal(format!("The key {} of {} has ended already.", key.preview, key.name)))
        }
        Err(error) => Err(error.into()),
    }
}
