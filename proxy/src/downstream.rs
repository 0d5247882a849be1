//! The client's side of an exchange: its request in, an answer out, and an eye
//! on whether it is still there.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use pingora_core::ErrorType;
use pingora_core::apps::{HttpPersistentSettings, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_timeout::timeout;

use crate::error::Error;

/// How long the rest of a body is read that nobody wants, so that the client
/// gets to see why; closing at once would make its system throw the answer away.
const LINGER: Duration = Duration::from_secs(2);

/// What is left of a request's head that was taken.
static LEFT: LazyLock<RequestHeader> = LazyLock::new(|| {
    RequestHeader::build_no_case(Method::GET, b"/", Some(0)).expect("`/` is a path")
});

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Between two requests.
    pub idle: Duration,
    /// To send a head, and between two reads of a body; and to take a piece of an answer.
    pub read: Duration,
}

/// One request of a client.
pub struct Downstream<'a> {
    session: &'a mut ServerSession,
    method: Method,
    version: Version,
    /// How long the client may take to take a piece of an answer.
    patience: Duration,
    /// Headers of whichever answer it gets.
    announced: Vec<(HeaderName, HeaderValue)>,
    was_cut: bool,
}

impl<'a> Downstream<'a> {
    /// Waits for a request; `None` when the client leaves or sends what is no HTTP.
    pub async fn accept(session: &'a mut ServerSession, patience: Patience) -> Option<Self> {
        let Patience { idle, read } = patience;
        let keepalive = Some(idle.as_secs().max(1));
        session.set_keepalive(keepalive);
        session.set_read_timeout(Some(read));
        session.set_total_drain_timeout(Some(LINGER));
        if let ServerSession::H1(session) = session {
            session.set_pipelining_enabled(true);
        }
        match head_in_time(session.read_request(), read).await? {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                // What came cannot be answered in a dialect: there is no path.
                tracing::debug!(%error, "a client sent what is no HTTP request");
                session.respond_error(400).await.ok();
                return None;
            }
        }
        if session.get_keepalive().is_some() {
            session.set_keepalive(keepalive);
        }
        let head = session.req_header();
        let (method, version) = (head.method.clone(), head.version);
        Some(Self {
            session,
            method,
            version,
            patience: read,
            announced: Vec::new(),
            was_cut: false,
        })
    }

    /// The request's head.
    pub fn head(&self) -> &RequestHeader {
        self.session.req_header()
    }

    /// Takes the request's head, for an exchange to own; what is needed of it
    /// from here on is known.
    pub fn take_head(&mut self) -> RequestHeader {
        let mut left = LEFT.clone();
        left.set_method(self.method.clone());
        std::mem::replace(self.session.req_header_mut(), left)
    }

    /// First value of a request header, if it is there and is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.head().headers.get(name)?.to_str().ok()
    }

    /// Sets headers of whichever answer the client gets.
    pub fn announce(&mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) {
        for (name, value) in headers {
            self.announced.retain(|(known, _)| *known != name);
            self.announced.push((name, value));
        }
    }

    /// Closes the connection after this answer.
    pub fn close_after(&mut self) {
        self.session.set_keepalive(None);
    }

    /// The request's body.
    ///
    /// # Errors
    /// When it is larger than `limit` bytes, does not come in time, or its
    /// length is told in two ways.
    pub async fn body(&mut self, limit: usize) -> Result<Bytes, Error> {
        self.refuse_two_lengths()?;
        let announced = self.header(&CONTENT_LENGTH).and_then(|n| n.parse().ok());
        if announced.is_some_and(|length: u64| length > limit as u64) {
            return Err(Error::TooLarge { limit });
        }
        self.invite_body().await?;
        let mut body = BytesMut::new();
        let Some(first) = self.piece().await? else {
            return Ok(Bytes::new());
        };
        if announced == u64::try_from(first.len()).ok() {
            // Read to its end, which is how the connection knows the next request.
            return match self.piece().await? {
                None => Ok(first),
                Some(_) => Err(Error::BadRequest("the body is longer than announced")),
            };
        }
        body.reserve(announced.map_or(first.len(), |n| usize::try_from(n).unwrap_or(limit)));
        body.extend_from_slice(&first);
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
            if body.len() > limit {
                return Err(Error::TooLarge { limit });
            }
        }
        Ok(body.freeze())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = self.session.read_request_body().await;
        piece.map_err(|error| match error.etype() {
            ErrorType::ReadTimedout => Error::SlowClient,
            ErrorType::Custom("InvalidChunk") => {
                Error::BadRequest("the body is not chunked as it should be")
            }
            _ => Error::ClientGone,
        })
    }

    /// Answers `Expect: 100-continue`, now that the body is wanted.
    async fn invite_body(&mut self) -> Result<(), Error> {
        let expects = self.header(&EXPECT);
        if !expects.is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            return Ok(());
        }
        let head = ResponseHeader::build(100, Some(0)).expect("100 is a status");
        self.write_head(Box::new(head)).await
    }

    /// Refuses a request with both `Content-Length` and `Transfer-Encoding`
    /// (RFC 9112, 6.1), by which requests are smuggled past proxies. Pingora
    /// drops the former, so it is looked for in the bytes.
    fn refuse_two_lengths(&mut self) -> Result<(), Error> {
        let ServerSession::H1(session) = &*self.session else {
            return Ok(());
        };
        if !session.req_header().headers.contains_key(TRANSFER_ENCODING) {
            return Ok(());
        }
        let raw = session.get_headers_raw_bytes();
        let mut lines = raw.split(|byte| *byte == b'\n');
        let name = CONTENT_LENGTH.as_str().as_bytes();
        let told = lines.any(|line| {
            line.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        if !told {
            return Ok(());
        }
        self.close_after();
        Err(Error::BadRequest(
            "the request has both Content-Length and Transfer-Encoding",
        ))
    }

    /// Does the work, unless the client leaves meanwhile.
    pub async fn unless_gone<T>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => done,
            _ = self.session.read_body_or_idle(true) => Err(Error::ClientGone),
        }
    }

    /// Whether the head of an answer went out.
    pub fn has_answered(&self) -> bool {
        let head = self.session.response_written();
        head.is_some_and(|head| !head.status.is_informational())
    }

    /// Whether the answer that went out is a stream of events.
    pub fn sends_events(&self) -> bool {
        let head = self.session.response_written();
        head.is_some_and(|head| is_event_stream(&head.headers))
    }

    /// Sends a whole answer.
    pub async fn answer(
        &mut self,
        status: u16,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<(), Error> {
        let mut head = ResponseHeader::build(status, Some(headers.len() + 3))
            .map_err(|_| Error::BadRequest("a status that HTTP does not have"))?;
        for (name, value) in headers {
            insert(&mut head, name.clone(), value.clone());
        }
        self.send(Box::new(head), body).await
    }

    /// Sends a whole answer with another's headers.
    pub async fn pass(
        &mut self,
        status: u16,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(), Error> {
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.status = StatusCode::from_u16(status)
            .map_err(|_| Error::BadRequest("a status that HTTP does not have"))?;
        parts.headers = headers;
        self.send(Box::new(parts.into()), body).await
    }

    /// Sends a whole answer whose head is there but for the body's length.
    pub async fn send(&mut self, mut head: Box<ResponseHeader>, body: Bytes) -> Result<(), Error> {
        insert(&mut head, CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.write_head(head).await?;
        if self.method != Method::HEAD {
            self.write(body).await?;
        }
        self.end().await
    }

    /// Begins an answer of unknown length; its pieces follow by `write`.
    pub async fn begin(&mut self, mut head: Box<ResponseHeader>) -> Result<(), Error> {
        if self.version == Version::HTTP_11 && !head.headers.contains_key(CONTENT_LENGTH) {
            let chunked = HeaderValue::from_static("chunked");
            insert(&mut head, TRANSFER_ENCODING, chunked);
        }
        self.write_head(head).await
    }

    /// Sends a piece of the body; nothing if it is empty, since an empty chunk
    /// is the end.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        let written = self.session.write_response_body(piece, false);
        taken(self.patience, written).await
    }

    /// Ends the body.
    pub async fn end(&mut self) -> Result<(), Error> {
        taken(self.patience, self.session.finish_body()).await
    }

    /// Breaks an answer off so that it cannot be taken for a whole one.
    pub async fn cut(&mut self) {
        self.was_cut = true;
        // A client that takes nothing does not take an end either.
        timeout(LINGER, self.session.shutdown()).await.ok();
    }

    /// Whether the answer was broken off. Nothing more may be written then.
    pub fn was_cut(&self) -> bool {
        self.was_cut
    }

    async fn write_head(&mut self, mut head: Box<ResponseHeader>) -> Result<(), Error> {
        if !head.status.is_informational() {
            for (name, value) in self.announced.drain(..) {
                insert(&mut head, name, value);
            }
        }
        let written = self.session.write_response_header(head);
        taken(self.patience, written).await
    }
}

/// Waits for a head; `None` when it has begun and the rest does not come in
/// time. Pingora bounds each read, by how long a connection may idle, and that
/// is enough for the first: most heads come in one, and need no timer of ours.
async fn head_in_time<T>(head: impl Future<Output = T>, limit: Duration) -> Option<T> {
    let mut head = pin!(head);
    let mut begun = false;
    let come = poll_fn(|context| match head.as_mut().poll(context) {
        Poll::Ready(head) => Poll::Ready(Some(head)),
        // Woken by what it has read, and that was not all.
        Poll::Pending if begun => Poll::Ready(None),
        Poll::Pending => {
            begun = true;
            Poll::Pending
        }
    });
    match come.await {
        Some(head) => Some(head),
        None => timeout(limit, head).await.ok(),
    }
}

/// Writes something, unless the client does not take it in time. Pingora
/// bounds bodies only, and neither heads nor ends.
async fn taken(
    patience: Duration,
    written: impl Future<Output = pingora_core::Result<()>>,
) -> Result<(), Error> {
    let mut written = pin!(written);
    // Nearly all is taken at once, and needs no clock.
    let taken = match futures::poll!(&mut written) {
        Poll::Ready(taken) => Ok(taken),
        Poll::Pending => timeout(patience, written).await,
    };
    match taken {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Error::ClientGone),
    }
}

/// Ends a request; the connection, if it can carry another.
pub async fn finish(mut session: ServerSession) -> Option<ReusedHttpStream> {
    if session.get_keepalive().is_none() && session.drain_request_body().await.is_err() {
        return None;
    }
    let settings = HttpPersistentSettings::for_session(&session);
    let stream = session.finish().await.ok()??;
    Some(ReusedHttpStream::from_reusable_stream(stream, settings))
}

/// Sets a header on an answer.
fn insert(head: &mut ResponseHeader, name: HeaderName, value: HeaderValue) {
    // It fails only when there are tens of thousands of headers.
    if let Err(error) = head.insert_header(name, value) {
        tracing::error!(%error, "an answer goes out without a header");
    }
}

/// The headers of a JSON answer.
pub fn json() -> [(HeaderName, HeaderValue); 1] {
    [(CONTENT_TYPE, HeaderValue::from_static("application/json"))]
}

/// Whether a message is a stream of events.
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
