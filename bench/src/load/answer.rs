//! Checks an answer while it arrives: what a broken proxy would get wrong
//! must never look fast.

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use memchr::memmem;
use serde::Deserialize;

use crate::workload::{EVENTS, Expected, now_ns};

/// An answer as far as it arrived.
pub(crate) struct Answer {
    expected: Expected,
    /// The whole answer, or what is not yet a whole event.
    pending: Vec<u8>,
    events: usize,
    last_event: Vec<u8>,
}

#[derive(Deserialize)]
struct Generated {
    generated_text: String,
}

impl Answer {
    /// An answer of which nothing arrived.
    pub(crate) fn begin(expected: Expected) -> Self {
        Self {
            expected,
            pending: Vec::new(),
            events: 0,
            last_event: Vec::new(),
        }
    }

    /// Takes the next piece; times each event that is whole by it.
    pub(crate) fn push(&mut self, piece: &[u8], delays: &mut Histogram<u64>) {
        self.pending.extend_from_slice(piece);
        if self.expected == Expected::Stream {
            self.split_events(delays);
        }
    }

    fn split_events(&mut self, delays: &mut Histogram<u64>) {
        while let Some(end) = memmem::find(&self.pending, b"\n\n") {
            self.events += 1;
            self.last_event.clear();
            self.last_event.extend(self.pending.drain(..end + 2));
            if let (Some(sent), Ok(now)) = (sent_ns(&self.last_event), now_ns()) {
                delays.saturating_record(now.saturating_sub(sent));
            }
        }
    }

    /// Judges the whole.
    pub(crate) fn end(&self) -> Result<()> {
        match self.expected {
            Expected::Whole => generated_text(&self.pending),
            Expected::Stream => {
                ensure!(self.pending.is_empty(), "the stream ended within an event");
                ensure!(
                    self.events == EVENTS,
                    "{} events instead of {EVENTS}",
                    self.events
                );
                let event = self.last_event.strip_prefix(b"data:");
                generated_text(event.context("an event that does not begin with `data:`")?)
            }
        }
    }
}

fn generated_text(json: &[u8]) -> Result<()> {
    let generated: Generated = serde_json::from_slice(json)
        .with_context(|| format!("not an answer of TGI: {}", String::from_utf8_lossy(json)))?;
    ensure!(
        !generated.generated_text.is_empty(),
        "the generated text is empty"
    );
    Ok(())
}

/// When the model server sent this event, if the event says so.
fn sent_ns(event: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"sent_ns\":";
    let begin = memmem::find(event, KEY)? + KEY.len();
    let digits = event[begin..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(expected: Expected, pieces: &[&str]) -> Result<u64> {
        let mut delays = Histogram::new(3)?;
        let mut answer = Answer::begin(expected);
        for piece in pieces {
            answer.push(piece.as_bytes(), &mut delays);
        }
        answer.end()?;
        Ok(delays.len())
    }

    fn events(count: usize) -> String {
        let mut text = "data: {\"generated_text\":null,\"sent_ns\":7}\n\n".repeat(count - 1);
        text.push_str("data: {\"generated_text\":\"x\",\"sent_ns\":7}\n\n");
        text
    }

    fn refusal(expected: Expected, pieces: &[&str]) -> String {
        judge(expected, pieces)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn a_whole_answer_may_come_in_pieces() {
        judge(Expected::Whole, &["{\"generated_", "text\":\"x\"}"]).unwrap();
    }

    #[test]
    fn an_error_with_status_200_is_refused() {
        let error = refusal(Expected::Whole, &["{\"error\":\"overloaded\"}"]);
        assert!(error.starts_with("not an answer of TGI"), "{error}");
    }

    #[test]
    fn events_are_counted_and_timed_however_they_are_cut() {
        let stream = events(EVENTS);
        assert_eq!(judge(Expected::Stream, &[&stream]).unwrap(), 64);
        let bytes: Vec<_> = stream.split_inclusive('\n').collect();
        assert_eq!(judge(Expected::Stream, &bytes).unwrap(), 64);
    }

    #[test]
    fn a_stream_that_lost_an_event_is_refused() {
        assert_eq!(
            refusal(Expected::Stream, &[&events(EVENTS - 1)]),
            "63 events instead of 64"
        );
    }

    #[test]
    fn a_stream_cut_within_an_event_is_refused() {
        let error = refusal(Expected::Stream, &[&events(EVENTS), "data: {"]);
        assert_eq!(error, "the stream ended within an event");
    }

    #[test]
    fn a_stream_without_its_last_event_is_refused() {
        let nulls = "data: {\"generated_text\":null}\n\n".repeat(EVENTS);
        refusal(Expected::Stream, &[&nulls]);
    }
}
