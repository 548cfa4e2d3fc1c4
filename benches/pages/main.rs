//! Benchmark of the list of API keys: seeds a company, starts servers, signs in, runs wrk against the list and a static
//! page of the same bytes, and prints a table. Run it with `make bench-pages`; benches/README.md describes the rows.

#[allow(dead_code, reason = "each benchmark uses some of the shared parts")]
#[path = "../common/mod.rs"]
mod common;
mod seed;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use keydesk::web::paths::{API_KEYS, SIGN_IN};
use reqwest::blocking::Client;
use reqwest::header::SET_COOKIE;
use reqwest::redirect::Policy;

use common::Schedule;
use common::installation::{Installation, Installations};
use common::server_process::{self, Request, ServerProcess};
use common::table::{Figure, TableRow, Target};
use common::wrk::{Credential, Load};

/// The path of the static page.
const BASELINE: &str = "/reference";
const CONNECTIONS: usize = 64;
const MIN_RATIO: f64 = 0.1;
const MAX_P95_MICROS: f64 = 50_000.0;
const MAX_PAGE_KIBIBYTES: f64 = 100.0;

/// Measure how fast the list of API keys is rendered, compared with a static page of the same bytes.
#[derive(Parser)]
#[command(name = "make bench-pages BENCH=…")]
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
    #[command(flatten)]
    schedule: Schedule,
    /// Store this many keys; the targets are for ten thousand
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    keys: u64,
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
    let Arguments { options, role, .. } = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    match role {
        None => options.schedule.measure(&seed::SEED, |installations| measure(&options, &installations)),
        Some(Role::Serve { installation, baseline }) => server_process::serve(&installation, baseline.as_deref()),
    }
}

fn measure(options: &Options, installations: &Installations) -> Result<Vec<TableRow>> {
    let installation = installations.with(options.keys)?;
    let subject = ServerProcess::start(&installation)?;
    let header = sign_in(&subject)?;
    let request = Request { path: API_KEYS, header: &header };
    let baseline = ServerProcess::start_baseline(&installation, &subject, request, BASELINE)?;
    let list = Load {
        name: format!("list of {} keys", options.keys),
        server: &subject,
        path: API_KEYS,
        credential: Credential::Header(header.clone()),
        is_valid: true,
        connections: CONNECTIONS,
        concurrent: None,
    };
    let static_page = Load {
        name: "static page".to_owned(),
        server: &baseline,
        path: BASELINE,
        credential: list.credential.clone(),
        ..list
    };
    let loads = [list, static_page];
    let samples = options.schedule.alternate(&loads)?;
    let [list, static_page] = [0, 1].map(|load: usize| (loads[load].name.as_str(), &samples[load][..]));
    let (_, page) = subject.send(request)?;
    #[expect(clippy::cast_precision_loss, reason = "no page is that large")]
    let kibibytes = page.len() as f64 / 1_024.0;
    Ok(vec![
        TableRow::compared(Figure::RequestsPerSecond, Target::AtLeast(MIN_RATIO), list, static_page),
        TableRow::at_most(Figure::P95, MAX_P95_MICROS, list),
        TableRow::compared(Figure::Processor, Target::None, list, static_page),
        TableRow::single(
            &format!("{}: size", list.0),
            format!("{kibibytes:.1} KiB"),
            &format!("≤ {MAX_PAGE_KIBIBYTES} KiB"),
            Some(kibibytes <= MAX_PAGE_KIBIBYTES),
        ),
    ])
}

/// Signs in. Returns the header with the session and the time zone.
fn sign_in(server: &ServerProcess) -> Result<String> {
    let client = Client::builder().redirect(Policy::none()).build()?;
    let response = client
        .post(format!("http://{}{SIGN_IN}", server.address))
        .header("Sec-Fetch-Site", "same-origin")
        .form(&[("email", seed::EMAIL), ("password", seed::PASSWORD)])
        .send()?;
    ensure!(response.status() == 303, "signing in returned {}", response.status());
    let cookies = response.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    let session = pairs
        .find(|pair| pair.starts_with("keydesk-") && !pair.contains("-device="))
        .context("signing in set no session cookie")?;
    Ok(format!("Cookie: {session}; tz=Europe/Oslo"))
}
