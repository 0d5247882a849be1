//! A request as an endpoint gets it: the client's head without what was meant
//! for the gateway, and the body as it was judged.

use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::v1::client::http_req_header_to_wire;
use pingora_http::RequestHeader;
use tokio::io::AsyncWriteExt as _;

use super::Endpoint;

/// Up to this size a body travels in one write with its head.
const ONE_WRITE: usize = 64 << 10;

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

/// A request, ready to be written.
pub(super) struct Message {
    head: BytesMut,
    body: Bytes,
}

impl Message {
    /// A `POST` of the body, or a `GET` without one, with the client's headers.
    pub(super) fn new(
        mut head: RequestHeader,
        endpoint: &Endpoint,
        path: &str,
        body: Option<Bytes>,
    ) -> pingora_core::Result<Self> {
        let path = format!("{}{path}", endpoint.address.config().prefix);
        head.set_raw_path(path.as_bytes())?;
        head.set_version(Version::HTTP_11);
        for name in hop_by_hop(&head.headers) {
            head.remove_header(&name);
        }
        head.remove_header(&EXPECT);
        // Events and token counts are read on the way, so they come as they are.
        head.remove_header(&ACCEPT_ENCODING);
        head.insert_header(HOST, endpoint.host.clone())?;
        if let Some(body) = &body {
            head.set_method(Method::POST);
            head.insert_header(CONTENT_LENGTH, HeaderValue::from(body.len()))?;
        } else {
            head.set_method(Method::GET);
            head.remove_header(&CONTENT_LENGTH);
        }
        let head = http_req_header_to_wire(&head)
            .ok_or_else(|| pingora_core::Error::new(pingora_core::ErrorType::InvalidHTTPHeader))?;
        Ok(Self::join(head, body.unwrap_or_default()))
    }

    fn join(mut head: BytesMut, body: Bytes) -> Self {
        if body.len() > ONE_WRITE {
            return Self { head, body };
        }
        head.extend_from_slice(&body);
        Self {
            head,
            body: Bytes::new(),
        }
    }

    /// Writes it all.
    pub(super) async fn write(&self, stream: &mut Stream) -> std::io::Result<()> {
        stream.write_all(&self.head).await?;
        stream.write_all(&self.body).await?;
        stream.flush().await
    }
}

/// Which headers of a message end at the gateway: those above, and those that
/// its `Connection` names.
pub(super) fn hop_by_hop(headers: &HeaderMap) -> Vec<HeaderName> {
    let fixed = HOP_BY_HOP
        .into_iter()
        .filter(|name| headers.contains_key(name));
    fixed.chain(named(headers)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_connection_names_ends_at_the_gateway() {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONNECTION,
            HeaderValue::from_static("x-a, content-length, close"),
        );
        headers.append(CONNECTION, HeaderValue::from_static("X-B"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        let mut names: Vec<_> = hop_by_hop(&headers)
            .iter()
            .map(ToString::to_string)
            .collect();
        names.sort();
        assert_eq!(names, ["close", "connection", "te", "x-a", "x-b"]);
    }
}
