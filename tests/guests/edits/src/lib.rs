//! A guest that changes all that a filter may change of a request, tries what
//! it may not, and refuses whom a header tells it to.

use headworks_sdk::prelude::*;

#[on_request]
fn edits(request: &mut Request) -> Verdict {
    if let Some(reason) = request.header("x-refuse") {
        return Verdict::too_many(Duration::from_millis(2_500), reason);
    }
    request.remove_header("authorization");
    request.set_max_new_tokens(3);
    let made = request
        .set_header("x-edited", "Zürich")
        .and_then(|()| request.set_parameter("temperature", 0.5))
        .and_then(|()| request.set_json("/user", json!({"name": "a \"b\""})))
        .and_then(|()| request.wrap_prompt("before ", " after"));
    let refused = [
        request.set_header("content-length", "1"),
        request.set_header("transfer-encoding", "chunked"),
        request.set_header("host", "elsewhere"),
        request.set_header("x-a", "b\r\nx-injected: 1"),
        request.set_header("x-a: b\r\nx-injected", "1"),
        request.set_parameter("max_new_tokens", "many"),
    ];
    let unrefused = refused.iter().filter(|change| change.is_ok()).count();
    match made {
        Ok(()) if unrefused == 0 => Verdict::Next,
        Ok(()) => Verdict::reject(500, "unrefused", format!("{unrefused} went through")),
        Err(error) => Verdict::reject(500, "refused", error.to_string()),
    }
}
