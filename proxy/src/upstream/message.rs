//! A request as an endpoint gets it: the client's head without what was meant
//! for the gateway, and the body as it was judged.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, RETRY_AFTER, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName};
use pingora_core::protocols::Stream;
use pingora_http::ResponseHeader;
use tokio::io::AsyncWriteExt as _;

use super::Endpoint;

/// Up to this size a body travels in one write with its head.
const ONE_WRITE: usize = 64 << 10;

/// Room for the head of most requests.
const HEAD: usize = 1024;

/// Headers that are about one connection (RFC 9110, 7.6.1), and those of old.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Headers of a request that the gateway writes itself or has answered. Events
/// and token counts are read on the way, so answers are to come as they are.
const OURS: [HeaderName; 5] = [
    ACCEPT_ENCODING,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    HeaderName::from_static("x-headworks-decision"),
];

/// A request, ready to be written.
pub(super) struct Message {
    /// The head, and the body if it is small.
    first: Vec<u8>,
    rest: Bytes,
}

impl Message {
    /// A `POST` of a body.
    pub(super) fn post(endpoint: &Endpoint, path: &str, headers: &HeaderMap, body: Bytes) -> Self {
        let small = body.len() <= ONE_WRITE;
        let room = if small { HEAD + body.len() } else { HEAD };
        let mut first = Vec::with_capacity(room);
        write_head(&mut first, "POST", endpoint, path, headers);
        write_header(
            &mut first,
            &CONTENT_LENGTH,
            body.len().to_string().as_bytes(),
        );
        first.extend_from_slice(b"\r\n");
        if !small {
            return Self { first, rest: body };
        }
        first.extend_from_slice(&body);
        Self {
            first,
            rest: Bytes::new(),
        }
    }

    /// A `GET`.
    pub(super) fn get(endpoint: &Endpoint, path: &str, headers: &HeaderMap) -> Self {
        let mut first = Vec::with_capacity(HEAD);
        write_head(&mut first, "GET", endpoint, path, headers);
        first.extend_from_slice(b"\r\n");
        Self {
            first,
            rest: Bytes::new(),
        }
    }

    /// Writes it all.
    pub(super) async fn write(&self, stream: &mut Stream) -> std::io::Result<()> {
        stream.write_all(&self.first).await?;
        stream.write_all(&self.rest).await?;
        stream.flush().await
    }
}

/// Writes a request line (RFC 9112, 3) and the client's headers, but for those
/// that end at the gateway.
fn write_head(
    out: &mut Vec<u8>,
    method: &str,
    endpoint: &Endpoint,
    path: &str,
    headers: &HeaderMap,
) {
    let prefix = &endpoint.address.config().prefix;
    for part in [method, " ", prefix, path, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    write_header(out, &HOST, endpoint.host.as_bytes());
    let ending = hop_by_hop(headers);
    for (name, value) in headers {
        if !OURS.contains(name) && !ending.contains(name) {
            write_header(out, name, value.as_bytes());
        }
    }
}

fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Which headers of a message end at the gateway: those above, and those that
/// its `Connection` names.
pub(super) fn hop_by_hop(headers: &HeaderMap) -> Vec<HeaderName> {
    let fixed = headers.keys().filter(|name| HOP_BY_HOP.contains(name));
    fixed.cloned().chain(named(headers)).collect()
}

fn named(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let values = headers.get_all(CONNECTION).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // How long the message is and whom it is for is not the sender's to hide.
        .filter(|name| *name != CONTENT_LENGTH && *name != HOST)
}

/// An answer's head without what was about the connection to the endpoint.
/// How its names were spelled is not kept: it means nothing, and costs a second
/// table of headers.
pub(super) fn passed_on(head: &ResponseHeader) -> Box<ResponseHeader> {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = head.status;
    parts.headers = head.headers.clone();
    for name in hop_by_hop(&head.headers) {
        parts.headers.remove(name);
    }
    Box::new(parts.into())
}

pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn what_connection_names_ends_at_the_gateway() {
        let mut headers = headers(&[("connection", "x-a, content-length, close"), ("te", "x")]);
        headers.append(CONNECTION, "X-B".parse().unwrap());
        let mut names: Vec<_> = hop_by_hop(&headers)
            .iter()
            .map(ToString::to_string)
            .collect();
        names.sort();
        assert_eq!(names, ["close", "connection", "te", "x-a", "x-b"]);
    }

    #[test]
    fn a_request_goes_upstream_without_what_was_for_the_gateway() {
        let endpoint = Endpoint::new(&config::Endpoint {
            tls: false,
            host: "a".to_owned(),
            port: 81,
            prefix: "/p".to_owned(),
            weight: 1,
        });
        let headers = headers(&[
            ("host", "gateway"),
            ("content-length", "999"),
            ("expect", "100-continue"),
            ("accept-encoding", "gzip"),
            ("connection", "x-a"),
            ("x-a", "1"),
            ("x-b", "2"),
        ]);
        let message = Message::post(&endpoint, "/generate", &headers, Bytes::from_static(b"{}"));
        assert_eq!(
            String::from_utf8(message.first).unwrap(),
            "POST /p/generate HTTP/1.1\r\nhost: a:81\r\nx-b: 2\r\ncontent-length: 2\r\n\r\n{}"
        );
    }
}
