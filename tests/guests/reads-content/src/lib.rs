//! A guest that reads a prompt and shows it.

use headworks_sdk::prelude::*;

#[on_request]
fn reads_content(request: &mut Request) -> Verdict {
    let content = request.json("/messages/0/content").unwrap_or_default();
    request.tag("content", &content.to_string());
    Verdict::Next
}
