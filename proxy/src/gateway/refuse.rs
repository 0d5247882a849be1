//! What went wrong becomes an answer in the caller's dialect, and a line in the
//! log.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::api;
use crate::api::route::Dialect;
use crate::downstream::{Downstream, json};
use crate::error::Error;
use crate::outcome::End;

/// The one place where what went wrong becomes an answer.
pub(super) async fn refuse(client: &mut Downstream<'_>, dialect: Dialect, error: &Error) {
    note(error);
    // One for nobody is not to be begun.
    if matches!(error, Error::ClientGone) {
        return client.cut().await;
    }
    let message = error.public_message();
    let body = api::answer::error(dialect, error.status(), error.code(), &message);
    if client.has_answered() {
        return break_off(client, &body).await;
    }
    if let Error::Refused(refused) = error
        && let Some((headers, body)) = &refused.answer
    {
        let passed = client.pass(error.status(), headers.clone(), body.clone());
        passed.await.ok();
        return;
    }
    let mut headers = json().to_vec();
    if let Some(after) = error.retry_after() {
        let seconds = after.as_millis().div_ceil(1000);
        headers.push((RETRY_AFTER, number(seconds)));
        headers.push((RETRY_AFTER_MS, number(after.as_millis())));
    }
    if let Error::Unknown(_) = error {
        headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    }
    if let Error::WrongMethod(allowed) = error {
        headers.push((ALLOW, HeaderValue::from_static(allowed)));
    }
    // It fails when the client leaves meanwhile, who then needs no answer.
    client.answer(error.status(), &headers, body).await.ok();
}

/// Half an answer is not to be ended. A stream of events says why, since its
/// events are whole so far.
async fn break_off(client: &mut Downstream<'_>, body: &Bytes) {
    if client.sends_events() {
        let event = [b"data: ", &body[..], b"\n\n"].concat();
        client.write(event.into()).await.ok();
    }
    client.cut().await;
}

/// `retry-after` in milliseconds, as OpenAI's clients read it.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

fn number(n: u128) -> HeaderValue {
    HeaderValue::from(u64::try_from(n).unwrap_or(u64::MAX))
}

/// Operators hear of what is theirs to mend; clients' mistakes are many.
pub(super) fn note(error: &Error) {
    match error.end() {
        // A full server is no fault to mend; who watches it sees the counter.
        End::UpstreamError if error.status() == 429 => tracing::debug!("{error}"),
        End::UpstreamError | End::Timeout | End::Internal => tracing::warn!("{error}"),
        _ => tracing::debug!("{error}"),
    }
}
