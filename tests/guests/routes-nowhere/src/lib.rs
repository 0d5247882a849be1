//! A guest that routes to a pool that is not there.

use headworks_sdk::prelude::*;

#[on_request]
fn routes_nowhere(request: &mut Request) -> Verdict {
    request.route("nowhere");
    Verdict::Next
}
