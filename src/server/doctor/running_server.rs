//! Examines the running server by its readiness and its metrics.

use std::io;

use serde::Deserialize;

use super::finding::{Finding, Report};
use super::http::{self, Response};
use super::subject::Subject;
use crate::clock::Clock;
use crate::config::Config;

/// The alerts in deploy/prometheus have the same limit.
const MAX_CHECK_AGE_SECONDS: i64 = 24 * 60 * 60;
const MAX_PROXY_AGE_SECONDS: i64 = 24 * 60 * 60;

const CHECKED_AT: &str = "keydesk_audit_check_timestamp_seconds";
const DIFFERENCES: &str = "keydesk_audit_check_differences";
const UNLISTED_PROXY: &str = "keydesk_unlisted_proxy_timestamp_seconds";

/// The members of a body of `/readyz` that are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Readiness {
    warning: Option<String>,
    detail: Option<String>,
}

/// Asks the server whether it is ready, and for its metrics.
pub(super) fn examine(config: &Config, clock: &Clock) -> Report {
    let (check, proxies) = match metrics(config) {
        Ok(metrics) => {
            let now = clock.now().as_seconds();
            (background_check(&metrics, now), proxies(&metrics, now))
        }
        Err(reason) => (Finding::Unknown(reason.clone()), Finding::Unknown(reason)),
    };
    vec![(Subject::Server, readiness(config)), (Subject::BackgroundCheck, check), (Subject::Proxies, proxies)]
}

/// Asks the server whether it is ready.
pub(super) fn readiness(config: &Config) -> Finding {
    let address = http::reachable(config.listen);
    if address.port() == 0 {
        return Finding::Trouble("The port of the server is not known. Name its address with --listen.".to_owned());
    }
    match http::get(address, "/readyz", None) {
        Ok(response) => ready(&format!("http://{address}"), &response),
        Err(error) => Finding::Trouble(no_answer(&format!("http://{address}"), &error)),
    }
}

fn ready(server: &str, response: &Response) -> Finding {
    let said: Readiness = serde_json::from_str(&response.body).unwrap_or_default();
    match response.status {
        200 => said.warning.map_or(Finding::Good, Finding::Note),
        503 => {
            let detail = said.detail.unwrap_or_default();
            Finding::Trouble(format!("The server at {server} is not ready. {detail}").trim_end().to_owned())
        }
        status => Finding::Trouble(format!(
            "Another program answers at {server}, with status {status}. Name the address of the server with --listen."
        )),
    }
}

fn no_answer(server: &str, error: &io::Error) -> String {
    let cause = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it does not answer in time".to_owned(),
        _ => error.to_string(),
    };
    format!("No server answers at {server}: {cause}. Start it, or name its address with --listen.")
}

/// Returns the metrics of the server, or why there are none.
fn metrics(config: &Config) -> Result<String, String> {
    let response = http::get(http::reachable(config.listen), "/metrics", config.metrics_token.as_ref());
    match response {
        Ok(Response { status: 200, body }) => Ok(body),
        Ok(_) => Err("the server shows its metrics with the token of --metrics-token only".to_owned()),
        Err(_) => Err("no server answers".to_owned()),
    }
}

/// Returns the first value of a metric, and its labels.
fn metric<'a>(metrics: &'a str, name: &str) -> Option<(&'a str, i64)> {
    metrics.lines().find_map(|line| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        (labels.is_empty() || labels.starts_with('{')).then_some(())?;
        Some((labels, value.parse().ok()?))
    })
}

/// The check of tables and trails that the server makes every hour.
fn background_check(metrics: &str, now: i64) -> Finding {
    let value = |name| metric(metrics, name).map(|(_, value)| value);
    let (Some(checked_at), Some(differences)) = (value(CHECKED_AT), value(DIFFERENCES)) else {
        return Finding::Unknown("the server does not show it".to_owned());
    };
    if differences > 0 {
        return Finding::Trouble(format!(
            "Tables are not what the audit trails say: the server found {differences} differences. Run: keydesk audit verify"
        ));
    }
    let is_old = |at: i64| now - at > MAX_CHECK_AGE_SECONDS;
    let started_at = value("process_start_time_seconds").unwrap_or(now);
    match (checked_at > 0, is_old(checked_at), is_old(started_at)) {
        (_, true, true) => Finding::Trouble(
            "The server has not checked the audit trails for a day. Search its log for “trails and tables not checked”."
                .to_owned(),
        ),
        (false, _, false) => Finding::Note("The first check since the start is not complete yet.".to_owned()),
        _ => Finding::Good,
    }
}

/// A proxy whose clients the server cannot tell apart.
fn proxies(metrics: &str, now: i64) -> Finding {
    let Some((labels, seen_at)) = metric(metrics, UNLISTED_PROXY) else { return Finding::Good };
    if now - seen_at > MAX_PROXY_AGE_SECONDS {
        return Finding::Good;
    }
    let address = labels.trim_start_matches("{address=\"").trim_end_matches("\"}");
    Finding::Trouble(format!(
        "{address} sends X-Forwarded-For and is not a trusted proxy, so all its clients count as one. If it is your proxy, add --trusted-proxy {address}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const NOW: i64 = 100 * DAY;

    fn check(checked_at: i64, differences: u32, started_at: i64) -> Finding {
        let metrics = format!(
            "# TYPE {CHECKED_AT} gauge\n{CHECKED_AT} {checked_at}\n{DIFFERENCES} {differences}\nprocess_start_time_seconds {started_at}\n"
        );
        background_check(&metrics, NOW)
    }

    #[test]
    fn a_check_that_is_overdue_or_found_something_is_trouble() {
        assert_eq!(check(NOW - 3_600, 0, NOW - 9 * DAY), Finding::Good);
        assert!(matches!(check(0, 0, NOW - 60), Finding::Note(_)));
        for (checked_at, started_at) in [(0, NOW - 2 * DAY), (NOW - DAY - 1, NOW - 9 * DAY)] {
            let Finding::Trouble(sentence) = check(checked_at, 0, started_at) else { panic!("{checked_at}") };
            assert!(sentence.contains("not checked the audit trails for a day"), "{sentence}");
        }
        let Finding::Trouble(sentence) = check(NOW, 3, NOW - DAY) else { panic!() };
        assert!(sentence.contains("found 3 differences") && sentence.contains("audit verify"), "{sentence}");
        assert!(matches!(background_check("other 1\n", NOW), Finding::Unknown(_)));
    }

    #[test]
    fn an_unlisted_proxy_of_the_last_day_is_named() {
        let seen = |at: i64| proxies(&format!("{UNLISTED_PROXY}{{address=\"10.0.0.7\"}} {at}\n"), NOW);
        let Finding::Trouble(sentence) = seen(NOW - 60) else { panic!() };
        assert!(sentence.ends_with("add --trusted-proxy 10.0.0.7."), "{sentence}");
        assert_eq!(seen(NOW - 2 * DAY), Finding::Good);
        assert_eq!(proxies("", NOW), Finding::Good);
    }

    #[test]
    fn readiness_is_what_the_server_says() {
        let response = |status, body: &str| ready("http://x", &Response { status, body: body.to_owned() });
        assert_eq!(response(200, r#"{"status":"ready"}"#), Finding::Good);
        assert_eq!(response(200, r#"{"status":"ready","warning":"W."}"#), Finding::Note("W.".to_owned()));
        let trouble = |text: &str| Finding::Trouble(text.to_owned());
        assert_eq!(
            response(503, r#"{"detail":"It stops."}"#),
            trouble("The server at http://x is not ready. It stops.")
        );
        assert_eq!(response(503, "<html>"), trouble("The server at http://x is not ready."));
        assert!(matches!(response(404, ""), Finding::Trouble(text) if text.contains("status 404")));
    }
}
