//! Any bytes as the body of a request.
#![no_main]

mod read;

use headworks::api::Api;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for api in [Api::Unified] {
        read::read(api, body);
    }
});
