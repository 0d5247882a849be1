//! One HTTP/1.1 connection, as little as a client or a server can do with.
//!
//! Not a library's, since the load and the model server share one core and
//! must together cost less than the leanest proxy, or they set the pace.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BytesMut};
use httparse::Header;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most header fields of a head.
pub(crate) const MAX_FIELDS: usize = 64;

/// Reads a head: its length and what it says, once it is whole.
type Parse<T> = fn(&[u8]) -> Result<Option<(usize, T)>>;

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length in bytes.
    Length(usize),
    /// By a last chunk.
    Chunked,
}

impl Framing {
    /// What the fields of a head say. A body up to the connection's end is not
    /// told from a broken one, so it counts as no framing.
    pub(crate) fn of(fields: &[Header<'_>]) -> Result<Option<Self>> {
        if let Some(coding) = field(fields, "transfer-encoding") {
            ensure!(
                coding.eq_ignore_ascii_case(b"chunked"),
                "unknown transfer coding"
            );
            return Ok(Some(Self::Chunked));
        }
        field(fields, "content-length").map(length).transpose()
    }
}

fn length(value: &[u8]) -> Result<Framing> {
    let text = std::str::from_utf8(value)?;
    Ok(Framing::Length(
        text.parse()
            .with_context(|| format!("bad content-length `{text}`"))?,
    ))
}

/// The value of a field, if there is one.
pub(crate) fn field<'a>(fields: &[Header<'a>], name: &str) -> Option<&'a [u8]> {
    fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

/// A connection and what was read ahead on it.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    ahead: BytesMut,
}

impl Wire {
    /// Takes an open connection; what is sent leaves at once.
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            ahead: BytesMut::with_capacity(4 * 1024),
        })
    }

    /// Opens a connection.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await;
        Self::new(stream.with_context(|| format!("cannot connect to {address}"))?)
    }

    /// Sends all of `bytes`.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads a head; `None` if the peer closed before its first byte.
    pub(crate) async fn head<T>(&mut self, parse: Parse<T>) -> Result<Option<T>> {
        loop {
            if let Some((length, head)) = parse(&self.ahead)? {
                self.ahead.advance(length);
                return Ok(Some(head));
            }
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                ensure!(self.ahead.is_empty(), "connection closed within a head");
                return Ok(None);
            }
        }
    }

    /// Reads a body to its end, handing over each piece as it comes.
    pub(crate) async fn body(
        &mut self,
        framing: Framing,
        mut each: impl FnMut(&[u8]),
    ) -> Result<()> {
        match framing {
            Framing::Length(length) => self.sized_body(length, &mut each).await,
            Framing::Chunked => self.chunked_body(&mut each).await,
        }
    }

    async fn sized_body(&mut self, mut left: usize, each: &mut impl FnMut(&[u8])) -> Result<()> {
        while left > 0 {
            self.fill(1).await?;
            let piece = left.min(self.ahead.len());
            each(&self.ahead[..piece]);
            self.ahead.advance(piece);
            left -= piece;
        }
        Ok(())
    }

    async fn chunked_body(&mut self, each: &mut impl FnMut(&[u8])) -> Result<()> {
        while self.chunk(each).await? {}
        Ok(())
    }

    /// Reads one chunk; `false` if it was the last, which is empty.
    pub(crate) async fn chunk(&mut self, each: &mut impl FnMut(&[u8])) -> Result<bool> {
        let size = self.chunk_size().await?;
        self.fill(size + 2).await?;
        ensure!(
            &self.ahead[size..size + 2] == b"\r\n",
            "a chunk of {size} bytes is not ended"
        );
        if size > 0 {
            each(&self.ahead[..size]);
        }
        self.ahead.advance(size + 2);
        Ok(size > 0)
    }

    async fn chunk_size(&mut self) -> Result<usize> {
        loop {
            match httparse::parse_chunk_size(&self.ahead) {
                Ok(httparse::Status::Complete((line, size))) => {
                    self.ahead.advance(line);
                    return Ok(usize::try_from(size)?);
                }
                Ok(httparse::Status::Partial) => self.fill(self.ahead.len() + 1).await?,
                Err(_) => bail!("bad chunk size"),
            }
        }
    }

    /// Reads until `least` bytes are there.
    async fn fill(&mut self, least: usize) -> Result<()> {
        while self.ahead.len() < least {
            let read = self.stream.read_buf(&mut self.ahead).await?;
            ensure!(read > 0, "connection closed within a body");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a body comes to when the peer sends `sent` and closes.
    async fn read(framing: Framing, sent: &str) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut wire = Wire::connect(listener.local_addr()?).await?;
        let (mut peer, _) = listener.accept().await?;
        peer.write_all(sent.as_bytes()).await?;
        drop(peer);
        let mut body = Vec::new();
        wire.body(framing, |piece| body.extend_from_slice(piece))
            .await?;
        Ok(String::from_utf8(body)?)
    }

    #[tokio::test]
    async fn a_body_ends_where_its_framing_says() {
        let sized = read(Framing::Length(3), "abcdef").await.unwrap();
        assert_eq!(sized, "abc");
        let chunked = read(Framing::Chunked, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\nrest")
            .await
            .unwrap();
        assert_eq!(chunked, "abc");
    }

    #[tokio::test]
    async fn a_body_cut_short_is_refused() {
        for (framing, sent) in [
            (Framing::Length(9), "abc"),
            (Framing::Chunked, "2\r\nab\r\n"),
            (Framing::Chunked, "9\r\nabc"),
            (Framing::Chunked, "2\r\nab\r\n0\r\n"),
        ] {
            let error = read(framing, sent).await.expect_err(sent);
            assert_eq!(
                error.to_string(),
                "connection closed within a body",
                "{sent}"
            );
        }
    }

    #[test]
    fn chunked_wins_over_a_length_and_other_codings_are_refused() {
        let length = Header {
            name: "Content-Length",
            value: b"3",
        };
        let coding = |value| Header {
            name: "Transfer-Encoding",
            value,
        };
        assert_eq!(Framing::of(&[length]).unwrap(), Some(Framing::Length(3)));
        assert_eq!(
            Framing::of(&[length, coding(b"chunked")]).unwrap(),
            Some(Framing::Chunked)
        );
        assert_eq!(Framing::of(&[]).unwrap(), None);
        Framing::of(&[coding(b"gzip")]).unwrap_err();
    }
}
