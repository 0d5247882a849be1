//! What must hold of a body that a reader of requests takes.

use bytes::Bytes;
use headworks::api::translate::Translation;
use headworks::api::{Api, Call};
use headworks::config::Protocol;
use serde::de::IgnoredAny;

/// Reads a body as a call of this API and looks at what becomes of it.
pub fn read(api: Api, body: &[u8]) {
    let Ok(mut call) = Call::read(api, Bytes::copy_from_slice(body)) else {
        return;
    };
    assert_eq!(&call.body.to_bytes()[..], body);
    for upstream in [Protocol::Tgi, Protocol::OpenAi] {
        let translation = Translation::new(api, upstream);
        let asked = translation.request(&call, "m", &[]);
        if let Ok(asked) = asked {
            // By its grammar: numbers that no type holds pass as they came.
            serde_json::from_slice::<IgnoredAny>(&asked).expect("an upstream is sent JSON");
        }
        translation.facts(&call, 1);
    }
    if call.set_max_new_tokens(7).is_ok() {
        assert_eq!(call.max_new_tokens(), Some(7));
        let again = Call::read(api, call.body.to_bytes()).expect("what we write we read");
        assert_eq!(again.max_new_tokens(), Some(7));
    }
}
