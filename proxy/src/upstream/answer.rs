//! An endpoint's answer, read as it comes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use pingora_core::protocols::http::v1::client::HttpSession;
use pingora_core::{ImmutStr, RetryType};
use pingora_http::ResponseHeader;
use pingora_timeout::timeout;

use super::kept::Connection;
use super::message::Message;
use super::silence::Silence;
use super::terms::{Failed, Terms, plain};
use crate::error::Error;

/// Largest whole answer that is held, to be translated or measured.
pub(super) const HELD: usize = 16 << 20;

/// How long an endpoint may take to stop.
const LEAVING: Duration = Duration::from_millis(200);

/// An answer whose head has come. Dropped before its end it closes the
/// connection, and the endpoint stops working on it.
pub(super) struct Answer {
    // Boxed: it is large, and an answer is handed on a few times.
    http: Box<HttpSession>,
    /// Where the connection leads.
    address: SocketAddr,
    terms: Terms,
    /// When the first token must have come.
    first_token: Instant,
    silence: Silence,
}

impl Answer {
    /// Sends a message over a connection and waits for the head of the answer.
    pub(super) async fn to(
        message: &Message,
        connection: Connection,
        terms: &Terms,
    ) -> Result<Self, Failed> {
        let Connection {
            mut stream,
            address,
        } = connection;
        let now = Instant::now();
        let limit = terms.at_most(terms.first(), now);
        let first_token = now + limit;
        let conversation = async {
            let sent = message.write(&mut stream).await;
            sent.map_err(|error| Failed {
                error: terms.broke(error.to_string()),
                closed_early: true,
            })?;
            let mut http = Box::new(HttpSession::new(stream));
            read_head(&mut http, terms).await?;
            Ok(http)
        };
        match timeout(limit, conversation).await {
            Ok(http) => Ok(Self {
                http: http?,
                address,
                terms: terms.clone(),
                first_token,
                silence: Silence::default(),
            }),
            Err(_) => Err(Failed {
                error: terms.late("answer", terms.first()),
                closed_early: false,
            }),
        }
    }

    /// The head.
    pub(super) fn head(&self) -> &ResponseHeader {
        self.http
            .resp_header()
            .expect("an answer exists once its head was read")
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let idle = self.terms.timeouts.idle;
        let piece = tokio::select! {
            biased;
            piece = self.http.read_body_bytes() => piece,
            () = self.silence.lasts(idle, self.terms.deadline) => {
                return Err(self.terms.late("go on with its answer", idle));
            }
        };
        self.silence.ends();
        piece.map_err(|error| self.terms.broke(plain(&error)))
    }

    /// The next piece of a stream of which no token has come yet.
    pub(super) async fn next_in_time(&mut self) -> Result<Option<Bytes>, Error> {
        let now = Instant::now();
        let left = self.first_token.saturating_duration_since(now);
        let limit = self.terms.at_most(left, now);
        match timeout(limit, self.http.read_body_bytes()).await {
            Ok(piece) => piece.map_err(|error| self.terms.broke(plain(&error))),
            Err(_) => Err(self.terms.late("send its first token", self.terms.first())),
        }
    }

    /// Has the endpoint stop: what it sees is that its client leaves. What it had
    /// sent by then is still to come, and is handed to `left`.
    pub(super) async fn cancel(&mut self, mut left: impl FnMut(Bytes)) {
        let read_out = async {
            self.http.shutdown().await;
            while let Ok(Some(piece)) = self.http.read_body_bytes().await {
                left(piece);
            }
        };
        timeout(LEAVING, read_out).await.ok();
    }

    /// Who answers.
    pub(super) fn endpoint(&self) -> &Arc<str> {
        &self.terms.endpoint
    }

    /// It is no answer after all.
    pub(super) fn broke(&self, reason: impl Into<String>) -> Error {
        self.terms.broke(reason)
    }

    /// The whole body, up to `limit` bytes.
    pub(super) async fn body(&mut self, limit: usize) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next().await? {
            body.extend_from_slice(&piece);
            if body.len() > limit {
                let size = bytesize::ByteSize::b(limit as u64);
                return Err(self.terms.broke(format!("it is larger than {size}")));
            }
        }
        Ok(body.freeze())
    }

    /// The connection, if it can be used again.
    pub(super) async fn into_connection(mut self) -> Option<Connection> {
        self.http.respect_keepalive();
        Some(Connection {
            stream: self.http.reuse().await?,
            address: self.address,
        })
    }
}

/// Reads heads until the one that is not informational (1xx).
async fn read_head(http: &mut HttpSession, terms: &Terms) -> Result<(), Failed> {
    let mut is_first = true;
    loop {
        http.read_response().await.map_err(|error| Failed {
            closed_early: is_first && closed_early(&error),
            error: terms.broke(plain(&error)),
        })?;
        if http
            .get_status()
            .is_some_and(|status| !status.is_informational())
        {
            return Ok(());
        }
        is_first = false;
    }
}

/// Whether the connection closed before the first byte of an answer. That no
/// byte had come Pingora tells in words only.
fn closed_early(error: &pingora_core::Error) -> bool {
    let context = error.context.as_ref().map(ImmutStr::as_str);
    error.retry == RetryType::ReusedOnly
        && context.is_some_and(|context| context.ends_with("bytes already read: 0"))
}
