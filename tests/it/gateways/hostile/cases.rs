//! The table of hostile requests, and what a gateway may do with each.

use super::http2;
use crate::gateways::client::{PREFLIGHT, bearer, head};

/// A request that no gateway may pass on, also not after bytes that gateway and platform may read differently.
pub const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: platform.example\r\nX-Keydesk-Company: forged\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// The platform gets the request once, and its answer is passed on.
    Passes,
    /// The platform gets nothing.
    Refused,
    /// The gateway removes what is hostile, or refuses the request.
    CleanOrRefused,
    /// The gateway itself answers a preflight request, and allows the origin.
    Preflight,
    /// The gateway does not allow the origin, and the platform gets nothing.
    OtherOrigin,
    /// The platform opens a WebSocket.
    WebSocket,
}

pub struct Case {
    pub name: String,
    /// By this the request is found among those that arrive.
    pub target: String,
    pub request: Vec<u8>,
    /// Sent after the answer, on the same connection.
    pub then: Vec<u8>,
    pub expected: Expected,
}

pub struct Table {
    pub key: String,
    pub cases: Vec<Case>,
}

impl Table {
    /// All cases, with a valid key.
    pub fn with_key(key: &str) -> Self {
        let mut table = Self { key: key.to_owned(), cases: Vec::new() };
        table.add_names();
        table.add_upgrades();
        table.add_framing();
        table.add_http2();
        table.add_credentials();
        table.add_methods();
        table.add_preflights();
        table
    }

    /// Adds a request that consists of these bytes, and is found by the target.
    pub fn bytes(&mut self, name: &str, expected: Expected, request: impl FnOnce(&str) -> Vec<u8>) -> &mut Case {
        let target = format!("/case-{}", self.cases.len());
        let (name, request) = (name.to_owned(), request(&target));
        self.cases.push(Case { name, target, request, then: Vec::new(), expected });
        self.cases.last_mut().unwrap()
    }

    /// Adds a request without a key. What follows the head is sent unchanged.
    pub fn without_key(
        &mut self,
        name: &str,
        expected: Expected,
        method: &str,
        lines: &[&str],
        body: &str,
    ) -> &mut Case {
        self.bytes(name, expected, |target| [head(method, target, lines), body.to_owned()].concat().into())
    }

    /// Adds a request with the key. What follows the head is sent unchanged.
    pub fn with_body(&mut self, name: &str, expected: Expected, method: &str, lines: &[&str], body: &str) -> &mut Case {
        let key = bearer(&self.key);
        self.without_key(name, expected, method, &[&[key.as_str()], lines].concat(), body)
    }

    /// Adds a GET request with the key.
    pub fn get(&mut self, name: &str, expected: Expected, lines: &[&str]) -> &mut Case {
        self.with_body(name, expected, "GET", lines, "")
    }

    fn add_credentials(&mut self) {
        let key = self.key.clone();
        let (own, other) = (&*bearer(&key), "Authorization: Basic Og==");
        for (how, lines) in [
            ("none", &[][..]),
            ("empty", &["Authorization: Bearer"]),
            ("unknown", &["Authorization: Bearer goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g"]),
            ("of another scheme", &[&*format!("Authorization: Basic {key}")]),
            ("twice in one header", &[&*format!("Authorization: Bearer {key}, Bearer {key}")]),
            ("before another", &[own, other]),
            ("after another", &[other, own]),
            ("repeated", &[own, own]),
            ("for a proxy", &[&*format!("Proxy-Authorization: Bearer {key}")]),
            ("forwarded", &[&*format!("X-Forwarded-Authorization: Bearer {key}")]),
            ("under other names", &[&*format!("X-Authorization: Bearer {key}"), &*format!("Cookie: key={key}")]),
            ("that Keydesk gave", &["X-Keydesk-Company: c", "X-Keydesk-Key-Id: k"]),
        ] {
            self.without_key(&format!("credentials, {how}"), Expected::Refused, "GET", lines, "");
        }
        for path in ["/_keydesk/..", "/_preflight/..", "/", "/v1/forward-auth", "/%2e%2e", "http://127.0.0.1:9000"] {
            let target = |target: &str| head("GET", &format!("{path}{target}"), &[]).into();
            self.bytes(&format!("no key, {path}"), Expected::Refused, target);
        }
        let target = |target: &str| format!("{target}?access_token={key}&Authorization=Bearer%20{key}");
        self.bytes("key in the query", Expected::Refused, |own| head("GET", &target(own), &[]).into());
    }

    fn add_methods(&mut self) {
        let lines = ["Content-Length: 0", "Connection: close"];
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            self.with_body(&format!("method {method}"), Expected::Passes, method, &lines, "");
            self.without_key(&format!("method {method} without a key"), Expected::Refused, method, &lines, "");
        }
        for method in ["PROPFIND", "get", "G\0T", "PRI"] {
            self.with_body(&format!("method {method:?}"), Expected::CleanOrRefused, method, &lines[1..], "");
        }
        self.with_body("method TRACE", Expected::Refused, "TRACE", &[], "");
        let key = bearer(&self.key);
        for (method, target) in [("CONNECT", "127.0.0.1:9000"), ("CONNECT", "/"), ("PRI", "*")] {
            let request = |_: &str| head(method, target, &[&key]).into();
            self.bytes(&format!("{method} {target}"), Expected::Refused, request).then = SMUGGLED.into();
        }
    }

    fn add_preflights(&mut self) {
        let [origin, method, headers] = PREFLIGHT;
        let other = "Origin: https://app.example.com.attacker.example";
        let forged = [&PREFLIGHT[..], &["X-Keydesk-Company: forged"]].concat();
        self.without_key("preflight", Expected::Preflight, "OPTIONS", &PREFLIGHT, "");
        self.without_key("preflight, forged name", Expected::Preflight, "OPTIONS", &forged, "");
        self.without_key("preflight, other origin", Expected::OtherOrigin, "OPTIONS", &[other, method, headers], "");
        self.without_key("preflight without a method", Expected::Refused, "OPTIONS", &[origin, headers], "");
        self.without_key("preflight by GET", Expected::Refused, "GET", &PREFLIGHT, "");
        let case = self.without_key("request after a preflight", Expected::Preflight, "OPTIONS", &PREFLIGHT, "");
        case.then = SMUGGLED.into();
    }

    /// Requests in HTTP/2 from the start, which some gateways speak without TLS.
    fn add_http2(&mut self) {
        let key = format!("Bearer {}", self.key);
        let own = ("authorization", key.as_str());
        let forged = [own, ("x-keydesk-company", "forged"), ("x_keydesk.key-id", "forged"), ("x-real-ip", "forged")];
        let broken = [own, ("x-other", "1\r\nX-Keydesk-Company: forged")];
        let upgrade = [own, ("connection", "upgrade"), ("upgrade", "h2c")];
        for (how, headers) in
            [("", &[own][..]), (", forged names", &forged), (", line feed", &broken), (", upgrade", &upgrade)]
        {
            let request = |target: &str| http2::request("GET", target, headers);
            self.bytes(&format!("HTTP/2{how}"), Expected::CleanOrRefused, request);
        }
        self.bytes("HTTP/2 without a key", Expected::Refused, |target| http2::request("GET", target, &forged[1..]));
        for protocol in ["h2c", "connect-udp"] {
            let request = |target: &str| http2::request("CONNECT", target, &[(":protocol", protocol), own]);
            self.bytes(&format!("HTTP/2 CONNECT to {protocol}"), Expected::CleanOrRefused, request);
        }
    }
}
