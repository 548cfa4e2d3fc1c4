//! Servers under test, in child processes: the product, and a baseline with an additional handler that does nothing.

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

const TIMEOUT: Duration = Duration::from_secs(10);
/// Headers that a handler sets; middleware adds all others.
const HANDLER_HEADERS: [&str; 2] = ["content-type", "vary"];

/// A server in a child process.
pub struct ServerProcess {
    pub address: SocketAddr,
    pub process: Process,
}

/// A request to a server.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub path: &'a str,
    /// The header that authorizes the request.
    pub header: &'a str,
}

impl ServerProcess {
    /// Starts the product.
    pub fn start(installation: &Installation) -> Result<Self> {
        Self::start_with(installation, None)
    }

    /// Starts a baseline that answers a request at another path with the same response as `subject`, except for the
    /// date and the request id.
    pub fn start_baseline(
        installation: &Installation,
        subject: &Self,
        request: Request,
        path: &'static str,
    ) -> Result<Self> {
        let (head, body) = subject.send(request)?;
        ensure!(head.starts_with("HTTP/1.1 200 "), "the request to measure is refused:\n{head}");
        let is_set_by_handler = |line: &&str| HANDLER_HEADERS.iter().any(|name| line.starts_with(name));
        let head_and_body: Vec<_> =
            iter::once(path).chain(head.lines().filter(is_set_by_handler)).chain(["", &body]).collect();
        let file = installation.folder().join("baseline");
        fs::write(&file, head_and_body.join("\n"))?;
        let baseline = Self::start_with(installation, Some(format!("--baseline={}", file.display())))?;
        let (baseline_head, baseline_body) = baseline.send(Request { path, ..request })?;
        ensure!(body == baseline_body, "the baseline returns another body:\n{body}\n{baseline_body}");
        let stable_lines = |head: &str| {
            let is_stable = |line: &&str| !(line.starts_with("date:") || line.starts_with("x-request-id:"));
            let mut lines: Vec<_> = head.lines().filter(is_stable).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        ensure!(stable_lines(&head) == stable_lines(&baseline_head), "other headers:\n{head}\n\n{baseline_head}");
        Ok(baseline)
    }

    /// Returns the time from the start of the process to its first response.
    pub fn time_to_first_response(installation: &Installation, request: Request) -> Result<Duration> {
        let started = Instant::now();
        let server = Self::start(installation)?;
        let (head, _) = server.send(request)?;
        let taken = started.elapsed();
        ensure!(head.starts_with("HTTP/1.1 200 "), "the first request is refused:\n{head}");
        Ok(taken)
    }

    /// Sends a request. Returns the head, with header lines in lower case, and the body.
    pub fn send(&self, Request { path, header }: Request) -> Result<(String, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let address = self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nConnection: close\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let (head, body) = response.split_once("\r\n\r\n").context("no response")?;
        let (first, headers) = head.split_once("\r\n").context("a response without headers")?;
        Ok((format!("{first}\n{}", headers.to_lowercase()), body.to_owned()))
    }

    fn start_with(installation: &Installation, baseline: Option<String>) -> Result<Self> {
        let mut arguments = vec!["serve".to_owned()];
        arguments.extend(baseline);
        arguments.extend(installation.flags());
        let mut process = Process::start(&arguments)?;
        let address = process.line()?.parse()?;
        Ok(Self { address, process })
    }
}

/// The subcommand: serves until it is asked to stop, with a baseline if its file is given.
pub fn serve(installation: &Installation, baseline: Option<&Path>) -> Result<()> {
    let (config, actions) = installation.open()?;
    let server = Server::bind(config, actions)?;
    let address = server.address();
    let baseline = baseline.map(EmptyHandler::read).transpose()?;
    rt::System::new().block_on(async move {
        let running = server.start_with(move |routes| {
            if let Some(baseline) = &baseline {
                baseline.add_to(routes);
            }
        })?;
        let handle = running.handle();
        let running = rt::spawn(running);
        println!("{address}");
        web::block(process::wait_for_stop).await?;
        handle.stop(false).await;
        Ok(running.await??)
    })
}

/// A handler that returns a fixed response.
#[derive(Clone)]
struct EmptyHandler {
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl EmptyHandler {
    /// Reads the path, the headers, an empty line and the body from a file.
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        let (head, body) = text.split_once("\n\n").context("the file of the baseline has no body")?;
        let mut lines = head.lines();
        let path = lines.next().context("the file of the baseline has no path")?.to_owned();
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
