//! A request body: one JSON object, judged in one pass.

/// Why a body is not usable.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, or not the JSON that the API takes.
    #[error("{0}")]
    Malformed(String),
}

/// Why a change to a request is not possible.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Not a header name.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
    /// A header that says how the message is framed.
    #[error("the header `{0}` is the gateway's own")]
    HeaderFixed(String),
    /// Not a header value.
    #[error("the value of header `{0}` has characters that no header may have")]
    HeaderValue(String),
    /// Not JSON.
    #[error("the value for `{0}` is not JSON: {1}")]
    NotJson(String, String),
    /// There is nothing at that place that can be set.
    #[error("nothing can be set at `{0}`")]
    NoPlace(String),
    /// This API has no such thing.
    #[error("{0} has no `{1}`")]
    NotInApi(&'static str, String),
}

/// A request body.
#[derive(Debug, Clone)]
pub struct Body {}
