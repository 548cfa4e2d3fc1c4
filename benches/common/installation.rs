//! Installations whose databases are filled: filled once, kept beside the build's own files, and copied for each run.

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

/// How installations are filled.
#[derive(Clone, Copy)]
pub struct Filling {
    /// The benchmark that is filled for.
    pub name: &'static str,
    /// The sources of what does it: others would fill something else.
    pub sources: &'static [&'static str],
    /// Stores so many keys in an installation that holds nothing yet.
    pub fill: fn(&Installation, u64) -> Result<()>,
}

/// Where an installation lives, as the flags of every role say it.
#[derive(Clone, Debug, Args)]
pub struct Installation {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    database_url: String,
}

impl Installation {
    /// The flags that name it.
    pub fn flags(&self) -> [String; 2] {
        [format!("--folder={}", self.folder.display()), format!("--database-url={}", self.database_url)]
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens it as the program does at its start, with a free port to listen on.
    pub fn open(&self) -> Result<(Config, Actions)> {
        let folder = self.folder.to_str().context("the folder's path is no text")?;
        let command = Settings::augment_args(clap::Command::new("keydesk"));
        let given = ["keydesk", "--listen=127.0.0.1:0", "--data-dir", folder, "--database-url", &self.database_url];
        let config = Settings::from_arg_matches(&command.try_get_matches_from(given)?)?.check()?;
        let actions = server::open(&config, &Clock::machine())?;
        Ok((config, actions))
    }

    /// A connection to its database, behind the program's back.
    pub fn connect(&self) -> Result<Behind> {
        Ok(match Database::parse(&self.database_url)? {
            Database::Sqlite(path) => Behind::Sqlite(SqliteConnection::establish(&path.to_string_lossy())?),
            Database::Postgres(url) => Behind::Postgres(PgConnection::establish(&url)?),
        })
    }
}

/// A connection of the benchmark's own.
pub enum Behind {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Behind {
    /// Runs statements whose answers do not matter.
    pub fn run(&mut self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(statements)?,
            Self::Postgres(connection) => connection.batch_execute(statements)?,
        }
        Ok(())
    }
}

/// The filled installations of one kind of database, and the copies that this run works on: all in one folder, and on
/// PostgreSQL each with a database of the same name.
pub struct Installations {
    pub backend: Backend,
    /// The URL of the PostgreSQL server's own database.
    postgres: String,
    filling: Filling,
    root: PathBuf,
    /// Ends the names of what is kept: what other migrations or another filling made is of no use.
    made_by: String,
    _alone: File,
}

impl Installations {
    /// Waits until no other run uses them.
    pub fn open(backend: Backend, postgres: &str, filling: Filling) -> Result<Self> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(filling.name).join(backend.name().to_lowercase());
        fs::create_dir_all(&root)?;
        let alone = File::create(root.with_extension("lock"))?;
        alone.lock()?;
        let (postgres, made_by) = (postgres.to_owned(), made_by(filling.sources)?);
        let installations = Self { backend, postgres, filling, root, made_by, _alone: alone };
        installations.tidy()?;
        Ok(installations)
    }

    /// The database's name and version.
    pub fn database(&self) -> Result<String> {
        let version: Found = match self.backend {
            Backend::Sqlite => sql_query("SELECT sqlite_version() AS found")
                .get_result(&mut SqliteConnection::establish(":memory:")?)?,
            Backend::Postgres => sql_query("SELECT current_setting('server_version') AS found")
                .get_result(&mut PgConnection::establish(&self.postgres)?)?,
        };
        Ok(format!("{} {}", self.backend.name(), version.found))
    }

    /// A copy of an installation with so many keys, which is filled where that was not done before.
    pub fn with(&self, keys: u64) -> Result<Installation> {
        let filled = format!("filled_{keys}_{}", self.made_by);
        if !self.stands(&filled)? {
            println!("Storing {keys} keys in {}", self.backend.name());
            let filling = format!("filling_{keys}");
            for name in [&filling, &filled] {
                self.remove(name)?;
            }
            self.create(&filling, "")?;
            (self.filling.fill)(&self.place(&filling), keys)?;
            self.ask_postgres(&format!("ALTER DATABASE {filling} RENAME TO {filled}"))?;
            fs::rename(self.root.join(&filling), self.root.join(&filled))?;
        }
        let copy = format!("copy_{keys}");
        self.create(&copy, &format!("TEMPLATE {filled} STRATEGY FILE_COPY"))?;
        for file in fs::read_dir(self.root.join(&filled))? {
            let file = file?;
            fs::copy(file.path(), self.root.join(&copy).join(file.file_name()))?;
        }
        Ok(self.place(&copy))
    }

    fn place(&self, name: &str) -> Installation {
        let folder = self.root.join(name);
        let database_url = match self.backend {
            Backend::Sqlite => format!("sqlite://{}", folder.join("keydesk.db").display()),
            Backend::Postgres => format!("{}{name}", self.postgres.trim_end_matches(|letter| letter != '/')),
        };
        Installation { folder, database_url }
    }

    fn stands(&self, name: &str) -> Result<bool> {
        let database_stands = match self.backend {
            Backend::Sqlite => true,
            Backend::Postgres => {
                let query = "SELECT CAST(datname AS TEXT) AS found FROM pg_database";
                let databases: Vec<Found> = sql_query(query).load(&mut PgConnection::establish(&self.postgres)?)?;
                databases.iter().any(|database| database.found == name)
            }
        };
        Ok(database_stands && self.root.join(name).exists())
    }

    fn create(&self, name: &str, from: &str) -> Result<()> {
        self.ask_postgres(&format!("CREATE DATABASE {name} {from}"))?;
        Ok(fs::create_dir(self.root.join(name))?)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.ask_postgres(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        let folder = self.root.join(name);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    /// Removes copies, and what was filled in part or for another version.
    fn tidy(&self) -> Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !(name.starts_with("filled_") && name.ends_with(&self.made_by)) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn ask_postgres(&self, statement: &str) -> Result<()> {
        match self.backend {
            Backend::Sqlite => Ok(()),
            Backend::Postgres => Ok(PgConnection::establish(&self.postgres)?.batch_execute(statement)?),
        }
    }
}

impl Drop for Installations {
    fn drop(&mut self) {
        if let Err(error) = self.tidy() {
            eprintln!("Copies of databases were left in {}: {error}", self.root.display());
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

/// What a filled database is the work of: the migrations' names, and the sources that fill it.
fn made_by(sources: &[&str]) -> Result<String> {
    let mut made_by: Vec<_> = sources.iter().map(|source| (*source).to_owned()).collect();
    for migrations in ["migrations/sqlite", "migrations/postgres"] {
        for migration in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(migrations))? {
            made_by.push(migration?.file_name().to_string_lossy().into_owned());
        }
    }
    made_by.sort();
    Ok(format!("{:08x}", crc32fast::hash(made_by.concat().as_bytes())))
}
