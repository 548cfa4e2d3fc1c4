//! An installation whose company has a long audit trail, seeded by SQL once and kept under `target`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, FromArgMatches};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use keydesk::actions::Actions;
use keydesk::clock::Clock;
use keydesk::config::{Database, Settings};
use keydesk::domain::ids::{CompanyId, TrailId};
use keydesk::domain::text::name::CompanyName;
use keydesk::domain::text::normalize::{case_folded, hex};
use keydesk::domain::trail::checkpoint;
use keydesk::domain::trail::event::Event;
use keydesk::domain::trail::merkle::{Frontier, leaf_hash};
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
        let mut sql =
            "INSERT INTO events (trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, \
             target_id, before_json, after_json, reason, client_address, user_agent, request_id, leaf_hash) VALUES "
                .to_owned();
        for at in 0..BATCH_SIZE.min(events - tree.size()) {
            let event = event(company, tree.size() + 1);
            let leaf = leaf_hash(&event.canonical_bytes());
            tree.push(leaf);
            let comma = if at == 0 { "" } else { "," };
            let Event { sequence, id, at, action, target_id, .. } = &event;
            let text = |field: &Option<String>| field.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'"));
            let (actor, key, before, after) =
                (text(&event.actor_id), text(&event.key_id), text(&event.before), text(&event.after));
            let (reason, address, agent, request) =
                (text(&event.reason), text(&event.client_address), text(&event.user_agent), text(&event.request_id));
            write!(
                sql,
                "{comma}('{company}',{sequence},'{id}',{at},'{action}','user',{actor},{key},'api_key','{target_id}',\
                 {before},{after},{reason},{address},{agent},{request},{blob}{}')",
                hex(&leaf)
            )?;
        }
        run(&sql)?;
    }
    let checkpoint =
        actions.secrets.signer.sign(&checkpoint::origin(actions.installation, trail), tree.size(), &tree.root());
    let (size, frontier) = (tree.size(), hex(&tree.to_bytes()));
    run(&format!(
        "UPDATE audit_trails SET size = {size}, frontier = {blob}{frontier}', checkpoint = '{checkpoint}' WHERE id = '{company}'"
    ))?;
    run(if blob == "X'" { "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM (FREEZE, ANALYZE) events" })
}

/// Returns an event as a browser causes it: keys are created and revoked alternately.
fn event(company: CompanyId, number: u64) -> Event {
    let id = |kind: u64| format!("01a2{kind:04x}-{:04x}-7000-8000-{number:012x}", number % 65_536);
    let (is_creation, key) = (number.is_multiple_of(2), id(2));
    let state = |state: &str| Some(format!(r#"{{"name":"Service {number}","state":"{state}"}}"#));
    Event {
        trail_id: company.to_string(),
        sequence: i64::try_from(number).unwrap_or(i64::MAX),
        id: id(1),
        at: 1_795_424_400_000_000 + i64::try_from(number).unwrap_or(0) * 1_000_000,
        action: if is_creation { "api_key.created" } else { "api_key.revoked" }.to_owned(),
        actor_type: "user".to_owned(),
        actor_id: Some(id(3)),
        key_id: Some(key.clone()),
        target_type: "api_key".to_owned(),
        target_id: key,
        before: if is_creation { None } else { state("active") },
        after: state(if is_creation { "active" } else { "revoked" }),
        reason: (!is_creation).then(|| "superseded".to_owned()),
        comment: None,
        client_address: Some("203.0.113.24".to_owned()),
        user_agent: Some(BROWSER.to_owned()),
        request_id: Some(format!("{number:016x}")),
    }
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
