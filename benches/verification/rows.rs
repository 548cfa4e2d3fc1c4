//! The rows of the table: the loads of each, and their targets.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, iter, thread};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use keydesk::domain::key::api_key::KeyFormat;

use crate::Options;
use crate::common::Backend;
use crate::common::installation::{Installation, Installations};
use crate::common::server_process::{Request, ServerProcess};
use crate::common::table::{Figure, TableRow, Target, median};
use crate::common::wrk::{ConcurrentWork, Credential, Load, Sample};
use crate::held_lease::HeldLease;
use crate::key_changes::KeyChanges;
use crate::keys::{self, EXPIRED, EXPIRING, REVOKED, UNKNOWN};

const WHOAMI: &str = "/v1/whoami";
/// The path of the baseline handler; middleware treats it as a machine endpoint, too.
const BASELINE: &str = "/v1/reference";

/// The connections of a row, unless its name says otherwise.
const CONNECTIONS: usize = 64;
/// The number of keys that are presented to databases of different sizes; the smallest has no more.
const SHARED_KEY_COUNT: u64 = 100;
const MAX_MEMORY_MEBIBYTES: f64 = 256.0;
const ACTIVATION_TIMEOUT: Duration = Duration::from_secs(20);

/// Rows that are measured alternately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowGroup {
    /// One valid key, and keys that are refused
    Fixed,
    /// Many different keys
    Random,
    /// One valid key while others change
    Changes,
    /// One connection
    One,
    /// Eight connections
    Eight,
    /// Databases of different sizes
    Stored,
    /// One valid key while secrets are rotated: it is looked for under two peppers
    Peppers,
    /// The time from start to first response
    Start,
    /// One valid key under a lease, which needs PostgreSQL with a standby
    Lease,
}

/// The servers and installations of one backend.
pub struct Bench<'a> {
    // Dropped first: the servers end before their installations are removed.
    subject: ServerProcess,
    baseline: ServerProcess,
    options: &'a Options,
    installations: Installations,
    installation: Installation,
    format: KeyFormat,
}

impl<'a> Bench<'a> {
    /// Seeds the database if needed, and starts the server and the baseline.
    pub fn prepare(options: &'a Options, installations: Installations) -> Result<Self> {
        let installation = installations.with(options.keys)?;
        let format = installation.open()?.0.key_format;
        let valid = keys::key(&format, keys::in_the_middle(options.keys, EXPIRING));
        let subject = ServerProcess::start(&installation)?;
        let request = Request { path: WHOAMI, header: &bearer_header(valid.expose_secret()) };
        let baseline = ServerProcess::start_baseline(&installation, &subject, request, BASELINE)?;
        Ok(Self { subject, baseline, options, installations, installation, format })
    }

    /// Measures a group of rows.
    pub fn measure(&self, group: RowGroup) -> Result<Vec<TableRow>> {
        match group {
            RowGroup::Fixed => self.fixed(),
            RowGroup::Random => self.random(),
            RowGroup::Changes => self.changes(),
            RowGroup::One => self.few("one connection alone", 1, Figure::P50, self.target(Target::AtMost, 1.25, 2.5)),
            RowGroup::Eight => {
                self.few("eight connections", 8, Figure::RequestsPerSecond, self.target(Target::AtLeast, 0.8, 0.4))
            }
            RowGroup::Stored => self.stored(),
            RowGroup::Peppers => self.peppers(),
            RowGroup::Start => self.start(),
            RowGroup::Lease => self.lease(),
        }
    }

    fn fixed(&self) -> Result<Vec<TableRow>> {
        let refused = |name: &str, position| Load { is_valid: false, ..self.load(name, self.key_at(position)) };
        let loads = [
            self.empty_handler(self.key_at(EXPIRING)),
            self.load("valid key", self.key_at(EXPIRING)),
            refused("revoked key", REVOKED),
            refused("expired key", EXPIRED),
            Load {
                is_valid: false,
                ..self.load("unknown key", Credential::Header(bearer_header(&self.text(UNKNOWN))))
            },
        ];
        let samples = self.alternate(&loads)?;
        let row = |figure, target, one: usize, other: usize| {
            TableRow::compared(figure, target, (&loads[one].name, &samples[one]), (&loads[other].name, &samples[other]))
        };
        Ok(vec![
            row(Figure::RequestsPerSecond, self.target(Target::AtLeast, 0.8, 0.65), 1, 0),
            row(Figure::P99, self.target(Target::AtMost, 1.5, 2.0), 1, 0),
            row(Figure::Processor, Target::None, 1, 0),
            row(Figure::RequestsPerSecond, Target::AtLeast(0.95), 2, 1),
            row(Figure::RequestsPerSecond, Target::AtLeast(0.95), 3, 1),
            row(Figure::RequestsPerSecond, Target::AtLeast(0.8), 4, 1),
        ])
    }

    fn random(&self) -> Result<Vec<TableRow>> {
        let in_use = self.options.keys / 10;
        let credential = self.random_keys(&self.installation, self.options.keys, in_use)?;
        let name = format!("{} keys at random", thousands(in_use));
        let loads = [self.empty_handler(credential.clone()), self.load(&name, credential)];
        let samples = self.alternate(&loads)?;
        let row =
            |figure, target| TableRow::compared(figure, target, (&name, &samples[1]), (&loads[0].name, &samples[0]));
        let memory = self.subject.process.resident_mebibytes()?;
        let what = format!("{name}, {} stored: memory of the server", thousands(self.options.keys));
        Ok(vec![
            row(Figure::RequestsPerSecond, self.target(Target::AtLeast, 0.75, 0.5)),
            row(Figure::P99, Target::None),
            row(Figure::Processor, Target::None),
            TableRow::single(&what, format!("{memory:.0} MiB"), "≤ 256 MiB", Some(memory <= MAX_MEMORY_MEBIBYTES)),
        ])
    }

    fn changes(&self) -> Result<Vec<TableRow>> {
        let valid = self.key_at(EXPIRING);
        let change = || {
            let changes = KeyChanges::start(&self.installation)?;
            Ok(Box::new(|| changes.end()) as ConcurrentWork)
        };
        let loads = [
            self.load("valid key undisturbed", valid.clone()),
            Load { concurrent: Some(&change), ..self.load("valid key", valid) },
        ];
        let samples = self.alternate(&loads)?;
        let mut changed: Vec<_> = samples[1].iter().filter_map(|sample| sample.concurrent_per_second).collect();
        let name = format!("valid key while {:.0} keys a second are created and revoked", median(&mut changed));
        let row =
            |figure, target| TableRow::compared(figure, target, (&name, &samples[1]), (&loads[0].name, &samples[0]));
        Ok(vec![row(Figure::RequestsPerSecond, Target::AtLeast(0.85)), row(Figure::P99, Target::None)])
    }

    fn few(&self, name: &str, connections: usize, figure: Figure, target: Target) -> Result<Vec<TableRow>> {
        let valid = self.key_at(EXPIRING);
        let loads = [
            Load { connections, ..self.empty_handler(valid.clone()) },
            Load { connections, ..self.load(&format!("valid key, {name}"), valid) },
        ];
        let samples = self.alternate(&loads)?;
        Ok(vec![TableRow::compared(figure, target, (&loads[1].name, &samples[1]), (&loads[0].name, &samples[0]))])
    }

    fn stored(&self) -> Result<Vec<TableRow>> {
        let sizes = [self.options.keys / 1_000, self.options.keys / 10, self.options.keys];
        let mut servers = Vec::new();
        for keys in &sizes[..2] {
            let installation = self.installations.with(*keys)?;
            let server = ServerProcess::start(&installation)?;
            servers.push((server, self.random_keys(&installation, *keys, SHARED_KEY_COUNT)?));
        }
        let random_keys = self.random_keys(&self.installation, self.options.keys, SHARED_KEY_COUNT)?;
        let servers = servers
            .iter()
            .map(|(server, random_keys)| (server, random_keys))
            .chain(iter::once((&self.subject, &random_keys)));
        let loads: Vec<_> = sizes
            .iter()
            .zip(servers)
            .map(|(keys, (server, random_keys))| Load {
                server,
                ..self.load(&format!("{} keys stored", thousands(*keys)), random_keys.clone())
            })
            .collect();
        let samples = self.alternate(&loads)?;
        let within = Target::Within(0.05);
        let row = |one: usize, other: usize| {
            let (name, other_name) = (&loads[one].name, &loads[other].name);
            TableRow::compared(Figure::RequestsPerSecond, within, (name, &samples[one]), (other_name, &samples[other]))
        };
        Ok(vec![row(1, 0), row(2, 0), row(2, 1)])
    }

    fn peppers(&self) -> Result<Vec<TableRow>> {
        let stored = self.options.keys / 10;
        let installation = self.installations.with(stored)?;
        let rotated = installation.open()?.1.rotate_secrets()?;
        let server = ServerProcess::start(&installation)?;
        let deadline = Instant::now() + ACTIVATION_TIMEOUT;
        while installation.open()?.1.secrets.active().id() != rotated {
            ensure!(Instant::now() < deadline, "the new set of secrets does not become active");
            thread::sleep(Duration::from_millis(100));
        }
        let valid = self.text(keys::in_the_middle(stored, EXPIRING));
        let loads = [
            self.load("valid key, one pepper", self.key_at(EXPIRING)),
            Load { server: &server, ..self.load("valid key, two peppers", Credential::Header(bearer_header(&valid))) },
        ];
        let samples = self.alternate(&loads)?;
        let row = |figure, target| {
            TableRow::compared(figure, target, (&loads[1].name, &samples[1]), (&loads[0].name, &samples[0]))
        };
        Ok(vec![row(Figure::RequestsPerSecond, Target::AtLeast(0.95)), row(Figure::P99, Target::None)])
    }

    fn start(&self) -> Result<Vec<TableRow>> {
        let header = bearer_header(&self.text(keys::in_the_middle(self.options.keys, EXPIRING)));
        let request = Request { path: WHOAMI, header: &header };
        let mut times = (0..self.options.schedule.rounds)
            .map(|_| Ok(ServerProcess::time_to_first_response(&self.installation, request)?.as_secs_f64() * 1_000.0))
            .collect::<Result<Vec<_>>>()?;
        let measured = format!("{:.0} ms", median(&mut times));
        Ok(vec![TableRow::single("from the start of the process to its first answer", measured, "", None)])
    }

    fn lease(&self) -> Result<Vec<TableRow>> {
        let valid = self.key_at(EXPIRING);
        HeldLease::take(&self.installation, &self.subject)?.release()?;
        let hold = || {
            let lease = HeldLease::take(&self.installation, &self.subject)?;
            Ok(Box::new(move || lease.release()) as ConcurrentWork)
        };
        let loads = [
            self.load("valid key without a lease", valid.clone()),
            Load { concurrent: Some(&hold), ..self.load("valid key under a lease", valid) },
        ];
        let samples = self.alternate(&loads)?;
        let row = |figure| {
            TableRow::compared(figure, Target::None, (&loads[1].name, &samples[1]), (&loads[0].name, &samples[0]))
        };
        Ok(vec![row(Figure::RequestsPerSecond), row(Figure::P99), row(Figure::Processor)])
    }

    fn load(&self, name: &str, credential: Credential) -> Load<'_> {
        Load {
            name: name.to_owned(),
            server: &self.subject,
            path: WHOAMI,
            credential,
            is_valid: true,
            connections: CONNECTIONS,
            concurrent: None,
        }
    }

    fn empty_handler(&self, credential: Credential) -> Load<'_> {
        Load { server: &self.baseline, path: BASELINE, ..self.load("empty handler", credential) }
    }

    fn key_at(&self, position: u64) -> Credential {
        Credential::Header(bearer_header(&self.text(keys::in_the_middle(self.options.keys, position))))
    }

    fn text(&self, number: u64) -> String {
        keys::key(&self.format, number).expose_secret().to_owned()
    }

    /// Writes a file of active keys, to draw from.
    fn random_keys(&self, installation: &Installation, stored: u64, count: u64) -> Result<Credential> {
        let texts: Vec<_> = keys::in_use(stored, count).map(|number| self.text(number)).collect();
        let file: PathBuf = installation.folder().join(format!("{count}_keys"));
        fs::write(&file, texts.join("\n"))?;
        Ok(Credential::RandomKeys(file))
    }

    fn target(&self, kind: fn(f64) -> Target, sqlite: f64, postgres: f64) -> Target {
        kind(match self.installations.backend {
            Backend::Sqlite => sqlite,
            Backend::Postgres => postgres,
        })
    }

    fn alternate(&self, loads: &[Load]) -> Result<Vec<Vec<Sample>>> {
        self.options.schedule.alternate(loads)
    }
}

/// Returns the header that presents a key.
fn bearer_header(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
