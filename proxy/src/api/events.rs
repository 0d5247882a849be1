//! A stream on its way to the caller: the upstream's bytes in, the caller's
//! bytes out, and what was seen in them. Only whole events go out, so that one
//! which breaks off can be followed by another that says so.

use bytes::{Bytes, BytesMut};

use super::Call;
use super::sse::{MAX_EVENT, Splitter};
use super::translate::{Ending, Facts, Kind, Stream, Told, Translation};
use super::usage::Usage;

/// Keeps the caller's connection busy where the upstream did and nothing else
/// is to be said.
const HEARTBEAT: &[u8] = b":\n\n";

/// One stream on its way.
#[derive(Debug)]
pub struct Events {
    /// The upstream's bytes are the caller's.
    is_identity: bool,
    splitter: Splitter,
    stream: Stream,
    /// The beginning of an event whose end has not come yet.
    begun: BytesMut,
    seen: Seen,
    /// Kept where the stream may have to be ended early.
    ending: Option<Ending>,
}

/// What has been seen of a stream.
#[derive(Debug, Default)]
struct Seen {
    /// A token, or the stream's proper end.
    answer: bool,
    /// The stream's proper end.
    end: bool,
    /// An error. Nothing is passed on after it.
    error: Option<Told>,
}

impl Events {
    /// A stream that is about to begin.
    pub fn new(translation: Translation, facts: Facts) -> Self {
        Self {
            is_identity: translation.is_identity(),
            splitter: Splitter::default(),
            stream: translation.stream(facts),
            begun: BytesMut::new(),
            seen: Seen::default(),
            ending: None,
        }
    }

    /// The same stream, which may have to be ended early.
    #[must_use]
    pub fn that_may_end(self, ending: Ending) -> Self {
        Self {
            ending: Some(ending),
            ..self
        }
    }

    /// Reads the next bytes of the upstream; returns those for the caller.
    pub fn take(&mut self, piece: Bytes) -> Bytes {
        let mut told = Vec::new();
        let mut error_ends = None;
        let Self {
            is_identity,
            splitter,
            stream,
            seen,
            ending,
            ..
        } = self;
        let whole = splitter.feed(&piece, |data, end| {
            if seen.error.is_some() {
                return;
            }
            let event = stream.event(data);
            if !*is_identity {
                event.write(&mut told);
            }
            if let (Some(ending), Some(data)) = (ending.as_mut(), &event.data) {
                ending.told(data);
            }
            match event.kind {
                Kind::Token(_) => seen.answer = true,
                Kind::End => (seen.answer, seen.end) = (true, true),
                Kind::Error(error) => {
                    seen.error = Some(error);
                    error_ends = Some(end);
                }
                Kind::Other => {}
            }
        });
        match (self.is_identity, error_ends) {
            (true, Some(end)) => self.ended(piece.slice(..end)),
            (true, None) if self.seen.error.is_some() => Bytes::new(),
            (true, None) => self.pass(piece, whole),
            (false, _) if told.is_empty() && whole > 0 => Bytes::from_static(HEARTBEAT),
            (false, _) => told.into(),
        }
    }

    /// What of a piece is whole, `whole` bytes of it; the rest has to wait.
    fn pass(&mut self, mut piece: Bytes, whole: usize) -> Bytes {
        let passed = piece.split_to(whole);
        let passed = if passed.is_empty() {
            passed
        } else {
            self.ended(passed)
        };
        self.begun.extend_from_slice(&piece);
        // What is larger than an event may be is nobody's event to be kept whole.
        if self.begun.len() > MAX_EVENT {
            return [passed, self.begun.split().freeze()].concat().into();
        }
        passed
    }

    /// The end of what has begun.
    fn ended(&mut self, end: Bytes) -> Bytes {
        if self.begun.is_empty() {
            return end;
        }
        self.begun.extend_from_slice(&end);
        self.begun.split().freeze()
    }

    /// The upstream's transfer has ended as it should; what is still to be said.
    pub fn finish(&mut self) -> Bytes {
        if self.seen.error.is_some() {
            return Bytes::new();
        }
        if self.is_identity {
            return self.begun.split().freeze();
        }
        let mut told = Vec::new();
        let event = self.stream.finish();
        event.write(&mut told);
        if let Kind::Error(error) = event.kind {
            self.seen.error = Some(error);
        }
        told.into()
    }

    /// Ends the stream for the caller while its upstream would go on: what is
    /// still to be said. What came of an event that is not whole is left out.
    pub fn end_early(&mut self, call: &Call, prompt_tokens: u32) -> Bytes {
        let usage = Usage {
            prompt_tokens,
            completion_tokens: self.tokens(),
        };
        let ending = self.ending.take();
        ending.map_or_else(Bytes::new, |mut ending| ending.end(call, usage).into())
    }

    /// Whether an answer has begun: a token came, or the stream's proper end.
    pub fn has_answer(&self) -> bool {
        self.seen.answer
    }

    /// Whether the stream's proper end came, or is about to.
    pub fn has_ended(&self) -> bool {
        self.seen.end || self.ending.as_ref().is_some_and(Ending::is_over)
    }

    /// The error that came. If no answer had begun it is a refusal.
    pub fn error(&self) -> Option<&Told> {
        self.seen.error.as_ref()
    }

    /// Tokens generated so far.
    pub fn tokens(&self) -> u32 {
        self.stream.tokens()
    }

    /// What the upstream told of the cost.
    pub fn usage(&self) -> Option<Usage> {
        self.stream.usage()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::{Api, Call};
    use crate::config::Protocol;

    fn call(api: Api) -> Call {
        let body = match api {
            Api::OpenAiChat => r#"{"model":"m","messages":[],"stream":true}"#,
            Api::OpenAiCompletions => r#"{"model":"m","prompt":"x","stream":true}"#,
            _ => r#"{"inputs":"x","stream":true,"parameters":{"details":true}}"#,
        };
        Call::read(api, Bytes::from_static(body.as_bytes())).unwrap()
    }

    fn events(api: Api, upstream: Protocol) -> Events {
        let translation = Translation::new(api, upstream);
        Events::new(translation, translation.facts(&call(api), 7))
    }

    /// What the caller gets of a stream that comes in these pieces.
    fn passed(events: &mut Events, pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&events.take(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&events.finish());
        out
    }

    const TGI: &[u8] = "data: {\"index\":1,\"token\":{\"id\":5,\"text\":\"né\",\"logprob\":-0.1,\"special\":false},\"generated_text\":null,\"details\":null}\n\n: wait\n\ndata:{\"index\":2,\"token\":{\"id\":2,\"text\":\"\",\"logprob\":0.0,\"special\":true},\"generated_text\":\"né\",\"details\":null}\r\n\r\n".as_bytes();

    const TGI_CHAT: &[u8] = "data: {\"object\":\"chat.completion.chunk\",\"id\":\"\",\"created\":1,\"model\":\"tgi\",\"system_fingerprint\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"a\\u00e9\\n\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\ndata: {\"object\":\"chat.completion.chunk\",\"id\":\"\",\"created\":1,\"model\":\"tgi\",\"system_fingerprint\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"b\"},\"logprobs\":null,\"finish_reason\":\"stop_sequence\"}],\"usage\":null}\n\ndata: [DONE]\n\n".as_bytes();

    const VLLM: &[u8] = "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\" na\\u00efve\",\"logprobs\":null,\"finish_reason\":null,\"stop_reason\":null}]}\n\ndata: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"!\",\"logprobs\":null,\"finish_reason\":\"length\",\"stop_reason\":null}]}\n\ndata: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\ndata: [DONE]\n\n".as_bytes();

    /// Every pairing with a stream of its upstream.
    fn pairings() -> [(Api, Protocol, &'static [u8]); 6] {
        [
            (Api::TgiGenerateStream, Protocol::Tgi, TGI),
            (Api::Unified, Protocol::Tgi, TGI),
            (Api::OpenAiChat, Protocol::Tgi, TGI_CHAT),
            (Api::OpenAiCompletions, Protocol::OpenAi, VLLM),
            (Api::TgiGenerateStream, Protocol::OpenAi, VLLM),
            (Api::Tgi, Protocol::OpenAi, VLLM),
        ]
    }

    /// What a client makes of a stream: the data of its events.
    fn read(stream: &[u8]) -> Vec<String> {
        let mut data = Vec::new();
        Splitter::default().feed(stream, |event, _| {
            data.push(String::from_utf8(event.to_vec()).unwrap());
        });
        data
    }

    #[test]
    fn a_stream_that_needs_no_translation_passes_byte_for_byte() {
        for (api, upstream, stream) in [
            (Api::TgiGenerateStream, Protocol::Tgi, TGI),
            (Api::OpenAiCompletions, Protocol::OpenAi, VLLM),
        ] {
            let mut events = events(api, upstream);
            assert_eq!(passed(&mut events, &[stream]), stream);
            assert_eq!((events.tokens(), events.error()), (2, None));
        }
    }

    #[test]
    fn wherever_a_stream_is_cut_in_two_the_caller_reads_the_same_events() {
        for (api, upstream, stream) in pairings() {
            let whole = read(&passed(&mut events(api, upstream), &[stream]));
            assert!(whole.len() >= 2, "{api:?}");
            for cut in 0..=stream.len() {
                let mut events = events(api, upstream);
                let out = passed(&mut events, &[&stream[..cut], &stream[cut..]]);
                assert_eq!(read(&out), whole, "{api:?} cut at {cut}");
                assert_eq!(events.tokens(), 2);
            }
        }
    }

    #[test]
    fn byte_by_byte_only_whole_events_go_out() {
        for (api, upstream, stream) in pairings() {
            let mut events = events(api, upstream);
            for byte in stream.chunks(1) {
                let out = events.take(Bytes::copy_from_slice(byte));
                assert!(
                    out.is_empty() || out.ends_with(b"\n") || out.ends_with(b"\r"),
                    "{out:?}"
                );
            }
        }
    }

    #[test]
    fn an_error_that_comes_first_is_a_refusal_and_no_answer() {
        let error = br#"data: {"error":"Model is overloaded","error_type":"overloaded"}"#;
        for upstream in [Protocol::Tgi, Protocol::OpenAi] {
            let mut events = events(Api::TgiGenerateStream, upstream);
            passed(&mut events, &[error, b"\n\n"]);
            assert!(!events.has_answer());
            assert!(events.error().is_some());
        }
    }

    #[test]
    fn nothing_is_passed_on_after_an_error() {
        let broken = [
            &VLLM[..VLLM.windows(2).position(|w| w == b"\n\n").unwrap() + 2],
            b"data: {\"error\":{\"message\":\"gone\",\"code\":500}}\n\ndata: [DONE]\n\n",
        ]
        .concat();
        for api in [Api::OpenAiCompletions, Api::TgiGenerateStream] {
            for cut in 0..broken.len() {
                let mut events = events(api, Protocol::OpenAi);
                let out = passed(&mut events, &[&broken[..cut], &broken[cut..]]);
                let last = read(&out).pop().unwrap();
                assert!(last.contains("gone"), "{last}");
                assert!(events.has_answer() && events.error().is_some());
            }
        }
    }

    #[test]
    fn an_event_without_end_does_not_fill_the_memory() {
        let mut events = events(Api::TgiGenerateStream, Protocol::Tgi);
        let piece = Bytes::from(vec![b'x'; 64 << 10]);
        let mut passed = 0;
        for _ in 0..64 {
            passed += events.take(piece.clone()).len();
            assert!(events.begun.len() <= MAX_EVENT);
        }
        assert!(passed > 0);
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_same_events(cuts in prop::collection::vec(0_usize..900, 0..12), pairing in 0_usize..6) {
            let (api, upstream, stream) = pairings()[pairing];
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            let whole = read(&passed(&mut events(api, upstream), &[stream]));
            prop_assert_eq!(read(&passed(&mut events(api, upstream), &pieces)), whole);
        }

        #[test]
        fn any_bytes_are_passed_or_told_but_never_panic(bytes: Vec<u8>, pairing in 0_usize..6) {
            let (api, upstream, _) = pairings()[pairing];
            passed(&mut events(api, upstream), &[&bytes, b"\n\n"]);
        }
    }
}
