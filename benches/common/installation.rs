//! Installations with seeded databases. Each is seeded once, kept under `target`, and copied for each run.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, FromArgMatches};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use keydesk::actions::Actions;
use keydesk::clock::Clock;
use keydesk::config::{Config, Database, Settings};
use keydesk::server;

use super::Backend;

/// How an installation is seeded.
#[derive(Clone, Copy)]
pub struct Seed {
    /// The name of the benchmark.
    pub name: &'static str,
    /// The source files of the seed; a change to them seeds again.
    pub sources: &'static [&'static str],
    /// Stores a number of keys in an empty installation.
    pub fill: fn(&Installation, u64) -> Result<()>,
}

/// The location of an installation, as flags of every subcommand.
#[derive(Clone, Debug, Args)]
pub struct Installation {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    database_url: String,
}

impl Installation {
    /// An installation on SQLite, with its database in the folder of its files.
    pub fn sqlite_in(folder: &Path) -> Self {
        let database_url = format!("sqlite://{}", folder.join("keydesk.db").display());
        Self { folder: folder.to_owned(), database_url }
    }

    /// Returns the flags that name the installation.
    pub fn flags(&self) -> [String; 2] {
        [format!("--folder={}", self.folder.display()), format!("--database-url={}", self.database_url)]
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the installation as the program does, with a free port to listen on.
    pub fn open(&self) -> Result<(Config, Actions)> {
        let folder = self.folder.to_str().context("the path of the folder is not UTF-8")?;
        let command = Settings::augment_args(clap::Command::new("keydesk"));
        let given = ["keydesk", "--listen=127.0.0.1:0", "--data-dir", folder, "--database-url", &self.database_url];
        let config = Settings::from_arg_matches(&command.try_get_matches_from(given)?)?.check()?;
        let actions = server::open(&config, &Clock::system())?;
        Ok((config, actions))
    }

    /// Connects to the database directly, without the store.
    pub fn connect(&self) -> Result<DirectConnection> {
        Ok(match Database::parse(&self.database_url)? {
            Database::Sqlite(path) => DirectConnection::open_sqlite(&path.to_string_lossy())?,
            Database::Postgres(url) => DirectConnection::Postgres(PgConnection::establish(&url)?),
        })
    }
}

/// A direct connection to a database.
pub enum DirectConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl DirectConnection {
    /// Opens a SQLite database, and creates the file if it does not exist.
    pub fn open_sqlite(path: &str) -> Result<Self> {
        Ok(Self::Sqlite(SqliteConnection::establish(path)?))
    }

    /// Runs statements and ignores their results.
    pub fn run(&mut self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(statements)?,
            Self::Postgres(connection) => connection.batch_execute(statements)?,
        }
        Ok(())
    }
}

/// The seeded installations of one backend and the copies for this run, in one folder. On PostgreSQL, each has a
/// database of the same name.
pub struct Installations {
    pub backend: Backend,
    /// The URL of the PostgreSQL server's own database.
    postgres: String,
    seed: Seed,
    root: PathBuf,
    /// Suffix of seeded installations; it changes with the migrations and the seed.
    fingerprint: String,
    _lock: File,
}

impl Installations {
    /// Opens the folder of installations; waits until no other run uses it.
    pub fn open(backend: Backend, postgres: &str, seed: Seed) -> Result<Self> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(seed.name).join(backend.name().to_lowercase());
        fs::create_dir_all(&root)?;
        let lock = File::create(root.with_extension("lock"))?;
        lock.lock()?;
        let (postgres, fingerprint) = (postgres.to_owned(), fingerprint(seed.sources)?);
        let installations = Self { backend, postgres, seed, root, fingerprint, _lock: lock };
        installations.clean_up()?;
        Ok(installations)
    }

    /// Returns the name and version of the database.
    pub fn database(&self) -> Result<String> {
        let version: TextRow = match self.backend {
            Backend::Sqlite => sql_query("SELECT sqlite_version() AS value")
                .get_result(&mut SqliteConnection::establish(":memory:")?)?,
            Backend::Postgres => sql_query("SELECT current_setting('server_version') AS value")
                .get_result(&mut PgConnection::establish(&self.postgres)?)?,
        };
        Ok(format!("{} {}", self.backend.name(), version.value))
    }

    /// Returns a copy of an installation with a number of keys, which is seeded if it does not exist.
    pub fn with(&self, keys: u64) -> Result<Installation> {
        let filled = format!("filled_{keys}_{}", self.fingerprint);
        if !self.exists(&filled)? {
            println!("Storing {keys} keys in {}", self.backend.name());
            let unfinished = format!("unfinished_{keys}");
            for name in [&unfinished, &filled] {
                self.remove(name)?;
            }
            self.create(&unfinished, "")?;
            (self.seed.fill)(&self.location(&unfinished), keys)?;
            self.run_on_postgres(&format!("ALTER DATABASE {unfinished} RENAME TO {filled}"))?;
            fs::rename(self.root.join(&unfinished), self.root.join(&filled))?;
        }
        let copy = format!("copy_{keys}");
        self.create(&copy, &format!("TEMPLATE {filled} STRATEGY FILE_COPY"))?;
        for file in fs::read_dir(self.root.join(&filled))? {
            let file = file?;
            fs::copy(file.path(), self.root.join(&copy).join(file.file_name()))?;
        }
        Ok(self.location(&copy))
    }

    fn location(&self, name: &str) -> Installation {
        let folder = self.root.join(name);
        let database_url = match self.backend {
            Backend::Sqlite => format!("sqlite://{}", folder.join("keydesk.db").display()),
            Backend::Postgres => format!("{}{name}", self.postgres.trim_end_matches(|letter| letter != '/')),
        };
        Installation { folder, database_url }
    }

    fn exists(&self, name: &str) -> Result<bool> {
        let database_exists = match self.backend {
            Backend::Sqlite => true,
            Backend::Postgres => {
                let query = "SELECT CAST(datname AS TEXT) AS value FROM pg_database";
                let databases: Vec<TextRow> = sql_query(query).load(&mut PgConnection::establish(&self.postgres)?)?;
                databases.iter().any(|database| database.value == name)
            }
        };
        Ok(database_exists && self.root.join(name).exists())
    }

    fn create(&self, name: &str, from: &str) -> Result<()> {
        self.run_on_postgres(&format!("CREATE DATABASE {name} {from}"))?;
        Ok(fs::create_dir(self.root.join(name))?)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.run_on_postgres(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        let folder = self.root.join(name);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    /// Removes copies, and unfinished or outdated installations.
    fn clean_up(&self) -> Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !(name.starts_with("filled_") && name.ends_with(&self.fingerprint)) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn run_on_postgres(&self, statement: &str) -> Result<()> {
        match self.backend {
            Backend::Sqlite => Ok(()),
            Backend::Postgres => Ok(PgConnection::establish(&self.postgres)?.batch_execute(statement)?),
        }
    }
}

impl Drop for Installations {
    fn drop(&mut self) {
        if let Err(error) = self.clean_up() {
            eprintln!("Copies of databases are left in {}: {error}", self.root.display());
        }
    }
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Hashes the names of the migrations and the sources of the seed.
fn fingerprint(sources: &[&str]) -> Result<String> {
    let mut parts: Vec<_> = sources.iter().map(|source| (*source).to_owned()).collect();
    for migrations in ["migrations/sqlite", "migrations/postgres"] {
        for migration in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(migrations))? {
            parts.push(migration?.file_name().to_string_lossy().into_owned());
        }
    }
    parts.sort();
    Ok(format!("{:08x}", crc32fast::hash(parts.concat().as_bytes())))
}
