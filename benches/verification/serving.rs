//! The server that is measured: the product's own, and in the reference a handler beside it that does nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpResponse, rt};
use anyhow::{Context, Result, ensure};
use keydesk::server::Server;

use crate::installation::Installation;
use crate::process::{self, Process};

/// Where the product answers.
pub const WHOAMI: &str = "/v1/whoami";
/// Where the reference answers; the outermost layer takes it for a machine's request, too.
pub const REFERENCE: &str = "/v1/reference";

const PATIENCE: Duration = Duration::from_secs(10);

/// A server in a process of its own.
pub struct Serving {
    pub address: SocketAddr,
    pub process: Process,
}

impl Serving {
    /// Starts a server; with an `answer`, it is the reference that gives it.
    pub fn start(installation: &Installation, answer: Option<&str>) -> Result<Self> {
        let mut arguments = vec!["serve".to_owned()];
        arguments.extend(answer.map(|answer| format!("--answer={answer}")));
        arguments.extend(installation.flags());
        let mut process = Process::start(&arguments)?;
        let address = process.line()?.parse()?;
        Ok(Self { address, process })
    }

    /// Starts the reference for a server: the two answers must be the same but for the date and the request's id.
    pub fn start_reference(installation: &Installation, subject: &Self, key: &str) -> Result<Self> {
        let (head, body) = subject.ask(WHOAMI, key)?;
        let reference = Self::start(installation, Some(&body))?;
        let (reference_head, reference_body) = reference.ask(REFERENCE, key)?;
        ensure!(body == reference_body, "the reference answers another body:\n{body}\n{reference_body}");
        let lasting = |head: &str| {
            let passing = |line: &&str| !(line.starts_with("date:") || line.starts_with("x-request-id:"));
            let mut lines: Vec<_> = head.lines().filter(passing).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        ensure!(head.starts_with("HTTP/1.1 200 "), "the key that is to be measured is refused:\n{head}");
        ensure!(lasting(&head) == lasting(&reference_head), "the reference answers other headers:\n{reference_head}");
        Ok(reference)
    }

    /// How long a new server takes from the start of its process to its first answer.
    pub fn time_to_first_answer(installation: &Installation, key: &str) -> Result<Duration> {
        let started = Instant::now();
        let serving = Self::start(installation, None)?;
        let (head, _) = serving.ask(WHOAMI, key)?;
        let taken = started.elapsed();
        ensure!(head.starts_with("HTTP/1.1 200 "), "the first answer is a refusal:\n{head}");
        Ok(taken)
    }

    /// One answer: its head in lower case but for the first line, and its body.
    fn ask(&self, path: &str, key: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let address = self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        let (first, headers) = head.split_once("\r\n").context("an answer without headers")?;
        Ok((format!("{first}\n{}", headers.to_lowercase()), body.to_owned()))
    }
}

/// The role: serves until the end is asked for.
pub fn serve(installation: &Installation, answer: Option<String>) -> Result<()> {
    let (config, actions) = installation.open()?;
    let server = Server::bind(config, actions)?;
    let address = server.address();
    let reference = answer.map(Bytes::from);
    rt::System::new().block_on(async move {
        let running = server.start_with(move |routes| {
            if let Some(answer) = &reference {
                add_reference(routes, answer);
            }
        })?;
        let handle = running.handle();
        let running = rt::spawn(running);
        println!("{address}");
        web::block(process::wait_for_the_end).await?;
        handle.stop(false).await;
        Ok(running.await??)
    })
}

fn add_reference(routes: &mut ServiceConfig, answer: &Bytes) {
    let answer = answer.clone();
    let json = HeaderValue::from_static("application/json");
    let handler = move || {
        let response = HttpResponse::Ok().insert_header((CONTENT_TYPE, json.clone())).body(answer.clone());
        std::future::ready(response)
    };
    routes.route(REFERENCE, web::get().to(handler));
}
