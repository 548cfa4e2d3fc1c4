//! Benchmark of backups: verifies and changes keys with and without a `keydesk backup` at the same time, and prints a
//! table. Run it with `make bench-backup`; benches/README.md describes the rows.

#[path = "../verification/admins.rs"]
mod admins;
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../common/mod.rs"]
mod common;
mod running_backup;
/// The admin of the only company.
mod seed {
    pub fn email(_company: u64) -> String {
        "maria@brightwater.example".to_owned()
    }
}
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../trail/seed.rs"]
mod trail_seed;
#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../writes/writers.rs"]
mod writers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use keydesk::actions::{Actions, RequestContext};
use keydesk::domain::key::lifecycle::RevocationReason;

use admins::{admin, create};
use common::installation::Installation;
use common::server_process::{self, ServerProcess};
use common::table::{self, Figure, TableRow, Target};
use common::wrk::{Credential, Load, Sample};
use running_backup::RunningBackup;
use trail_seed::SeededTrail;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keydesk");
const MAX_VERIFICATION_P99: f64 = 2.0;
const MAX_WRITE_P99: f64 = 3.0;

/// Measure how much a backup disturbs verification and changes.
#[derive(Parser)]
#[command(name = "make bench-backup BENCH=…")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Args)]
struct Options {
    /// Store this many events, and a tenth as many keys; the targets are for a million
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..=10_000_000))]
    events: u64,
    /// Measure slices of this many seconds, for as long as a backup takes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Measure verification or changes only
    #[arg(long)]
    rows: Option<RowGroup>,
    /// Copy the database with this program instead of keydesk backup; its arguments are the database and a new file
    #[arg(long)]
    copy_with: Option<PathBuf>,
}

/// What a backup may disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RowGroup {
    Verification,
    Changes,
}

/// The roles of child processes.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// Serve
    Serve {
        #[command(flatten)]
        installation: Installation,
        /// Add the baseline handler in this file
        #[arg(long)]
        baseline: Option<PathBuf>,
    },
}

#[expect(clippy::disallowed_methods, reason = "a benchmark logs nothing from outside")]
fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    match arguments.role {
        None => measure(&arguments.options),
        Some(Role::Serve { installation, baseline }) => server_process::serve(&installation, baseline.as_deref()),
    }
}

fn measure(options: &Options) -> Result<()> {
    let (load, duration) = (common::machine::load()?, Duration::from_secs(options.seconds));
    let copy = Copy::of(&SeededTrail::folder(options.events)?)?;
    let bench = Bench::open(&copy.0, options.copy_with.as_deref())?;
    let mut rows = Vec::new();
    let is_wanted = |group| options.rows.is_none_or(|rows| rows == group);
    for connections in [64, 4].into_iter().filter(|_| is_wanted(RowGroup::Verification)) {
        rows.extend(bench.compare(
            &format!("verification, {connections} connections"),
            MAX_VERIFICATION_P99,
            || bench.verify(connections, duration),
        )?);
    }
    for writers in [1, 16].into_iter().filter(|_| is_wanted(RowGroup::Changes)) {
        rows.extend(bench.compare(&format!("creation and revocation, {writers} at once"), MAX_WRITE_P99, || {
            bench.write(writers, duration)
        })?);
    }
    let machine = common::machine::description()?;
    println!("\n{machine}; load average {load} before and {} after.", common::machine::load()?);
    println!("{} events; slices of {} s.\n", options.events, options.seconds);
    table::print(&rows);
    Ok(())
}

/// A copy of a seeded installation, which is removed afterwards.
struct Copy(PathBuf);

impl Copy {
    fn of(seeded: &Path) -> Result<Self> {
        let copy = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join("backup"));
        let _ = fs::remove_dir_all(&copy.0);
        fs::create_dir_all(&copy.0)?;
        for file in fs::read_dir(seeded)? {
            let file = file?;
            fs::copy(file.path(), copy.0.join(file.file_name()))?;
        }
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Bench {
    // Dropped first: the server ends before its installation is removed.
    server: ServerProcess,
    actions: Actions,
    admin: RequestContext,
    key: String,
    folder: PathBuf,
    copy_with: Option<PathBuf>,
}

impl Bench {
    fn open(folder: &Path, copy_with: Option<&Path>) -> Result<Self> {
        let installation = Installation::sqlite_in(folder);
        let (_, actions) = installation.open()?;
        let created = Command::new(PROGRAM)
            .arg("--data-dir")
            .arg(folder)
            .args(["key", "create", "--name", "Measured"])
            .output()?;
        ensure!(created.status.success(), "the key was not created: {}", String::from_utf8_lossy(&created.stderr));
        let key = String::from_utf8(created.stdout)?.trim().to_owned();
        let server = ServerProcess::start(&installation)?;
        let (admin, folder, copy_with) = (admin(&actions, 0)?, folder.to_owned(), copy_with.map(Path::to_owned));
        Ok(Self { server, actions, admin, key, folder, copy_with })
    }

    /// Measures slices while a backup runs, and as many without one. The target is the ratio of their 99th percentiles.
    fn compare(&self, name: &str, max_ratio: f64, measure: impl Fn() -> Result<Sample>) -> Result<Vec<TableRow>> {
        eprintln!("Measuring {name}");
        // Fills the caches.
        measure()?;
        let mut backup = match &self.copy_with {
            None => RunningBackup::start(PROGRAM, &self.folder)?,
            Some(program) => RunningBackup::start_other(program, &self.folder)?,
        };
        let mut during = Vec::new();
        while !backup.is_done()? {
            during.push(measure()?);
        }
        let seconds = backup.seconds();
        eprintln!("The backup took {seconds:.0} s");
        // Most of the last slice was after the backup.
        during.pop();
        ensure!(!during.is_empty(), "the backup took less than a slice: use fewer --seconds or more --events");
        let without = during.iter().map(|_| measure()).collect::<Result<Vec<_>>>()?;
        let (with_name, without_name) = (format!("{name}, during a backup"), "without".to_owned());
        let row = |figure, target| {
            TableRow::compared(figure, target, (&with_name, &during[..]), (&without_name, &without[..]))
        };
        Ok(vec![
            row(Figure::P99, Target::AtMost(max_ratio)),
            row(Figure::P50, Target::None),
            row(Figure::RequestsPerSecond, Target::None),
            TableRow::single(&format!("{name}: the backup"), format!("{seconds:.0} s"), "", None),
        ])
    }

    fn verify(&self, connections: usize, duration: Duration) -> Result<Sample> {
        let load = Load {
            name: "valid key".to_owned(),
            server: &self.server,
            path: "/v1/whoami",
            credential: Credential::Header(format!("Authorization: Bearer {}", self.key)),
            is_valid: true,
            connections,
            concurrent: None,
        };
        load.measure(duration)
    }

    fn write(&self, writers: usize, duration: Duration) -> Result<Sample> {
        writers::run(writers, duration, |_| {
            let key = create(&self.actions, &self.admin).context("a key was not created")?;
            self.actions.revoke_key(&self.admin, key, RevocationReason::NoLongerUsed, None)?;
            Ok(true)
        })
    }
}
