//! Seeds a company with keys by SQL: the actions would take a transaction and an event for each key.

use anyhow::Result;
use keydesk::actions::RequestContext;
use keydesk::actions::{Actions, NewUser};
use keydesk::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use keydesk::domain::text::collation::sort_key;
use keydesk::domain::text::name::{CompanyName, PersonName};
use keydesk::domain::text::normalize::{case_folded, hex, search_folded};
use keydesk::domain::timestamp::Timestamp;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::password::Password;
use keydesk::domain::user::profile::Role;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::common::installation::{DirectConnection, Installation, Seed};

pub const SEED: Seed = Seed { name: "pages", sources: &[include_str!("seed.rs")], fill };

/// The user who sees the list.
pub const EMAIL: &str = "user0@brightwater.example";
pub const PASSWORD: &str = "correct horse battery staple";

const NAMES: [&str; 6] =
    ["Maria Lindqvist", "Tomasz Wójcik", "Priya Raman", "דנה לוי", "Åsa de la Cour", "Ada O'Hara-Wolfeschlegel"];
const SERVICES: [&str; 7] = [
    "ERP Sync Service",
    "Staging Smoke Tests",
    "Payroll Export (nightly)",
    "Supplier Portal Webhooks",
    "Warehouse Label Printer & Pallet Tracking",
    "Power BI Gateway",
    "Mobile Scanner Pilot",
];

const USERS: u64 = 30;
/// 1 January 2025, the creation of the first key; one key follows every 20 minutes.
const FIRST: i64 = 1_735_689_600_000_000;
const KEY_INTERVAL: i64 = 20 * 60_000_000;
const DAY: i64 = 86_400_000_000;
const BATCH_SIZE: u64 = 500;

fn fill(installation: &Installation, keys: u64) -> Result<()> {
    let (_, actions) = installation.open()?;
    let (company, users) = add_company(&actions)?;
    let mut database = installation.connect()?;
    let (bytes_prefix, final_statements) = match &database {
        DirectConnection::Sqlite(_) => ("x'", ["COMMIT", "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)"]),
        DirectConnection::Postgres(_) => (r"'\x", ["COMMIT", "VACUUM (FREEZE, ANALYZE)"]),
    };
    database.run("BEGIN")?;
    for first in (0..keys).step_by(usize::try_from(BATCH_SIZE)?) {
        let [mut accounts, mut api_keys, mut usage] = [const { Vec::new() }; 3];
        for number in first..keys.min(first + BATCH_SIZE) {
            let user = users[usize::try_from(number % USERS)?];
            let row = Row::of(number, company, user)?;
            accounts.push(row.account(bytes_prefix));
            api_keys.push(row.key(&actions, bytes_prefix));
            usage.push(row.usage());
        }
        for (into, rows) in [
            ("service_accounts (id, company_id, name, name_folded, created_at, name_search, name_sort_key)", accounts),
            (
                "api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at,
                    created_by, owner, expires_at, revoked_at, revoked_by_type, revoked_by, revocation_reason)",
                api_keys,
            ),
            ("key_usage (key_id, company_id, last_used_at, refused_since)", usage),
        ] {
            database.run(&format!("INSERT INTO {into} VALUES {}", rows.join(",")))?;
        }
    }
    final_statements.iter().try_for_each(|statement| database.run(statement))
}

fn add_company(actions: &Actions) -> Result<(CompanyId, Vec<UserId>)> {
    let password_hash = actions.passwords.hash(&Password::presented(PASSWORD))?;
    let company = actions.add_company(&CompanyName::parse("Brightwater Foods")?)?;
    let add = |(number, name): (u64, &&str)| {
        let (name, email) = (PersonName::parse(name)?, format!("user{number}@brightwater.example"));
        let user = NewUser { role: Role::Admin, name: &name, email: &EmailAddress::parse(&email)? };
        Ok(actions.add_user(&RequestContext::command_line(company), &user, &password_hash)?)
    };
    let users = (0..USERS).zip(NAMES.iter().cycle()).map(add).collect::<Result<_>>()?;
    Ok((company, users))
}

/// A key, generated from its number. Of twenty keys, eight are revoked and two expired; half of the active ones have an
/// expiry. Two thirds were used.
struct Row {
    number: u64,
    company: CompanyId,
    user: UserId,
    key: KeyId,
    account: ServiceAccountId,
    name: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl Row {
    fn of(number: u64, company: CompanyId, user: UserId) -> Result<Self> {
        let created_at = FIRST + KEY_INTERVAL * i64::try_from(number)?;
        let at = Timestamp::from_micros(created_at);
        let mut seed = [0; 10];
        seed[2..].copy_from_slice(&number.to_be_bytes());
        let (expires_at, revoked_at) = match number % 20 {
            0..8 => (None, Some(created_at + 20 * DAY)),
            8..10 => (Some(created_at + 30 * DAY), None),
            10..15 => (Some(created_at + 3_650 * DAY), None),
            _ => (None, None),
        };
        let service = SERVICES[usize::try_from(number)? % SERVICES.len()];
        Ok(Self {
            number,
            company,
            user,
            key: KeyId::new(at, &seed),
            account: ServiceAccountId::new(at, &seed),
            name: format!("{service} {number}"),
            created_at,
            expires_at,
            revoked_at,
        })
    }

    fn account(&self, bytes_prefix: &str) -> String {
        let Self { company, account, name, created_at, .. } = self;
        let (folded, search, sort_key) = (case_folded(name), search_folded(name), hex(&sort_key(name)));
        format!("('{account}','{company}','{name}','{folded}',{created_at},'{search}',{bytes_prefix}{sort_key}')")
    }

    fn key(&self, actions: &Actions, bytes_prefix: &str) -> String {
        let Self { company, user, key: id, account, created_at, .. } = self;
        let key = actions.key_format.generate(&mut StdRng::seed_from_u64(self.number));
        let (digest, preview) = (hex(key.digest(&actions.secrets.active().pepper).as_bytes()), key.preview());
        let (set, preview) = (actions.secrets.active(), preview.as_str());
        let pepper = set.id();
        let [expires_at, revoked_at] = [self.expires_at, self.revoked_at].map(or_null);
        let revocation = match self.revoked_at {
            Some(_) => format!("'user','{user}','superseded'"),
            None => "NULL,NULL,NULL".to_owned(),
        };
        format!(
            "('{id}','{company}','{account}',{bytes_prefix}{digest}','{pepper}','{preview}','{}',{created_at},'{user}','{user}',\
             {expires_at},{revoked_at},{revocation})",
            case_folded(preview)
        )
    }

    fn usage(&self) -> String {
        let Self { company, key, created_at, .. } = self;
        let last_used_at = if self.number.is_multiple_of(3) { 0 } else { created_at + 10 * DAY };
        format!("('{key}','{company}',{last_used_at},{})", or_null(self.revoked_at))
    }
}

fn or_null(at: Option<i64>) -> String {
    at.map_or("NULL".to_owned(), |at| at.to_string())
}
