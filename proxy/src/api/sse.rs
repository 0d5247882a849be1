//! Splits a byte stream into server-sent events (WHATWG HTML, 9.2.6), wherever
//! the network cut it. Bytes are looked at, never changed or delayed.

use std::borrow::Cow;

/// Largest event that is read; the rest of a larger one is skipped.
pub const MAX_EVENT: usize = 1 << 20;

/// Finds the events of one stream. Each byte is looked at once.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The data of an event whose end has not come yet.
    data: Option<Vec<u8>>,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
    /// The event being read is larger than `MAX_EVENT`.
    skipping: bool,
}

impl Splitter {
    /// Reads the next bytes and calls `on_event` with the data of each event
    /// that ends in them, and how many of the bytes that is. Comments and events
    /// without data are passed over. Returns how many of the bytes belong to
    /// what has ended: all but the beginning of something that goes on.
    pub fn feed(&mut self, chunk: &[u8], mut on_event: impl FnMut(&[u8], usize)) -> usize {
        let mut whole = 0;
        let mut rest = chunk;
        let mut data = self.data.take().map(Cow::Owned);
        if !rest.is_empty() && std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let line = self.finish_line(&rest[..end]);
            rest = self.after_line_end(&rest[end..]);
            if !line.is_empty() {
                add_line(&mut data, line);
                continue;
            }
            whole = chunk.len() - rest.len();
            if let (Some(data), false) = (data.take(), std::mem::take(&mut self.skipping)) {
                on_event(&data, whole);
            }
        }
        self.line.extend_from_slice(rest);
        self.data = data.map(Cow::into_owned);
        self.bound();
        whole
    }

    /// A whole line, given what of it the last bytes brought.
    fn finish_line<'a>(&mut self, end: &'a [u8]) -> Cow<'a, [u8]> {
        if self.line.is_empty() {
            return Cow::Borrowed(end);
        }
        self.line.extend_from_slice(end);
        Cow::Owned(std::mem::take(&mut self.line))
    }

    /// What follows the LF, CR or CRLF that `rest` begins with.
    fn after_line_end<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        match rest {
            [b'\r'] => {
                self.after_cr = true;
                &[]
            }
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => rest,
        }
    }

    /// Lets go of an event that is too large; its end is still looked for.
    fn bound(&mut self) {
        let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held > MAX_EVENT || (self.skipping && !self.line.is_empty()) {
            self.skipping = true;
            self.data = None;
            // One byte stands for the line, so that it is not taken for a blank one.
            self.line.truncate(1);
        }
    }
}

/// Adds a line to the data of the event being read, if it is a data line.
fn add_line<'a>(data: &mut Option<Cow<'a, [u8]>>, line: Cow<'a, [u8]>) {
    let value = match line.strip_prefix(b"data") {
        Some([]) => 4,
        Some([b':', b' ', ..]) => 6,
        Some([b':', ..]) => 5,
        _ => return,
    };
    match data {
        Some(data) => {
            let data = data.to_mut();
            data.push(b'\n');
            data.extend_from_slice(&line[value..]);
        }
        None => {
            *data = Some(match line {
                Cow::Borrowed(line) => Cow::Borrowed(&line[value..]),
                Cow::Owned(mut line) => Cow::Owned(line.split_off(value)),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |data, _| {
                events.push(String::from_utf8_lossy(data).into_owned());
            });
        }
        events
    }

    #[test]
    fn every_spelling_of_an_event_is_read() {
        let stream = b"data: a\n\n: comment\n\ndata:b\r\n\r\nevent: x\ndata: c\ndata:  d\n\ndata\r\rid: 1\n\n";
        assert_eq!(events(&[stream]), ["a", "b", "c\n d", ""]);
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_an_event_yet() {
        assert!(events(&[b"data: a\n"]).is_empty());
        assert_eq!(events(&[b"data: a\n", b"\n"]), ["a"]);
    }

    #[test]
    fn cr_and_lf_of_one_line_end_may_come_apart() {
        assert_eq!(events(&[b"data: a\r", b"\ndata: b\r\n\r", b"\n"]), ["a\nb"]);
        assert_eq!(events(&[b"data: a\r", b"", b"\ndata: b\n\n"]), ["a\nb"]);
    }

    #[test]
    fn an_oversized_event_is_skipped_and_the_next_one_read() {
        let large = vec![b'x'; MAX_EVENT];
        assert_eq!(
            events(&[b"data: ", &large, &large, b"\n", b"\ndata: next\n\n"]),
            ["next"]
        );
    }

    proptest! {
        #[test]
        fn the_events_do_not_depend_on_where_the_stream_is_cut(
            lines in prop::collection::vec("(data: ?[a-z]{0,4}|: ?c|)(\n|\r\n)", 0..20),
            cuts in prop::collection::vec(0_usize..200, 0..8),
        ) {
            let stream: String = lines.concat();
            let stream = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(events(&chunks), events(&[stream]));
        }
    }
}
