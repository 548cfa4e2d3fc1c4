//! Fills a company with keys behind the store's back: the program would take a transaction and an event for each.

use anyhow::Result;
use keydesk::actions::{Actions, NewUser};
use keydesk::domain::email::EmailAddress;
use keydesk::domain::event::Origin;
use keydesk::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use keydesk::domain::instant::Instant;
use keydesk::domain::name::{CompanyName, PersonName};
use keydesk::domain::password::Password;
use keydesk::domain::text::{folded, hex};
use keydesk::domain::user::Role;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::common::installation::{Behind, Filling, Installation};

/// How installations are filled here.
pub const FILLING: Filling = Filling { name: "pages", sources: &[include_str!("filling.rs")], fill };

/// Whose list is drawn.
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
/// 1 January 2025; a key was made every twenty minutes from then on.
const FIRST: i64 = 1_735_689_600_000_000;
const BETWEEN_KEYS: i64 = 20 * 60_000_000;
const A_DAY: i64 = 86_400_000_000;
const KEYS_AT_A_TIME: u64 = 500;

fn fill(installation: &Installation, keys: u64) -> Result<()> {
    let (_, actions) = installation.open()?;
    let (company, users) = add_company(&actions)?;
    let mut database = installation.connect()?;
    let (before_bytes, done) = match &database {
        Behind::Sqlite(_) => ("x'", ["COMMIT", "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)"]),
        Behind::Postgres(_) => (r"'\x", ["COMMIT", "VACUUM (FREEZE, ANALYZE)"]),
    };
    database.run("BEGIN")?;
    for first in (0..keys).step_by(usize::try_from(KEYS_AT_A_TIME)?) {
        let [mut accounts, mut api_keys, mut usage] = [const { Vec::new() }; 3];
        for number in first..keys.min(first + KEYS_AT_A_TIME) {
            let user = users[usize::try_from(number % USERS)?];
            let row = Row::of(number, company, user)?;
            accounts.push(row.account());
            api_keys.push(row.key(&actions, before_bytes));
            usage.push(row.usage());
        }
        for (into, rows) in [
            ("service_accounts (id, company_id, name, name_folded, created_at)", accounts),
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
    done.iter().try_for_each(|statement| database.run(statement))
}

fn add_company(actions: &Actions) -> Result<(CompanyId, Vec<UserId>)> {
    let password_hash = actions.passwords.hash(&Password::presented(PASSWORD))?;
    let origin = Origin::command_line();
    let company = actions.add_company(&CompanyName::parse("Brightwater Foods")?, &origin)?;
    let add = |(number, name): (u64, &&str)| {
        let (name, email) = (PersonName::parse(name)?, format!("user{number}@brightwater.example"));
        let user = NewUser { role: Role::Admin, name: &name, email: &EmailAddress::parse(&email)? };
        Ok(actions.add_user(company, &user, &password_hash, &origin)?)
    };
    let users = (0..USERS).zip(NAMES.iter().cycle()).map(add).collect::<Result<_>>()?;
    Ok((company, users))
}

/// A key, which follows from its number: of twenty, eight are revoked and two expired; half of the active ones expire one
/// day. Two thirds were used.
struct Row {
    number: u64,
    company: CompanyId,
    user: UserId,
    key: KeyId,
    account: ServiceAccountId,
    name: String,
    made_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl Row {
    fn of(number: u64, company: CompanyId, user: UserId) -> Result<Self> {
        let made_at = FIRST + BETWEEN_KEYS * i64::try_from(number)?;
        let at = Instant::from_micros(made_at);
        let mut seed = [0; 10];
        seed[2..].copy_from_slice(&number.to_be_bytes());
        let (expires_at, revoked_at) = match number % 20 {
            0..8 => (None, Some(made_at + 20 * A_DAY)),
            8..10 => (Some(made_at + 30 * A_DAY), None),
            10..15 => (Some(made_at + 3_650 * A_DAY), None),
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
            made_at,
            expires_at,
            revoked_at,
        })
    }

    fn account(&self) -> String {
        let Self { company, account, name, made_at, .. } = self;
        format!("('{account}','{company}','{name}','{}',{made_at})", folded(name))
    }

    fn key(&self, actions: &Actions, before_bytes: &str) -> String {
        let Self { company, user, key: id, account, made_at, .. } = self;
        let key = actions.key_format.generate(&mut StdRng::seed_from_u64(self.number));
        let (digest, preview) = (hex(key.digest(&actions.secrets.pepper).as_bytes()), key.preview());
        let (pepper, preview) = (actions.secrets.pepper.id(), preview.as_str());
        let [expires_at, revoked_at] = [self.expires_at, self.revoked_at].map(or_null);
        let revocation = match self.revoked_at {
            Some(_) => format!("'user','{user}','superseded'"),
            None => "NULL,NULL,NULL".to_owned(),
        };
        format!(
            "('{id}','{company}','{account}',{before_bytes}{digest}','{pepper}','{preview}','{}',{made_at},'{user}','{user}',\
             {expires_at},{revoked_at},{revocation})",
            folded(preview)
        )
    }

    fn usage(&self) -> String {
        let Self { company, key, made_at, .. } = self;
        let last_used_at = if self.number.is_multiple_of(3) { 0 } else { made_at + 10 * A_DAY };
        format!("('{key}','{company}',{last_used_at},{})", or_null(self.revoked_at))
    }
}

fn or_null(at: Option<i64>) -> String {
    at.map_or("NULL".to_owned(), |at| at.to_string())
}
