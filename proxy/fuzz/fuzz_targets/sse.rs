//! Wherever a stream is cut, the caller reads the same events.
#![no_main]

use bytes::Bytes;
use headworks::api::events::Events;
use headworks::api::sse::Splitter;
use headworks::api::translate::Translation;
use headworks::api::{Api, Call};
use headworks::config::Protocol;
use libfuzzer_sys::fuzz_target;

const PAIRINGS: [(Api, Protocol); 4] = [
    (Api::TgiGenerateStream, Protocol::Tgi),
    (Api::TgiGenerateStream, Protocol::OpenAi),
    (Api::OpenAiChat, Protocol::Tgi),
    (Api::OpenAiChat, Protocol::OpenAi),
];

fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (pairing, cuts, stream) = input;
    let (api, upstream) = PAIRINGS[usize::from(pairing) % PAIRINGS.len()];
    // What never ends is passed raw, or held back; both depend on the pieces.
    let stream = [&stream, &b"\n\n"[..]].concat();
    let whole = told(api, upstream, &[&stream]);
    assert_eq!(told(api, upstream, &pieces(&stream, &cuts)), whole);
});

/// The stream in pieces as long as the cuts say.
fn pieces<'a>(mut stream: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = stream.split_at(usize::from(*cut).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces.push(stream);
    pieces
}

/// The data of the events that the caller reads.
fn told(api: Api, upstream: Protocol, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let body = Bytes::from_static(br#"{"inputs":"x","messages":[],"stream":true}"#);
    let call = Call::read(api, body).expect("it is a call");
    let translation = Translation::new(api, upstream);
    let mut events = Events::new(translation, translation.facts(&call, 1));
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&events.take(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&events.finish());
    let mut data = Vec::new();
    Splitter::default().feed(&out, |event, _| data.push(event.to_vec()));
    data
}
