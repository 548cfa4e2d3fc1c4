//! Fills a database with keys behind the store's back: the program would take a transaction and an event for each.

use std::fmt::Write;

use anyhow::Result;
use keydesk::actions::{Actions, NewUser};
use keydesk::domain::email::EmailAddress;
use keydesk::domain::event::Origin;
use keydesk::domain::ids::{CompanyId, UserId};
use keydesk::domain::name::{CompanyName, PersonName};
use keydesk::domain::password::Password;
use keydesk::domain::text::hex;
use keydesk::domain::user::Role;

use crate::common::installation::{Behind, Filling, Installation};
use crate::keys;

/// How installations are filled here.
pub const FILLING: Filling =
    Filling { name: "verification", sources: &[include_str!("filling.rs"), include_str!("keys.rs")], fill };

const COMPANIES: u64 = 100;
const KEYS_AT_A_TIME: u64 = 1_000;

const SQLITE_FAST: &str = "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN";
const SQLITE_DONE: &str = "COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)";
/// What the rows refer to is stored with them.
const POSTGRES_FAST: &str = "SET session_replication_role = replica; BEGIN";
const POSTGRES_DONE: [&str; 2] = ["COMMIT", "VACUUM (FREEZE, ANALYZE)"];

/// The keys' numbers, and what SQL cannot work out of them.
const MINTED: &str = "CREATE TEMPORARY TABLE minted (
    number BIGINT NOT NULL, id TEXT NOT NULL, service_account_id TEXT NOT NULL, company_id TEXT NOT NULL,
    user_id TEXT NOT NULL, digest BYTES NOT NULL, preview TEXT NOT NULL, created_at BIGINT NOT NULL
)";

/// The rows of each table, made of what was minted.
const ROWS: [&str; 3] = [
    "INSERT INTO service_accounts (id, company_id, name, name_folded, created_at)
    SELECT service_account_id, company_id, 'Service ' || (number / 2), 'service ' || (number / 2), created_at
    FROM minted WHERE number % 2 = 0",
    "INSERT INTO api_keys (
        id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, created_by, owner,
        expires_at, revoked_at, revoked_by_type, revoked_by, revocation_reason, end_recorded
    )
    SELECT
        id, company_id, service_account_id, digest, :pepper_id, preview, lower(preview), created_at, user_id, user_id,
        CASE WHEN number % :pattern = :expired THEN created_at + :a_day
             WHEN number % 4 = 3 THEN :year_2100 END,
        CASE WHEN number % 2 = 0 THEN created_at + :a_day END,
        CASE WHEN number % 2 = 0 THEN 'user' END,
        CASE WHEN number % 2 = 0 THEN user_id END,
        CASE WHEN number % 2 = 0 THEN 'superseded' END,
        number % :pattern = :expired
    FROM minted",
    "INSERT INTO key_usage (key_id, company_id, refused_since) SELECT id, company_id, revoked_at FROM api_keys",
];

/// The address of the user who made the keys of the company of that number.
pub fn email(company: u64) -> String {
    format!("admin@company{company}.example")
}

/// Stores so many keys in an installation that holds nothing yet.
fn fill(installation: &Installation, keys: u64) -> Result<()> {
    let (_, actions) = installation.open()?;
    let companies = add_companies(&actions)?;
    let mut database = installation.connect()?;
    let (fast, bytes) = match &database {
        Behind::Sqlite(_) => (SQLITE_FAST, "BLOB"),
        Behind::Postgres(_) => (POSTGRES_FAST, "BYTEA"),
    };
    database.run(fast)?;
    database.run(&MINTED.replace("BYTES", bytes))?;
    for first in (0..keys).step_by(usize::try_from(KEYS_AT_A_TIME)?) {
        let numbers = first..keys.min(first + KEYS_AT_A_TIME);
        let before_bytes = if bytes == "BLOB" { "x'" } else { r"'\x" };
        database.run(&mint(&actions, &companies, numbers, before_bytes)?)?;
    }
    for rows in ROWS {
        let rows = rows
            .replace(":pepper_id", &format!("'{}'", actions.secrets.pepper.id()))
            .replace(":pattern", &keys::PATTERN.to_string())
            .replace(":expired", &keys::EXPIRED.to_string())
            .replace(":a_day", "86400000000")
            .replace(":year_2100", "4102444800000000");
        database.run(&rows)?;
    }
    match &database {
        Behind::Sqlite(_) => database.run(SQLITE_DONE),
        Behind::Postgres(_) => POSTGRES_DONE.iter().try_for_each(|statement| database.run(statement)),
    }
}

fn add_companies(actions: &Actions) -> Result<Vec<(CompanyId, UserId)>> {
    let password_hash = actions.passwords.hash(&Password::presented("nobody signs in here"))?;
    let add = |number| {
        let origin = Origin::command_line();
        let company = actions.add_company(&CompanyName::parse(&format!("Company {number}"))?, &origin)?;
        let (name, email) = (PersonName::parse("Ada North")?, EmailAddress::parse(&email(number))?);
        let user = NewUser { role: Role::Admin, name: &name, email: &email };
        Ok((company, actions.add_user(company, &user, &password_hash, &origin)?))
    };
    (0..COMPANIES).map(add).collect()
}

fn mint(
    actions: &Actions,
    companies: &[(CompanyId, UserId)],
    numbers: std::ops::Range<u64>,
    before_bytes: &str,
) -> Result<String> {
    let mut statement = "INSERT INTO minted VALUES ".to_owned();
    for number in numbers.clone() {
        let key = keys::key(&actions.key_format, number);
        let (id, account) = keys::ids(number);
        let (company, user) = companies[usize::try_from(number / 2 % COMPANIES)?];
        let (digest, preview) = (hex(key.digest(&actions.secrets.pepper).as_bytes()), key.preview());
        let (preview, created_at) = (preview.as_str(), keys::made_at(number).as_micros());
        let comma = if number == numbers.start { "" } else { "," };
        write!(
            statement,
            "{comma}({number},'{id}','{account}','{company}','{user}',{before_bytes}{digest}','{preview}',{created_at})"
        )?;
    }
    Ok(statement)
}
