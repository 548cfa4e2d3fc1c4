//! The server that is measured: the product's own, and in the reference a handler beside it that does nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, iter};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpResponse, rt};
use anyhow::{Context, Result, ensure};
use keydesk::server::Server;

use super::installation::Installation;
use super::process::{self, Process};

const PATIENCE: Duration = Duration::from_secs(10);
/// Headers that a handler gives; all others come from the outermost layer.
const GIVEN_BY_HANDLERS: [&str; 2] = ["content-type", "vary"];

/// A server in a process of its own.
pub struct Serving {
    pub address: SocketAddr,
    pub process: Process,
}

/// What is asked of a server.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub path: &'a str,
    /// The header that lets the request in.
    pub header: &'a str,
}

impl Serving {
    /// Starts a server.
    pub fn start(installation: &Installation) -> Result<Self> {
        Self::start_with(installation, None)
    }

    /// Starts the reference for a server, which answers that question at another path: the two answers must be the same but
    /// for the date and the request's id.
    pub fn start_reference(
        installation: &Installation,
        subject: &Self,
        question: Question,
        path: &'static str,
    ) -> Result<Self> {
        let (head, body) = subject.ask(question)?;
        ensure!(head.starts_with("HTTP/1.1 200 "), "what is to be measured is refused:\n{head}");
        let given = |line: &&str| GIVEN_BY_HANDLERS.iter().any(|name| line.starts_with(name));
        let head_and_body: Vec<_> = iter::once(path).chain(head.lines().filter(given)).chain(["", &body]).collect();
        let file = installation.folder().join("reference");
        fs::write(&file, head_and_body.join("\n"))?;
        let reference = Self::start_with(installation, Some(format!("--reference={}", file.display())))?;
        let (reference_head, reference_body) = reference.ask(Question { path, ..question })?;
        ensure!(body == reference_body, "the reference answers another body:\n{body}\n{reference_body}");
        let lasting = |head: &str| {
            let passing = |line: &&str| !(line.starts_with("date:") || line.starts_with("x-request-id:"));
            let mut lines: Vec<_> = head.lines().filter(passing).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        ensure!(lasting(&head) == lasting(&reference_head), "other headers:\n{head}\n\n{reference_head}");
        Ok(reference)
    }

    /// How long a new server takes from the start of its process to its first answer.
    pub fn time_to_first_answer(installation: &Installation, question: Question) -> Result<Duration> {
        let started = Instant::now();
        let serving = Self::start(installation)?;
        let (head, _) = serving.ask(question)?;
        let taken = started.elapsed();
        ensure!(head.starts_with("HTTP/1.1 200 "), "the first answer is a refusal:\n{head}");
        Ok(taken)
    }

    /// One answer: its head in lower case but for the first line, and its body.
    pub fn ask(&self, Question { path, header }: Question) -> Result<(String, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let address = self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        let (first, headers) = head.split_once("\r\n").context("an answer without headers")?;
        Ok((format!("{first}\n{}", headers.to_lowercase()), body.to_owned()))
    }

    fn start_with(installation: &Installation, reference: Option<String>) -> Result<Self> {
        let mut arguments = vec!["serve".to_owned()];
        arguments.extend(reference);
        arguments.extend(installation.flags());
        let mut process = Process::start(&arguments)?;
        let address = process.line()?.parse()?;
        Ok(Self { address, process })
    }
}

/// The role: serves until the end is asked for; with the file of a reference, that one, too.
pub fn serve(installation: &Installation, reference: Option<&Path>) -> Result<()> {
    let (config, actions) = installation.open()?;
    let server = Server::bind(config, actions)?;
    let address = server.address();
    let reference = reference.map(EmptyHandler::read).transpose()?;
    rt::System::new().block_on(async move {
        let running = server.start_with(move |routes| {
            if let Some(reference) = &reference {
                reference.add_to(routes);
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

/// The handler that does nothing but answer.
#[derive(Clone)]
struct EmptyHandler {
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl EmptyHandler {
    /// Reads where it answers, the headers that it gives, and after an empty line what it answers.
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        let (head, body) = text.split_once("\n\n").context("the file of the reference has no body")?;
        let mut lines = head.lines();
        let path = lines.next().context("the file of the reference says no path")?.to_owned();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").context("a header without a value")?;
            Ok((name.parse()?, value.parse()?))
        });
        Ok(Self { path, headers: headers.collect::<Result<_>>()?, body: body.to_owned().into() })
    }

    fn add_to(&self, routes: &mut ServiceConfig) {
        let Self { path, headers, body } = self.clone();
        let handler = move || {
            let mut response = HttpResponse::Ok();
            for header in &headers {
                response.insert_header(header.clone());
            }
            std::future::ready(response.body(body.clone()))
        };
        routes.route(&path, web::get().to(handler));
    }
}
