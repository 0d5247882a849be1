//! Everything that can go wrong with an exchange: whose fault it is and which
//! answer it becomes. `api::answer` puts it into the caller's dialect.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use http::HeaderMap;

use crate::api::BodyError;
use crate::api::translate::{Told, Untranslatable};
use crate::filter::{Refusal, Rejection};
use crate::identity::Unknown;
use crate::limit::Denial;
use crate::outcome::End;

/// Why an exchange has no upstream's answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is not what the API takes.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is larger than `server.max_body`.
    #[error("the body is larger than {}", ByteSize::b(*.limit as u64))]
    TooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The request is not HTTP as it should be.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The client took longer than `server.read_timeout` to send its request.
    #[error("the request did not arrive in time")]
    SlowClient,
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists for other methods.
    #[error("this path takes {0} only")]
    WrongMethod(&'static str),
    /// Whose request it is cannot be told.
    #[error("{0}")]
    Unknown(Unknown),
    /// The key is for other models.
    #[error("the API key is not for {}", quoted(.0))]
    NotForModel(String),
    /// A budget has no room.
    #[error("{0}")]
    OverLimit(Box<Denial>),
    /// Nobody can say what was used of a budget.
    #[error("limits are shared with other gateways, and where they are kept does not answer")]
    LimitsUnknown,
    /// A filter refused.
    #[error("{}", .0.message)]
    Rejected(Rejection),
    /// A filter failed and its `on_error` is `fail-closed`.
    #[error("the filter `{0}` failed")]
    FilterFailed(Arc<str>),
    /// No filter chose a pool and there is no default.
    #[error("no pool serves {}; ask GET /v1/models for what is served", quoted(.0))]
    NoPool(String),
    /// The pool cannot be asked for this.
    #[error(transparent)]
    Untranslatable(#[from] Untranslatable),
    /// The pool's API has nothing that does the same.
    #[error("{api} has no counterpart in what the model servers of pool `{pool}` speak")]
    NotTranslated {
        /// The API called.
        api: &'static str,
        /// The pool chosen.
        pool: Arc<str>,
    },
    /// No endpoint of any pool answers.
    #[error("no model server answers")]
    NoEndpointUp,
    /// As many requests wait as may.
    #[error("the queue of pool `{0}` is full")]
    QueueFull(Arc<str>),
    /// No place came free in time.
    #[error("no place in pool `{pool}` came free within {}", humantime::format_duration(*.waited))]
    WaitedTooLong {
        /// The pool.
        pool: Arc<str>,
        /// Its `queue.max_wait`.
        waited: Duration,
    },
    /// The endpoint could not be reached.
    #[error("cannot connect to {endpoint}: {reason}")]
    Connect {
        /// Its URL.
        endpoint: Arc<str>,
        /// What the system said.
        reason: String,
    },
    /// The endpoint took too long.
    #[error("{endpoint} took longer than {} to {what}", humantime::format_duration(*.limit))]
    UpstreamTimeout {
        /// Its URL.
        endpoint: Arc<str>,
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// The endpoint shows nothing for longer than what it has to do explains.
    #[error("{endpoint} has stalled")]
    Stalled {
        /// Its URL.
        endpoint: Arc<str>,
    },
    /// The endpoint's answer was not HTTP, or broke off.
    #[error("the answer of {endpoint} failed: {reason}")]
    UpstreamBroke {
        /// Its URL.
        endpoint: Arc<str>,
        /// How.
        reason: String,
    },
    /// The endpoint refused.
    #[error("{} answered {}: {}", .0.endpoint, .0.told.status, .0.told.message)]
    Refused(Box<Refused>),
    /// The client left.
    #[error("the client closed the connection")]
    ClientGone,
}

/// An endpoint's answer that is an error.
#[derive(Debug)]
pub struct Refused {
    /// Its URL.
    pub endpoint: Arc<str>,
    /// What it said.
    pub told: Told,
    /// The answer, if it can be passed on as it came.
    pub answer: Option<(HeaderMap, Bytes)>,
    /// When to try again, as the endpoint said.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Whether it is an endpoint's doing.
    pub fn is_endpoints(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::UpstreamTimeout { .. }
                | Self::Stalled { .. }
                | Self::UpstreamBroke { .. }
                | Self::Refused(_)
        )
    }

    /// Whether it speaks against the endpoint. That it is full does not, nor that
    /// the request was wrong; whether it can be reached is known otherwise.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Refused(refused) => matches!(refused.told.status, 424 | 500..),
            error => {
                matches!(
                    error,
                    Self::UpstreamTimeout { .. } | Self::UpstreamBroke { .. }
                )
            }
        }
    }

    /// Whether another endpoint might do better.
    pub fn may_move_on(&self) -> bool {
        match self {
            Self::Refused(refused) => matches!(refused.told.status, 424 | 429 | 500 | 502..=599),
            Self::QueueFull(_) | Self::WaitedTooLong { .. } => true,
            // By a filter that places; what others refuse has not come so far.
            Self::Rejected(rejection) => rejection.status == 503,
            error => error.is_endpoints(),
        }
    }

    /// The HTTP status it becomes.
    pub fn status(&self) -> u16 {
        match self {
            Self::Body(BodyError::Syntax(_)) | Self::BadRequest(_) => 400,
            Self::Body(BodyError::Shape(_)) => 422,
            Self::TooLarge { .. } => 413,
            Self::SlowClient => 408,
            Self::NotFound | Self::NoPool(_) => 404,
            Self::WrongMethod(_) => 405,
            Self::Unknown(_) => 401,
            Self::NotForModel(_) => 403,
            Self::OverLimit(_) => 429,
            Self::Rejected(rejection) => rejection.status,
            Self::FilterFailed(_) => 500,
            Self::NotTranslated { .. } => 501,
            Self::Untranslatable(Untranslatable::Body(BodyError::Syntax(_))) => 400,
            Self::Untranslatable(_) => 422,
            Self::Refused(refused) => refused.told.status,
            Self::LimitsUnknown
            | Self::NoEndpointUp
            | Self::QueueFull(_)
            | Self::WaitedTooLong { .. } => 503,
            Self::Connect { .. } | Self::UpstreamBroke { .. } => 502,
            Self::UpstreamTimeout { .. } | Self::Stalled { .. } => 504,
            // Nobody reads it; the number is nginx's, for the log.
            Self::ClientGone => 499,
        }
    }

    /// The machine-readable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Body(_) => "validation",
            Self::TooLarge { .. } => "body_too_large",
            Self::BadRequest(_) => "bad_request",
            Self::SlowClient => "request_timeout",
            Self::NotFound => "not_found",
            Self::WrongMethod(_) => "method_not_allowed",
            Self::Unknown(Unknown::Missing) => "missing_api_key",
            Self::Unknown(Unknown::Invalid) => "invalid_api_key",
            Self::NotForModel(_) => "model_not_allowed",
            Self::OverLimit(_) => "rate_limit_exceeded",
            Self::LimitsUnknown => "limits_unavailable",
            Self::Rejected(rejection) => &rejection.code,
            Self::FilterFailed(_) => "filter_failed",
            Self::NoPool(_) => "model_not_found",
            Self::NotTranslated { .. } => "not_translated",
            Self::Untranslatable(Untranslatable::Body(_)) => "validation",
            Self::Untranslatable(Untranslatable::Parameter { .. }) => "unsupported_parameter",
            Self::Refused(refused) => &refused.told.code,
            Self::NoEndpointUp => "healthcheck",
            Self::QueueFull(_) => "queue_full",
            Self::WaitedTooLong { .. } => "queue_timeout",
            Self::Connect { .. } => "upstream_unreachable",
            Self::UpstreamTimeout { .. } => "upstream_timeout",
            Self::Stalled { .. } => "upstream_stalled",
            Self::UpstreamBroke { .. } => "upstream_broke",
            Self::ClientGone => "client_gone",
        }
    }

    /// What kind of failure of an endpoint it is, for metrics: strangers cannot
    /// make more of them.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::UpstreamTimeout { .. } => "timeout",
            Self::Stalled { .. } => "stalled",
            Self::UpstreamBroke { .. } => "broke",
            Self::Refused(refused) => match refused.told.status {
                424 => "generation",
                429 => "overloaded",
                500.. => "server_error",
                _ => "refused",
            },
            _ => "other",
        }
    }

    /// How the exchange counts.
    pub fn end(&self) -> End {
        match self {
            Self::Body(_)
            | Self::TooLarge { .. }
            | Self::BadRequest(_)
            | Self::SlowClient
            | Self::NotFound
            | Self::WrongMethod(_)
            | Self::NoPool(_)
            | Self::NotTranslated { .. }
            | Self::Untranslatable(_) => End::BadRequest,
            Self::Unknown(_)
            | Self::NotForModel(_)
            | Self::OverLimit(_)
            | Self::LimitsUnknown
            | Self::Rejected(_)
            | Self::QueueFull(_)
            | Self::WaitedTooLong { .. } => End::Rejected,
            Self::FilterFailed(_) => End::Internal,
            Self::NoEndpointUp | Self::Connect { .. } | Self::UpstreamBroke { .. } => {
                End::UpstreamError
            }
            Self::UpstreamTimeout { .. } | Self::Stalled { .. } => End::Timeout,
            // A batch that failed, and a server that has no room, are not the client's fault.
            Self::Refused(refused) if !matches!(refused.told.status, 424 | 429 | 500..) => {
                End::BadRequest
            }
            Self::Refused(_) => End::UpstreamError,
            Self::ClientGone => End::ClientGone,
        }
    }

    /// When to try again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::OverLimit(denial) => denial.retry_after,
            Self::Rejected(rejection) => rejection.retry_after,
            Self::LimitsUnknown | Self::QueueFull(_) | Self::WaitedTooLong { .. } => {
                Some(Duration::from_secs(1))
            }
            Self::Refused(refused) => refused.retry_after,
            _ => None,
        }
    }

    /// What strangers are told: nothing about addresses inside.
    pub fn public_message(&self) -> String {
        match self {
            Self::Connect { .. } => "the model server cannot be reached".to_owned(),
            Self::UpstreamTimeout { what, limit, .. } => {
                format!(
                    "the model server took longer than {} to {what}",
                    humantime::format_duration(*limit)
                )
            }
            Self::Stalled { .. } => "the model server has stalled".to_owned(),
            Self::UpstreamBroke { .. } => "the model server's answer broke off".to_owned(),
            Self::Refused(refused) => refused.told.message.clone(),
            other => other.to_string(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected { rejection, .. } => Self::Rejected(rejection),
            Refusal::Failed { filter } => Self::FilterFailed(filter),
        }
    }
}

fn quoted(model: &str) -> String {
    match model {
        "" => "a request that names no model".to_owned(),
        // Bounded: it is a stranger's text in our answer.
        model => format!(
            "the model `{}`",
            model.chars().take(100).collect::<String>()
        ),
    }
}
