//! Cases that try to change the protocol of a connection, or what gateway and platform take for one request.

use super::cases::{Expected, SMUGGLED, Table};
use super::http2;
use crate::gateways::client::WEBSOCKET;

impl Table {
    pub fn add_upgrades(&mut self) {
        let tunnel = http2::request("GET", "/smuggled", &[("x-keydesk-company", "forged")]);
        let settings = "HTTP2-Settings: AAMAAABkAAQAAP__";
        for (how, lines) in [
            ("h2c", &["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", settings][..]),
            ("H2C", &["Connection: upgrade", "Upgrade: H2C", settings]),
            ("h2c without Connection", &["Upgrade: h2c", settings]),
            ("h2c, websocket", &["Connection: upgrade", "Upgrade: h2c, websocket", settings]),
            ("websocket, h2c", &["Connection: upgrade", "Upgrade: websocket, h2c", settings]),
            ("websocket and h2c", &["Connection: upgrade", "Upgrade: websocket", "Upgrade: h2c", settings]),
            ("h2c and websocket", &["Connection: upgrade", "Upgrade: h2c", "Upgrade: websocket", settings]),
            ("h2c and h2c", &["Connection: upgrade", "Upgrade: h2c", "Upgrade: h2c", settings]),
            ("h2c with a body", &["Connection: Upgrade", "Upgrade: h2c", settings, "Content-Length: 0"]),
            ("another protocol", &["Connection: upgrade", "Upgrade: TLS/1.0"]),
        ] {
            let case = self.get(&format!("upgrade to {how}"), Expected::CleanOrRefused, lines);
            case.then.clone_from(&tunnel);
        }
        self.get("WebSocket", Expected::WebSocket, &WEBSOCKET);
        let other_case = ["connection: UPGRADE", "upgrade: WebSocket", WEBSOCKET[2], WEBSOCKET[3]];
        self.get("WebSocket in another case", Expected::WebSocket, &other_case);
        let forged = [&WEBSOCKET[..], &["X-Keydesk-Company: forged", "X_Keydesk.Key-Id: forged"]].concat();
        self.get("WebSocket with forged names", Expected::WebSocket, &forged);
        let named =
            ["Connection: Upgrade, X-Keydesk-Company, X-Keydesk-Key-Id", WEBSOCKET[1], WEBSOCKET[2], WEBSOCKET[3]];
        self.get("WebSocket with names in Connection", Expected::WebSocket, &named);
        let refused = [WEBSOCKET[0], WEBSOCKET[1], "Sec-WebSocket-Version: 99", WEBSOCKET[3]];
        self.get("WebSocket that the platform refuses", Expected::CleanOrRefused, &refused).then = SMUGGLED.into();
        self.without_key("WebSocket without a key", Expected::Refused, "GET", &WEBSOCKET, "");
    }

    pub fn add_framing(&mut self) {
        let longer = format!("Content-Length: {}", SMUGGLED.len() + 5);
        let (six, chunked) = ("Content-Length: 6", "Transfer-Encoding: chunked");
        let body = format!("0\r\n\r\n{SMUGGLED}");
        for (how, lines) in [
            ("length and chunks", &[six, chunked][..]),
            ("chunks and length", &[chunked, &longer]),
            ("chunks in capitals", &[six, "Transfer-Encoding: CHUNKED"]),
            ("chunks and identity", &[six, "Transfer-Encoding: chunked, identity"]),
            ("identity and chunks", &[six, "Transfer-Encoding: identity", chunked]),
            ("unknown coding", &[six, "Transfer-Encoding: xchunked"]),
            ("space before the colon", &[six, "Transfer-Encoding : chunked"]),
            ("tab after the colon", &[six, "Transfer-Encoding:\tchunked"]),
            ("vertical tab", &[six, "Transfer-Encoding: \u{b}chunked"]),
            ("continued line", &[six, "Transfer-Encoding:\r\n chunked"]),
            ("line feed", &[six, "X-Other: 1\nTransfer-Encoding: chunked"]),
            ("alias of coding", &["Content-Length: 5", "Transfer_Encoding: chunked"]),
            ("two lengths", &["Content-Length: 5", &longer]),
            ("one length twice", &["Content-Length: 5", "Content-Length: 5"]),
            ("list of lengths", &["Content-Length: 5, 5"]),
            ("length with a sign", &["Content-Length: +5"]),
            ("negative length", &["Content-Length: -5"]),
            ("hexadecimal length", &["Content-Length: 0x5"]),
            ("alias of length", &["Content-Length: 5", "Content_Length: 0", "Content.Length: 0"]),
            ("length in Connection", &["Content-Length: 5", "Connection: Content-Length"]),
        ] {
            self.with_body(&format!("framing, {how}"), Expected::CleanOrRefused, "POST", lines, &body);
        }
        for (how, chunks) in [
            ("extension", "5;X-Keydesk-Company=forged\r\nhello\r\n0\r\n\r\n"),
            ("trailer", "5\r\nhello\r\n0\r\nX-Keydesk-Company: forged\r\n\r\n"),
            ("line feeds", "5\nhello\n0\n\n"),
            ("signed size", "+5\r\nhello\r\n0\r\n\r\n"),
            ("huge size", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ] {
            let body = [chunks, SMUGGLED].concat();
            self.with_body(&format!("chunks, {how}"), Expected::CleanOrRefused, "POST", &[chunked], &body);
        }
        for (line, body) in [("Content-Length: 5", "hello"), (chunked, "5\r\nhello\r\n0\r\n\r\n")] {
            self.with_body(line, Expected::Passes, "POST", &[line], body);
            self.without_key(&format!("{line}, without a key"), Expected::Refused, "POST", &[line], body);
        }
        for version in ["HTTP/1.0", "HTTP/3.7", "HTTP/1.1 HTTP/1.1"] {
            let key = self.key.clone();
            let request =
                |target: &str| format!("GET {target} {version}\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n");
            self.bytes(version, Expected::CleanOrRefused, |target| request(target).into());
        }
    }
}
