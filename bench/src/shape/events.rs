//! Counts the tokens of an answer while it arrives, and judges its end.

use std::time::Instant;

use memchr::memmem;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With the whole answer.
    Answered,
    /// By a refusal: 429 or 503, or their like within a stream.
    Refused {
        /// The refusal says when to try again.
        retry_after: bool,
    },
    /// In any other way.
    Failed,
}

/// What only a whole answer, and the last event of a stream, have.
const GENERATED: &[u8] = b"\"generated_text\":\"";
/// What a model server says that has no slot left.
const OVERLOADED: &[u8] = b"\"overloaded\"";

/// An answer as far as it arrived.
#[derive(Debug)]
pub(crate) struct Events {
    /// When the first token came.
    pub(crate) first: Option<Instant>,
    /// Tokens that came.
    pub(crate) tokens: u32,
    streams: bool,
    /// The whole answer, or what is not yet a whole event.
    pending: Vec<u8>,
    last: Option<End>,
}

impl Events {
    /// An answer of which nothing arrived, streamed or not.
    pub(crate) fn new(streams: bool) -> Self {
        Self {
            first: None,
            tokens: 0,
            streams,
            pending: Vec::new(),
            last: None,
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.pending.extend_from_slice(piece);
        if !self.streams {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while let Some(end) = memmem::find(rest, b"\n\n") {
            self.event(&rest[..end]);
            rest = &rest[end + 2..];
        }
        self.pending = rest.to_vec();
    }

    fn event(&mut self, event: &[u8]) {
        // Comments keep a silent stream open and tell nothing.
        if !event.starts_with(b"data:") {
            return;
        }
        self.last = Some(judge(event));
        if memmem::find(event, b"\"token\":").is_some() {
            self.tokens += 1;
            self.first.get_or_insert_with(Instant::now);
        }
    }

    /// How the answer ended, once it is whole.
    pub(crate) fn end(&self) -> End {
        if self.streams {
            self.last.unwrap_or(End::Failed)
        } else {
            judge(&self.pending)
        }
    }
}

fn judge(text: &[u8]) -> End {
    if memmem::find(text, GENERATED).is_some() {
        End::Answered
    } else if memmem::find(text, OVERLOADED).is_some() {
        End::Refused { retry_after: false }
    } else {
        End::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "data: {\"token\":{\"text\":\"a\"},\"generated_text\":null}\n\n";
    const LAST: &str = "data: {\"token\":{\"text\":\"b\"},\"generated_text\":\"ab\"}\n\n";

    fn check(pieces: &[&str], expected: (End, u32)) {
        let mut events = Events::new(true);
        for piece in pieces {
            events.push(piece.as_bytes());
        }
        assert_eq!((events.end(), events.tokens), expected, "{pieces:?}");
        assert_eq!(events.first.is_some(), events.tokens > 0);
    }

    #[test]
    fn tokens_are_counted_however_the_stream_is_cut() {
        check(&[TOKEN, LAST], (End::Answered, 2));
        let joined = format!(": wait\n\n{TOKEN}{LAST}");
        check(&[&joined], (End::Answered, 2));
        let pieces: Vec<_> = joined.split_inclusive(' ').collect();
        check(&pieces, (End::Answered, 2));
    }

    #[test]
    fn a_stream_without_its_last_event_is_a_failure() {
        check(&[TOKEN], (End::Failed, 1));
        check(&[], (End::Failed, 0));
        check(
            &[TOKEN, "data: {\"error\":\"shard failed\"}\n\n"],
            (End::Failed, 1),
        );
    }

    #[test]
    fn a_server_without_slots_refuses_within_the_stream() {
        let event = "data: {\"error\":\"busy\",\"error_type\":\"overloaded\"}\n\n";
        check(&[event], (End::Refused { retry_after: false }, 0));
    }
}
