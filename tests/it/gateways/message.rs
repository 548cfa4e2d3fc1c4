//! An HTTP/1.1 request or response as sent: header names keep their case, repeated headers stay separate.

use std::io::{BufRead, Read};

#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The request line or status line.
    pub start: String,
    /// Headers, then trailers, as a careless platform reads them.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Reads the next message. `None` if the connection was closed.
    pub fn read(from: &mut impl BufRead) -> Option<Self> {
        let start = line(from).filter(|start| !start.is_empty())?;
        let mut message = Self { start, headers: fields(from)?, body: Vec::new() };
        if message.only("transfer-encoding") == "chunked" {
            while let Some(size) = line(from).and_then(|size| u64::from_str_radix(&size, 16).ok()) {
                if size == 0 {
                    message.headers.extend(fields(from)?);
                    break;
                }
                from.take(size).read_to_end(&mut message.body).ok()?;
                line(from)?;
            }
        } else if let Ok(length) = message.only("content-length").parse() {
            from.take(length).read_to_end(&mut message.body).ok()?;
        }
        Some(message)
    }

    /// The values of a header. The case of the name does not matter.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let own = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header, or an empty text without one. Fails if the header is repeated.
    pub fn only(&self, name: &str) -> &str {
        let values = self.all(name);
        assert!(values.len() < 2, "{name} is sent {} times: {self:?}", values.len());
        values.first().copied().unwrap_or_default()
    }

    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
    }
}

/// Reads headers or trailers, up to the empty line.
fn fields(from: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while let Some((name, value)) = line(from)?.split_once(':') {
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
    Some(fields)
}

fn line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|length| *length > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
