//! `keydesk key show`.

use super::find::find;
use crate::cli::error::CliError;
use crate::cli::output::print_lines;
use crate::domain::ids::UserId;
use crate::domain::key::lifecycle::{KeyEnd, Revocation};
use crate::domain::timestamp::Timestamp;
use crate::server::ReadOnlyInstallation;
use crate::store::{Company, KeyRecord, KeyUsage, Store, StoreError, UserNames};
use crate::web::components::people::actor_view;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Show {
    /// The id, as keydesk key list prints it
    id: String,
}

/// A key with what belongs to its ids.
struct KeyFacts {
    key: KeyRecord,
    company: Option<Company>,
    owner: Option<String>,
    names: UserNames,
    usage: KeyUsage,
}

impl Show {
    pub(super) fn run(&self, installation: &ReadOnlyInstallation) -> Result<(), CliError> {
        let facts = load(&installation.store, find(&installation.store, &self.id)?)?;
        print_lines(facts.lines(installation.clock.now()))
    }
}

fn load(store: &Store, key: KeyRecord) -> Result<KeyFacts, StoreError> {
    let (company_id, id) = (key.company_id, key.id);
    store.read(|db| {
        let names = db.users().names(company_id, key.users())?;
        Ok(KeyFacts {
            company: db.companies().by_id(company_id)?,
            owner: db.users().by_id(company_id, key.owner)?.map(|user| user.email),
            usage: db.usage().of_keys(company_id, [id])?.remove(&id).unwrap_or_default(),
            names,
            key,
        })
    })
}

impl KeyFacts {
    fn lines(&self, now: Timestamp) -> Vec<String> {
        let key = &self.key;
        let time = |at: Timestamp| at.to_rfc_3339().unwrap_or_default();
        let mut lines = vec![
            format!("Id: {}", key.id),
            format!("Company: {}", self.company.as_ref().map_or("", |company| &company.name)),
            format!("Service account: {}", key.name),
            format!("Service account id: {}", key.service_account_id),
            format!("Preview: {}", key.preview),
            format!("State: {}", key.state(now).as_str()),
            format!("Owner: {}", self.owner()),
            format!("Created: {} by {}", time(key.created_at), actor_view(key.created_by, &self.names).text()),
            format!("Expires: {}", key.expires_at.map_or_else(|| "never".to_owned(), time)),
        ];
        for (label, text) in [("Purpose", &key.purpose), ("Department", &key.department), ("Contact", &key.contact)] {
            lines.extend(Some(format!("{label}: {text}")).filter(|_| !text.is_empty()));
        }
        if let Some(replacement) = &key.replacement {
            lines.push(format!("Replaced by: {}", replacement.by));
            lines.extend(replacement.overlap_ends_at.map(|at| format!("Overlap ends: {}", time(at))));
        }
        if let Some(KeyEnd::Revoked(revocation)) = key.end(now) {
            lines.extend(self.revocation(&revocation));
        }
        let last_used = self.usage.last_used.as_ref().map_or_else(|| "never".to_owned(), |request| time(request.at));
        lines.push(format!("Last used: {last_used}"));
        lines
    }

    fn owner(&self) -> String {
        let name = |owner: UserId| self.names.get(&owner);
        match (name(self.key.owner), &self.owner) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            _ => "Deleted user".to_owned(),
        }
    }

    fn revocation(&self, revocation: &Revocation) -> Vec<String> {
        let at = revocation.at.to_rfc_3339().unwrap_or_default();
        let mut lines = vec![
            format!("Revoked: {at} by {}", actor_view(revocation.by, &self.names).text()),
            format!("Reason: {}", revocation.reason.as_str()),
        ];
        lines.extend(revocation.comment.as_ref().map(|comment| format!("Comment: {}", comment.as_str())));
        lines
    }
}
