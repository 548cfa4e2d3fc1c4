//! `keydesk key list`: any number of keys, one page in memory.

use std::collections::HashMap;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::open::{CompanySelector, find_user};
use crate::cli::output::{row, write_part};
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::lifecycle::{KeyEnd, KeyState};
use crate::domain::text::csv;
use crate::domain::text::escape::{Escaped, escape_json};
use crate::domain::timestamp::Timestamp;
use crate::server::ReadOnlyInstallation;
use crate::store::{Company, KeyListItem, KeyScan, Store, StoreError};

const PAGE_SIZE: u16 = 1_000;
const HEADER: [&str; 9] =
    ["id", "preview", "state", "name", "owner", "created_at", "expires_at", "ended_at", "last_used_at"];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    company: CompanySelector,
    /// List the keys in this state only
    #[arg(long)]
    state: Option<State>,
    /// List the keys of the user with this email address only
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// The format of the list
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum State {
    Active,
    Revoked,
    Expired,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Lines of tab-separated cells
    Text,
    /// An array with an object for each key
    Json,
    /// Comma-separated cells with a header
    Csv,
}

impl List {
    pub(super) fn run(self, installation: &ReadOnlyInstallation) -> Result<(), CliError> {
        let store = &installation.store;
        let company = self.company.find(store)?;
        let owner = self.owner.map(|email| find_user(store, &email, Some(&company))).transpose()?.map(|user| user.id);
        let now = installation.clock.now();
        let (end_of_time, start_of_time) = (Timestamp::from_micros(i64::MAX), Timestamp::from_micros(i64::MIN));
        let mut scan = KeyScan {
            company_id: company.id,
            owner,
            refused_from: match self.state {
                None => (start_of_time, end_of_time),
                Some(State::Active) => (Timestamp::from_micros(now.as_micros() + 1), end_of_time),
                Some(State::Revoked | State::Expired) => (start_of_time, now),
            },
            after: None,
            limit: PAGE_SIZE.into(),
        };
        let mut writer = Writer::new(self.format, company, now);
        let mut text = writer.begin();
        loop {
            let keys = store.query(|db| db.keys().scan(&scan))?;
            for key in keys.iter().filter(|key| is_in_state(key, self.state, now)) {
                writer.write(store, key, &mut text)?;
            }
            scan.after = keys.last().map(|last| (last.created_at, last.id));
            let is_last = keys.len() < usize::from(PAGE_SIZE);
            if is_last {
                text.push_str(writer.end());
            }
            if !write_part(&text)? || is_last {
                return Ok(());
            }
            text.clear();
        }
    }
}

fn is_in_state(key: &KeyListItem, state: Option<State>, now: Timestamp) -> bool {
    match state {
        None => true,
        Some(State::Active) => key.ends().state(now) == KeyState::Active,
        Some(State::Revoked) => key.ends().state(now) == KeyState::Revoked,
        Some(State::Expired) => key.ends().state(now) == KeyState::Expired,
    }
}

/// A key in JSON.
#[derive(Serialize)]
struct JsonKey<'a> {
    id: KeyId,
    preview: &'a str,
    state: &'static str,
    name: &'a str,
    /// The email address; `null` for a deleted user.
    owner: Option<&'a str>,
    created_at: Option<String>,
    expires_at: Option<String>,
    ended_at: Option<String>,
    last_used_at: Option<String>,
}

/// Writes keys in a format. Only the email addresses of their owners stay in memory.
struct Writer {
    format: Format,
    company: Company,
    now: Timestamp,
    owners: HashMap<UserId, Option<String>>,
    is_first: bool,
}

impl Writer {
    fn new(format: Format, company: Company, now: Timestamp) -> Self {
        Self { format, company, now, owners: HashMap::new(), is_first: true }
    }

    fn begin(&self) -> String {
        let mut text = String::new();
        match self.format {
            Format::Text => {}
            Format::Json => text.push('['),
            Format::Csv => csv::write_row(&HEADER, &mut text),
        }
        text
    }

    fn end(&self) -> &'static str {
        match self.format {
            Format::Json => "\n]\n",
            Format::Text | Format::Csv => "",
        }
    }

    fn write(&mut self, store: &Store, key: &KeyListItem, text: &mut String) -> Result<(), CliError> {
        if matches!(self.format, Format::Text) {
            text.push_str(&row([&key.id, &key.preview, &key.ends().state(self.now).as_str(), &key.name]));
            return Ok(());
        }
        self.load_owner(store, key.owner)?;
        let time = |at: Option<Timestamp>| at.and_then(Timestamp::to_rfc_3339);
        let ended_at = key.end(self.now).map(|end| match end {
            KeyEnd::Expired(at) => at,
            KeyEnd::Revoked(revocation) => revocation.at,
        });
        let values = JsonKey {
            id: key.id,
            preview: &key.preview,
            state: key.ends().state(self.now).as_str(),
            name: &key.name,
            owner: self.owners.get(&key.owner).and_then(Option::as_deref),
            created_at: time(Some(key.created_at)),
            expires_at: time(key.ends().expires_at),
            ended_at: time(ended_at),
            last_used_at: time(key.last_used_at),
        };
        if matches!(self.format, Format::Csv) {
            write_csv(&values, text);
        } else {
            text.push_str(if self.is_first { "\n" } else { ",\n" });
            text.push_str(&escape_json(&serde_json::to_string(&values)?));
            self.is_first = false;
        }
        Ok(())
    }

    fn load_owner(&mut self, store: &Store, owner: UserId) -> Result<(), StoreError> {
        if !self.owners.contains_key(&owner) {
            let user = store.query(|db| db.users().by_id(self.company.id, owner))?;
            self.owners.insert(owner, user.map(|user| user.email));
        }
        Ok(())
    }
}

fn write_csv(key: &JsonKey<'_>, text: &mut String) {
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells = [
        key.id.to_string(),
        Escaped(key.preview).to_string(),
        key.state.to_owned(),
        Escaped(key.name).to_string(),
        Escaped(key.owner.unwrap_or_default()).to_string(),
        optional(&key.created_at),
        optional(&key.expires_at),
        optional(&key.ended_at),
        optional(&key.last_used_at),
    ];
    csv::write_row(&cells.each_ref().map(String::as_str), text);
}
