//! What a hook decides: go on, refuse, or where to send the request.

use std::time::Duration;

use crate::Candidate;

/// What [`on_request`](crate::Filter::on_request) returns.
///
/// Everything else that a filter wants is a method of [`Request`](crate::Request).
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// fn only_small_prompts(request: &Request) -> Verdict {
///     if request.prompt_tokens() > 4096 {
///         return Verdict::reject(413, "prompt_too_long", "the prompt has more than 4096 tokens");
///     }
///     Verdict::Next
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// On to the next filter.
    Next,
    /// Answer the client now; the chain ends here.
    Reject(Rejection),
}

impl Verdict {
    /// Refuses with an HTTP status of 400 to 599, a machine-readable code and a
    /// sentence for the person who sent the request.
    pub fn reject(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Rejection::new(status, code, message).into()
    }

    /// 403: the client may not do this.
    ///
    /// ```
    /// # use headworks_sdk::prelude::*;
    /// let verdict = Verdict::forbid("model not allowed");
    /// assert_eq!(verdict, Verdict::reject(403, "forbidden", "model not allowed"));
    /// ```
    pub fn forbid(message: impl Into<String>) -> Self {
        Self::reject(403, "forbidden", message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::reject(404, "not_found", message)
    }

    /// 429: too much for now; worth another try after `retry_after`.
    ///
    /// ```
    /// # use headworks_sdk::prelude::*;
    /// # use std::time::Duration;
    /// let verdict = Verdict::too_many(Duration::from_secs(2), "60 requests a minute are allowed");
    /// # assert!(matches!(verdict, Verdict::Reject(_)));
    /// ```
    pub fn too_many(retry_after: Duration, message: impl Into<String>) -> Self {
        Rejection::new(429, "rate_limit_exceeded", message)
            .retry_after(retry_after)
            .into()
    }
}

/// An answer given instead of the upstream's, in the dialect of the API that
/// the client called.
///
/// ```
/// use headworks_sdk::prelude::*;
/// use std::time::Duration;
///
/// let rejection = Rejection::new(503, "warming_up", "the model is being loaded")
///     .retry_after(Duration::from_secs(30));
/// let verdict = Verdict::from(rejection);
/// # assert!(matches!(verdict, Verdict::Reject(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status, 400 to 599; the host takes another for a fault of the filter.
    pub status: u16,
    /// Machine-readable code, such as `model_not_found`; it appears in the
    /// error body and in metrics.
    pub code: String,
    /// One sentence for the person who sent the request.
    pub message: String,
    /// When another try is worth it; becomes `retry-after`.
    pub retry_after: Option<Duration>,
}

impl Rejection {
    /// A refusal that says nothing about another try.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// 503: everything that could answer has enough to do; worth another try
    /// after `retry_after`.
    ///
    /// ```
    /// # use headworks_sdk::prelude::*;
    /// let rejection = Rejection::overloaded(Duration::from_secs(1));
    /// assert_eq!((rejection.status, &*rejection.code), (503, "overloaded"));
    /// ```
    #[must_use]
    pub fn overloaded(retry_after: Duration) -> Self {
        let message = "every endpoint is busy; try again later";
        Self::new(503, "overloaded", message).retry_after(retry_after)
    }

    /// Tells the client when another try is worth it.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

/// What [`place`](crate::Filter::place) returns.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// fn least_loaded(candidates: &[Candidate]) -> Placement {
///     let free = candidates.iter().filter(|candidate| candidate.in_flight < 8);
///     free.min_by_key(|candidate| candidate.in_flight).map_or(Placement::Wait, Placement::at)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Placement {
    /// Send the request to the candidate with this id.
    At(u32),
    /// Keep it queued; the host asks again when capacity frees.
    Wait,
    /// Answer the client now.
    Reject(Rejection),
}

impl Placement {
    /// Sends the request to `candidate`.
    pub fn at(candidate: &Candidate) -> Self {
        Self::At(candidate.id)
    }
}

impl From<Rejection> for Verdict {
    fn from(rejection: Rejection) -> Self {
        Self::Reject(rejection)
    }
}

impl From<Rejection> for Placement {
    fn from(rejection: Rejection) -> Self {
        Self::Reject(rejection)
    }
}
