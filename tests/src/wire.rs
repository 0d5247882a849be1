//! HTTP/1.1 over a bare connection, for what clients and servers that mean
//! well do not send.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PATIENCE;

/// One side of a connection.
pub struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// A request or an answer.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its head, without the empty line.
    pub head: String,
    /// Its body, without chunks.
    pub body: Vec<u8>,
    /// Whether the body is all there, as its framing says.
    pub whole: bool,
}

/// How the end of a body is told.
enum Framing {
    Length(usize),
    Chunked,
    Close,
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn to(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.expect("somebody listens"))
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket takes options");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes; what the other side does not take any more is lost.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.ok();
    }

    /// Says that nothing more will be sent.
    pub async fn close_sending(&mut self) {
        self.stream.shutdown().await.ok();
    }

    /// Closes so that the other side sees a reset.
    pub fn reset(self) {
        self.stream
            .set_zero_linger()
            .expect("a socket takes options");
    }

    /// The next message, whole or cut; `None` when the connection ends before one.
    pub async fn message(&mut self) -> Option<Message> {
        let head = self.head().await?;
        let (body, whole) = match Framing::of(&head) {
            Framing::Length(length) => self.exactly(length).await,
            Framing::Chunked => self.chunks().await,
            Framing::Close => (self.rest().await, true),
        };
        Some(Message { head, body, whole })
    }

    /// The head of the next message, without the empty line.
    pub async fn head(&mut self) -> Option<String> {
        let head = self.through(b"\r\n\r\n").await?;
        Some(String::from_utf8_lossy(&head).trim_end().to_owned())
    }

    /// Everything until the other side closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.unread)
    }

    /// Waits until the other side closes, having sent nothing more.
    ///
    /// # Panics
    /// When it sends something.
    pub async fn closed(&mut self) {
        let rest = self.rest().await;
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    async fn exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.unread.len() < length && self.more().await {}
        let whole = self.unread.len() >= length;
        let length = length.min(self.unread.len());
        (self.unread.drain(..length).collect(), whole)
    }

    async fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let size = self.through(b"\r\n").await;
            let size = size.and_then(|line| {
                let line = String::from_utf8(line).ok()?;
                usize::from_str_radix(line.trim().split(';').next()?, 16).ok()
            });
            let Some(size) = size else {
                return (body, false);
            };
            let (chunk, whole) = self.exactly(size + 2).await;
            body.extend_from_slice(&chunk[..size.min(chunk.len())]);
            if size == 0 || !whole {
                return (body, whole);
            }
        }
    }

    /// Everything up to and with a mark.
    async fn through(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            let at = self.unread.windows(mark.len()).position(|at| at == mark);
            if let Some(at) = at {
                return Some(self.unread.drain(..at + mark.len()).collect());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Reads some more; false when there is none.
    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        let read = read.expect("the other side sends or closes in time");
        // A reset ends it too.
        read.is_ok_and(|read| read > 0)
    }
}

impl Framing {
    fn of(head: &str) -> Self {
        let status = status(head);
        let is_request = status.is_none();
        let bodiless = status.is_some_and(|status| status < 200 || status == 204);
        if header(head, "transfer-encoding").is_some() {
            return Self::Chunked;
        }
        let length = header(head, "content-length").and_then(|length| length.parse().ok());
        match length {
            Some(length) => Self::Length(length),
            None if is_request || bodiless => Self::Length(0),
            None => Self::Close,
        }
    }
}

impl Message {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The status of an answer.
    ///
    /// # Panics
    /// When it is none.
    pub fn status(&self) -> u16 {
        status(&self.head).unwrap_or_else(|| panic!("no answer: {}", self.head))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}

fn status(head: &str) -> Option<u16> {
    let rest = head
        .strip_prefix("HTTP/1.1 ")
        .or(head.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?.parse().ok()
}
