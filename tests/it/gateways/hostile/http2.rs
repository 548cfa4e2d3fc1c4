//! The bytes of an HTTP/2 request, as a client sends them that knows the server or after an upgrade.

/// The connection preface with empty settings, and one request without a body.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let pseudo_headers =
        [(":method", method), (":scheme", "http"), (":authority", "platform.example"), (":path", target)];
    // Literal fields without indexing and without Huffman coding (RFC 7541 section 6.2.2).
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    let block: Vec<u8> = pseudo_headers.iter().chain(headers).flat_map(field).collect();
    let [_, length @ ..] = u32::try_from(block.len()).unwrap().to_be_bytes();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A HEADERS frame with END_HEADERS and END_STREAM, on a stream that follows an upgraded request.
    let frame = [1, 0x5, 0, 0, 0, 3];
    [&preface[..], &settings, &length, &frame, &block].concat()
}

/// Whether a server has answered a request, with HTTP/2 or with another protocol. HTTP/2 starts with the settings.
pub fn is_answered(mut received: &[u8]) -> bool {
    if received.starts_with(b"HTTP/") {
        return true;
    }
    while let [0, high, low, kind, rest @ ..] = received {
        // HEADERS, RST_STREAM and GOAWAY.
        if matches!(kind, 1 | 3 | 7) {
            return true;
        }
        let end = 5 + usize::from(u16::from_be_bytes([*high, *low]));
        received = rest.get(end..).unwrap_or_default();
    }
    false
}
