//! `GET /metrics`: the metrics for Prometheus, for holders of the metrics token, and for loopback clients where no proxy
//! is listed.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::http::header::ACCEPT;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::bearer::BearerKey;
use super::problem::{Document, Problem};
use crate::http::client_address;

/// The metrics, and the token that opens them.
#[derive(Clone, Debug)]
pub struct MetricsEndpoint {
    pub registry: Arc<Registry>,
    pub token: Option<SecretString>,
}

impl MetricsEndpoint {
    fn is_allowed(&self, request: &HttpRequest, presented: &BearerKey) -> bool {
        let is_token =
            |token: &SecretString| token.expose_secret().as_bytes().ct_eq(presented.expose().as_bytes()).into();
        client_address::is_from_this_machine(request) || self.token.as_ref().is_some_and(is_token)
    }
}

/// Return the metrics: to clients that send the metrics token and, if the server lists no trusted proxy, to clients on
/// the same machine.
///
/// The format is Prometheus text, or OpenMetrics text if the client accepts that.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Server",
    security((), ("metrics_token" = [])),
    responses(
        (status = 200, description = "The metrics", content((String = "text/plain"), (String = "application/openmetrics-text"))),
        (status = 404, description = "The client may not see the metrics", body = Document, content_type = "application/problem+json")
    )
)]
pub(super) async fn get(
    request: HttpRequest,
    presented: BearerKey,
    endpoint: Data<MetricsEndpoint>,
) -> Result<HttpResponse, Problem> {
    if !endpoint.is_allowed(&request, &presented) {
        return Err(Problem::NotFound);
    }
    let mut text = String::new();
    encode(&mut text, &endpoint.registry).map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(if accepts_openmetrics(&request) {
        HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
    } else {
        HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(prometheus_text(&text))
    })
}

fn accepts_openmetrics(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_openmetrics = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
        is_openmetrics && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Converts OpenMetrics text to Prometheus text 0.0.4, which names a counter and an info metric in full and knows neither
/// units nor an end mark.
fn prometheus_text(openmetrics: &str) -> String {
    let of_type = |kind: &str| -> HashSet<&str> {
        let types = openmetrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        types.filter(|(_, own)| *own == kind).map(|(name, _)| name).collect()
    };
    let (counters, infos) = (of_type("counter"), of_type("info"));
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let described = ["# HELP ", "# TYPE "]
            .into_iter()
            .find_map(|prefix| Some((prefix, line.strip_prefix(prefix)?.split_once(' ')?)));
        match described {
            Some((prefix, (name, rest))) if counters.contains(name) => {
                text.extend([prefix, name, "_total ", rest]);
            }
            Some((prefix, (name, rest))) if infos.contains(name) => {
                text.extend([prefix, name, "_info ", if rest == "info" { "gauge" } else { rest }]);
            }
            Some((prefix, (name, "unknown"))) => text.extend([prefix, name, " untyped"]),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn prometheus_text_names_counters_in_full() {
        let openmetrics = "# HELP keys Keys of unknown info.\n# TYPE keys counter\nkeys_total{a=\"b\"} 1\n\
            # HELP age_seconds Age.\n# TYPE age_seconds gauge\n# UNIT age_seconds seconds\nage_seconds 2\n\
            # HELP build Build.\n# TYPE build info\nbuild_info{v=\"1\"} 1\n\
            # HELP x X.\n# TYPE x unknown\nx 1\n# EOF\n";
        let expected = "# HELP keys_total Keys of unknown info.\n# TYPE keys_total counter\nkeys_total{a=\"b\"} 1\n\
            # HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 2\n\
            # HELP build_info Build.\n# TYPE build_info gauge\nbuild_info{v=\"1\"} 1\n\
            # HELP x X.\n# TYPE x untyped\nx 1\n";
        assert_eq!(prometheus_text(openmetrics), expected);
    }

    #[test]
    fn openmetrics_is_sent_to_clients_that_accept_it() {
        let accepts =
            |value: &str| accepts_openmetrics(&TestRequest::default().insert_header((ACCEPT, value)).to_http_request());
        assert!(accepts("application/openmetrics-text"));
        assert!(accepts("text/plain;q=0.2, Application/OpenMetrics-Text; version=1.0.0;q=0.5"));
        for other in ["", "*/*", "text/plain", "application/openmetrics-text;q=0", "application/openmetrics-text2"] {
            assert!(!accepts(other), "{other}");
        }
    }
}
