//! An installation whose company has a long audit trail, seeded by SQL once and kept under `target`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, FromArgMatches};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use keydesk::actions::{Actions, NewUser, RequestContext};
use keydesk::clock::Clock;
use keydesk::config::{Database, Settings};
use keydesk::domain::ids::{CompanyId, TrailId, UserId};
use keydesk::domain::key::digest::DigestFingerprint;
use keydesk::domain::text::name::{CompanyName, PersonName};
use keydesk::domain::text::normalize::{case_folded, hex};
use keydesk::domain::trail::checkpoint;
use keydesk::domain::trail::event::Event;
use keydesk::domain::trail::merkle::{Frontier, leaf_hash};
use keydesk::domain::user::email::EmailAddress;
use keydesk::domain::user::profile::Role;
use keydesk::server;

const BATCH_SIZE: u64 = 1_000;
const COMPANY: &str = "Brightwater";
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// Runs statements on a direct connection.
type Run = Box<dyn FnMut(&str) -> Result<()>>;

/// A seeded trail.
pub struct SeededTrail {
    pub actions: Actions,
    pub company: CompanyId,
    events: u64,
}

impl SeededTrail {
    /// Seeds the trail with a number of events on SQLite if it does not exist. Returns the folder of the installation.
    pub fn folder(events: u64) -> Result<PathBuf> {
        drop(Self::open(None, events)?);
        let name = format!("trail_{events}_{:08x}", fingerprint()?);
        Ok(Path::new(env!("CARGO_TARGET_TMPDIR")).join("trail/sqlite").join(name))
    }

    /// Opens the trail with a number of events, and seeds it if it does not exist. Uses SQLite without a PostgreSQL
    /// URL.
    pub fn open(postgres: Option<&str>, events: u64) -> Result<Self> {
        let kind = if postgres.is_some() { "postgres" } else { "sqlite" };
        let name = format!("trail_{events}_{:08x}", fingerprint()?);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trail").join(kind).join(&name);
        let url = match postgres {
            None => format!("sqlite://{}", folder.join("keydesk.db").display()),
            Some(server) => format!("{}{name}", server.trim_end_matches(|letter| letter != '/')),
        };
        let marker = folder.join("filled");
        // The server may have lost its data while the folder was kept.
        let database_exists = postgres.is_none_or(|server| server_has(server, &url).is_ok_and(|exists| exists));
        if !marker.exists() || !database_exists {
            eprintln!("Storing {events} events in {kind}");
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            if let Some(server) = postgres {
                let drop = format!("DROP DATABASE IF EXISTS {name}; ");
                let mut connection = PgConnection::establish(server)?;
                connection.batch_execute(&drop)?;
                connection.batch_execute(&format!("CREATE DATABASE {name}"))?;
            }
            fill(&open(&folder, &url)?, &url, events)?;
            fs::write(marker, "")?;
        }
        let actions = open(&folder, &url)?;
        let company = actions.store.query(|db| db.companies().by_name(&case_folded(COMPANY)))?;
        Ok(Self { company: company.context("the company is missing")?.id, actions, events })
    }

    /// Returns the canonical bytes of all events, in order.
    pub fn leaves(&self) -> Result<Vec<Vec<u8>>> {
        let (trail, mut leaves) = (TrailId::from(self.company), Vec::new());
        let last = i64::try_from(self.events)?;
        for first in (1..=last).step_by(10_000) {
            let places = first..=last.min(first + 9_999);
            let events = self.actions.store.query(|db| db.trails().events_between(trail, places.clone(), 10_000))?;
            leaves.extend(events.iter().map(|(event, _)| event.canonical_bytes()));
        }
        Ok(leaves)
    }
}

fn server_has(server: &str, url: &str) -> Result<bool> {
    PgConnection::establish(server)?;
    Ok(PgConnection::establish(url).is_ok())
}

fn open(folder: &Path, url: &str) -> Result<Actions> {
    let folder = folder.to_str().context("the path of the folder is not UTF-8")?;
    let command = Settings::augment_args(clap::Command::new("keydesk"));
    let given = command.try_get_matches_from(["keydesk", "--data-dir", folder, "--database-url", url])?;
    Ok(server::open(&Settings::from_arg_matches(&given)?.check()?, &Clock::system())?)
}

fn fill(actions: &Actions, url: &str, events: u64) -> Result<()> {
    let company = actions.add_company(&CompanyName::parse(COMPANY)?)?;
    let (name, email) = (PersonName::parse("Maria Lindqvist")?, EmailAddress::parse("maria@brightwater.example")?);
    let admin = NewUser { role: Role::Admin, name: &name, email: &email };
    let admin = actions.invite_user(&RequestContext::command_line(company), &admin)?.user_id;
    let seed = Seed { company, admin, pepper_id: actions.secrets.active().id().to_owned() };
    let trail = TrailId::from(company);
    let head = actions.store.query(|db| db.trails().head(trail))?;
    let mut tree = Frontier::from_bytes(head.size.unsigned_abs(), &head.frontier).context("the head is damaged")?;
    let (mut run, blob): (Run, _) = match Database::parse(url)? {
        Database::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
            connection.batch_execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")?;
            (Box::new(move |sql| Ok(connection.batch_execute(sql)?)), "X'")
        }
        Database::Postgres(url) => {
            let mut connection = PgConnection::establish(&url)?;
            (Box::new(move |sql| Ok(connection.batch_execute(sql)?)), r"'\x")
        }
    };
    while tree.size() < events {
        let count = BATCH_SIZE.min(events - tree.size());
        run(&seed.rows(&mut tree, count, blob)?)?;
    }
    let checkpoint =
        actions.secrets.signer().sign(&checkpoint::origin(actions.installation, trail), tree.size(), &tree.root());
    let (size, frontier) = (tree.size(), hex(&tree.to_bytes()));
    run(&format!(
        "UPDATE audit_trails SET size = {size}, frontier = {blob}{frontier}', checkpoint = '{checkpoint}' WHERE id = '{company}'"
    ))?;
    run(if blob == "X'" { "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM (FREEZE, ANALYZE) events" })?;
    run(if blob == "X'" { "SELECT 1" } else { "VACUUM (FREEZE, ANALYZE) api_keys" })
}

/// What the seeded rows have in common.
struct Seed {
    company: CompanyId,
    admin: UserId,
    pepper_id: String,
}

impl Seed {
    /// The statements that add the next events, and the keys that they create.
    fn rows(&self, tree: &mut Frontier, count: u64, blob: &str) -> Result<String> {
        let (mut accounts, mut keys, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let event = self.event(tree.size() + 1);
            let leaf = leaf_hash(&event.canonical_bytes());
            tree.push(leaf);
            if event.action == "api_key.created" {
                let (account, key) = self.key_rows(&event, tree.size(), blob);
                accounts.push(account);
                keys.push(key);
            }
            let Event { trail_id, sequence, id, at, action, target_type, target_id, .. } = &event;
            let text = |field: &Option<String>| field.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'"));
            let (actor, key, before, after) =
                (text(&event.actor_id), text(&event.key_id), text(&event.before), text(&event.after));
            let (reason, address, agent, request) =
                (text(&event.reason), text(&event.client_address), text(&event.user_agent), text(&event.request_id));
            events.push(format!(
                "('{trail_id}',{sequence},'{id}',{at},'{action}','user',{actor},{key},'{target_type}','{target_id}',\
                 {before},{after},{reason},{address},{agent},{request},{blob}{}')",
                hex(&leaf)
            ));
        }
        let mut sql = String::new();
        for (table, rows) in [
            ("service_accounts (id, company_id, name, name_folded, created_at)", accounts),
            (
                "api_keys (id, company_id, service_account_id, digest, pepper_id, preview, preview_folded, created_at, \
                 created_by, owner, revoked_at, revoked_by_type, revoked_by, revocation_reason)",
                keys,
            ),
            (
                "events (trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, target_id, \
                 before_json, after_json, reason, client_address, user_agent, request_id, leaf_hash)",
                events,
            ),
        ] {
            if !rows.is_empty() {
                write!(sql, "INSERT INTO {table} VALUES {}; ", rows.join(","))?;
            }
        }
        Ok(sql)
    }

    /// The rows of the account and the key that an event creates. The next event revokes the key.
    fn key_rows(&self, event: &Event, number: u64, blob: &str) -> (String, String) {
        let Self { company, admin, pepper_id } = self;
        let (id, account, preview, at) = (&event.target_id, id(4, number), preview(number), event.at);
        let digest = hex(&leaf_hash(id.as_bytes()));
        let revoked = format!("{},'user','{admin}','superseded'", at + 1_000_000);
        (
            format!("('{account}','{company}','Service {number}','service {number}',{at})"),
            format!(
                "('{id}','{company}','{account}',{blob}{digest}','{pepper_id}','{preview}','{}',{at},'{admin}','{admin}',{revoked})",
                case_folded(&preview)
            ),
        )
    }

    /// Returns an event as a browser causes it: of ten events, one creates a key, the next one revokes it, and the others
    /// are sign-ins and sign-outs.
    fn event(&self, number: u64) -> Event {
        let of_key = if number % 10 == 9 { number - 1 } else { number };
        let key = id(2, of_key);
        let state = |state: &str| Some(format!(r#"{{"name":"Service {of_key}","state":"{state}"}}"#));
        let (action, before, after) = match number % 10 {
            8 => ("api_key.created", None, Some(created(number))),
            9 => ("api_key.revoked", state("active"), state("revoked")),
            0..=3 => ("user.signed_in", None, None),
            _ => ("user.signed_out", None, None),
        };
        let is_of_key = action.starts_with("api_key");
        Event {
            trail_id: self.company.to_string(),
            sequence: i64::try_from(number).unwrap_or(i64::MAX),
            id: id(1, number),
            at: 1_795_424_400_000_000 + i64::try_from(number).unwrap_or(0) * 1_000_000,
            action: action.to_owned(),
            actor_type: "user".to_owned(),
            actor_id: Some(self.admin.to_string()),
            key_id: is_of_key.then(|| key.clone()),
            target_type: if is_of_key { "api_key" } else { "user" }.to_owned(),
            target_id: if is_of_key { key } else { self.admin.to_string() },
            before,
            after,
            reason: (action == "api_key.revoked").then(|| "superseded".to_owned()),
            comment: None,
            client_address: Some("203.0.113.24".to_owned()),
            user_agent: Some(BROWSER.to_owned()),
            request_id: Some(format!("{number:016x}")),
        }
    }
}

fn id(kind: u64, number: u64) -> String {
    format!("01a2{kind:04x}-{:04x}-7000-8000-{number:012x}", number % 65_536)
}

fn preview(number: u64) -> String {
    format!("goa_{:04x}…{:04x}", number % 65_536, number / 65_536)
}

/// What a creation says afterwards.
fn created(number: u64) -> String {
    let digest = leaf_hash(id(2, number).as_bytes());
    let fingerprint = serde_json::to_string(&DigestFingerprint::of(&digest)).unwrap_or_default();
    format!(
        r#"{{"digest_fingerprint":{fingerprint},"name":"Service {number}","preview":"{}","service_account_id":"{}","state":"active"}}"#,
        preview(number),
        id(4, number)
    )
}

/// Hashes the names of the migrations and this source.
fn fingerprint() -> Result<u32> {
    let mut parts = vec![include_str!("seed.rs").to_owned()];
    for migrations in ["migrations/sqlite", "migrations/postgres"] {
        for migration in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(migrations))? {
            parts.push(migration?.file_name().to_string_lossy().into_owned());
        }
    }
    parts.sort();
    Ok(crc32fast::hash(parts.concat().as_bytes()))
}
