//! Seeds a database with keys by SQL: the actions would take a transaction and an event for each key.

use std::fmt::Write;

use anyhow::Result;
use keydesk::actions::RequestContext;
use keydesk::actions::{Actions, NewUser};
use keydesk::domain::ids::{CompanyId, UserId};
use keydesk::domain::text::name::{CompanyName, PersonName};
use keydesk::domain::text::normalize::hex;
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::password::Password;
use keydesk::domain::user::profile::Role;

use crate::common::installation::{DirectConnection, Installation, Seed};
use crate::keys;

pub const SEED: Seed =
    Seed { name: "verification", sources: &[include_str!("seed.rs"), include_str!("keys.rs")], fill };

const COMPANIES: u64 = 100;
const BATCH_SIZE: u64 = 1_000;

const SQLITE_FAST: &str = "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN";
const SQLITE_DONE: &str = "COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)";
/// Skips foreign-key checks: the referenced rows are stored together with these.
const POSTGRES_FAST: &str = "SET session_replication_role = replica; BEGIN";
const POSTGRES_DONE: [&str; 2] = ["COMMIT", "VACUUM (FREEZE, ANALYZE)"];

/// The numbers of the keys, and the values that SQL cannot compute from them.
const MINTED: &str = "CREATE TEMPORARY TABLE minted (
    number BIGINT NOT NULL, id TEXT NOT NULL, service_account_id TEXT NOT NULL, company_id TEXT NOT NULL,
    user_id TEXT NOT NULL, digest BYTES NOT NULL, preview TEXT NOT NULL, created_at BIGINT NOT NULL
)";

/// The statements that fill each table from `minted`.
const ROWS: [&str; 3] = [
    "INSERT INTO service_accounts (id, company_id, name, name_folded, created_at, name_search)
    SELECT service_account_id, company_id, 'Service ' || (number / 2), 'service ' || (number / 2), created_at,
        'service ' || (number / 2)
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

/// Returns the email address of the admin of a company.
pub fn email(company: u64) -> String {
    format!("admin@company{company}.example")
}

fn fill(installation: &Installation, keys: u64) -> Result<()> {
    let (_, actions) = installation.open()?;
    let companies = add_companies(&actions)?;
    let mut database = installation.connect()?;
    let (fast, bytes) = match &database {
        DirectConnection::Sqlite(_) => (SQLITE_FAST, "BLOB"),
        DirectConnection::Postgres(_) => (POSTGRES_FAST, "BYTEA"),
    };
    database.run(fast)?;
    database.run(&MINTED.replace("BYTES", bytes))?;
    for first in (0..keys).step_by(usize::try_from(BATCH_SIZE)?) {
        let numbers = first..keys.min(first + BATCH_SIZE);
        let bytes_prefix = if bytes == "BLOB" { "x'" } else { r"'\x" };
        database.run(&mint(&actions, &companies, numbers, bytes_prefix)?)?;
    }
    for rows in ROWS {
        let rows = rows
            .replace(":pepper_id", &format!("'{}'", actions.secrets.active().id()))
            .replace(":pattern", &keys::PATTERN.to_string())
            .replace(":expired", &keys::EXPIRED.to_string())
            .replace(":a_day", "86400000000")
            .replace(":year_2100", "4102444800000000");
        database.run(&rows)?;
    }
    match &database {
        DirectConnection::Sqlite(_) => database.run(SQLITE_DONE),
        DirectConnection::Postgres(_) => POSTGRES_DONE.iter().try_for_each(|statement| database.run(statement)),
    }
}

fn add_companies(actions: &Actions) -> Result<Vec<(CompanyId, UserId)>> {
    let password_hash = actions.passwords.hash(&Password::presented("nobody signs in here"))?;
    let add = |number| {
        let company = actions.add_company(&CompanyName::parse(&format!("Company {number}"))?)?;
        let (name, email) = (PersonName::parse("Ada North")?, EmailAddress::parse(&email(number))?);
        let user = NewUser { role: Role::Admin, name: &name, email: &email };
        Ok((company, actions.add_user(&RequestContext::command_line(company), &user, &password_hash)?))
    };
    (0..COMPANIES).map(add).collect()
}

fn mint(
    actions: &Actions,
    companies: &[(CompanyId, UserId)],
    numbers: std::ops::Range<u64>,
    bytes_prefix: &str,
) -> Result<String> {
    let mut statement = "INSERT INTO minted VALUES ".to_owned();
    for number in numbers.clone() {
        let key = keys::key(&actions.key_format, number);
        let (id, account) = keys::ids(number);
        let (company, user) = companies[usize::try_from(number / 2 % COMPANIES)?];
        let (digest, preview) = (hex(key.digest(&actions.secrets.active().pepper).as_bytes()), key.preview());
        let (preview, created_at) = (preview.as_str(), keys::created_at(number).as_micros());
        let comma = if number == numbers.start { "" } else { "," };
        write!(
            statement,
            "{comma}({number},'{id}','{account}','{company}','{user}',{bytes_prefix}{digest}','{preview}',{created_at})"
        )?;
    }
    Ok(statement)
}
