//! The benchmark of pages: fills a company with keys, starts the server, signs in, drives wrk against the list beside a
//! static page of the same bytes, and prints a table. It judges nothing by its exit code. `make bench-pages` runs it;
//! README.md, one folder up, says what it measures.

#[allow(dead_code, reason = "each benchmark uses a part of what they share")]
#[path = "../common/mod.rs"]
mod common;
mod filling;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use keydesk::web::paths::{API_KEYS, SIGN_IN};
use reqwest::blocking::Client;
use reqwest::header::SET_COOKIE;
use reqwest::redirect::Policy;

use common::Turns;
use common::installation::{Installation, Installations};
use common::serving::{self, Question, Serving};
use common::table::{Asked, Figure, Line};
use common::wrk::{Load, Presented};

/// Where the static page is.
const REFERENCE: &str = "/reference";
/// So many ask at once.
const CONNECTIONS: usize = 64;
const LEAST_RATIO: f64 = 0.1;
const LONGEST_P95_MICROS: f64 = 50_000.0;
const LARGEST_PAGE_KIBIBYTES: f64 = 100.0;

/// Measure how fast the list of API keys is drawn, beside a static page of the same bytes.
#[derive(Parser)]
#[command(name = "make bench-pages BENCH=…")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Cargo gives this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Args)]
struct Options {
    #[command(flatten)]
    turns: Turns,
    /// Store so many keys; the table is about ten thousand
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    keys: u64,
}

/// What this program does when it has started itself.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// Serve
    Serve {
        #[command(flatten)]
        installation: Installation,
        /// Be the reference that is in this file
        #[arg(long)]
        reference: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    let Arguments { options, role, .. } = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    match role {
        None => options.turns.measure(&filling::FILLING, |installations| measure(&options, &installations)),
        Some(Role::Serve { installation, reference }) => serving::serve(&installation, reference.as_deref()),
    }
}

fn measure(options: &Options, installations: &Installations) -> Result<Vec<Line>> {
    let installation = installations.with(options.keys)?;
    let subject = Serving::start(&installation)?;
    let header = sign_in(&subject)?;
    let question = Question { path: API_KEYS, header: &header };
    let reference = Serving::start_reference(&installation, &subject, question, REFERENCE)?;
    let list = Load {
        name: format!("list of {} keys", options.keys),
        server: &subject,
        path: API_KEYS,
        presented: Presented::Header(header.clone()),
        is_good: true,
        connections: CONNECTIONS,
        meanwhile: None,
    };
    let fixed = Load {
        name: "static page".to_owned(),
        server: &reference,
        path: REFERENCE,
        presented: list.presented.clone(),
        ..list
    };
    let loads = [list, fixed];
    let samples = options.turns.alternate(&loads)?;
    let [list, fixed] = [0, 1].map(|load: usize| (loads[load].name.as_str(), &samples[load][..]));
    let (_, page) = subject.ask(question)?;
    #[expect(clippy::cast_precision_loss, reason = "no page has so many bytes")]
    let kibibytes = page.len() as f64 / 1_024.0;
    Ok(vec![
        Line::compared(Figure::RequestsASecond, Asked::AtLeast(LEAST_RATIO), list, fixed),
        Line::at_most(Figure::P95, LONGEST_P95_MICROS, list),
        Line::compared(Figure::Processor, Asked::Nothing, list, fixed),
        Line::alone(
            &format!("{}: size", list.0),
            format!("{kibibytes:.1} KiB"),
            &format!("≤ {LARGEST_PAGE_KIBIBYTES} KiB"),
            Some(kibibytes <= LARGEST_PAGE_KIBIBYTES),
        ),
    ])
}

/// Signs in as a browser does; answers the header by which it is known from then on, and which says where it is.
fn sign_in(server: &Serving) -> Result<String> {
    let client = Client::builder().redirect(Policy::none()).build()?;
    let answer = client
        .post(format!("http://{}{SIGN_IN}", server.address))
        .header("Sec-Fetch-Site", "same-origin")
        .form(&[("email", filling::EMAIL), ("password", filling::PASSWORD)])
        .send()?;
    ensure!(answer.status() == 303, "signing in was answered with {}", answer.status());
    let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    let session = pairs.find(|pair| pair.starts_with("keydesk=")).context("signing in began no session")?;
    Ok(format!("Cookie: {session}; tz=Europe/Oslo"))
}
