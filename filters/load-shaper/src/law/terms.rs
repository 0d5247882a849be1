//! What is asked of the law, and what it answers.

use std::time::Duration;

/// How requests are treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The part of an objective that predictions may use up.
    pub margin: f64,
    /// Long prompts are not refused before short ones. That costs about a third
    /// of the answers in time under overload.
    pub size_neutral: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            margin: 1.0,
            size_neutral: false,
        }
    }
}

/// Who comes first where there is not room for all; the first is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Makes room for all others.
    Low,
    /// Of those who say nothing.
    #[default]
    Normal,
    /// Others make room for it.
    High,
}

/// A request that wants an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// From its arrival to the answer's last token. None: it goes where it is
    /// answered soonest, and is never refused for being late; then a suspect
    /// endpoint is better than none.
    pub objective: Option<Duration>,
    /// Who it makes room for, and who for it.
    pub priority: Priority,
    /// Tokens of its prompt; only those who are neutral to size look at them.
    pub prompt: u32,
    /// Since its arrival.
    pub waited: Duration,
    /// What its tenant has had of the pool lately, over an equal share of what
    /// all have had.
    pub share: f64,
    /// An endpoint has had it and failed: that it is late now says nothing of the load.
    pub again: bool,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// It goes to a candidate.
    At {
        /// Of the candidate.
        id: u32,
        /// What let it go there.
        way: Way,
    },
    /// It stays with the gateway, which asks again when an endpoint has less to do.
    Hold {
        /// For so long from now; then the gateway asks again in any case.
        at_most: Duration,
        /// The reason, in a few words.
        why: &'static str,
    },
    /// It is answered at once, with an error.
    Refuse {
        /// Whose fault it is.
        kind: Refusal,
        /// When it may be worth another try.
        retry_after: Duration,
        /// The reason, in a few words.
        why: &'static str,
    },
}

/// What lets a request go to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is answered soonest there, and in time.
    InTime,
    /// It is answered soonest there, and has no objective.
    Soonest,
    /// It is to show whether the endpoint does well again.
    Probe,
    /// It is to show how the endpoint does, of which nothing was heard lately.
    Forgotten,
    /// Nothing is known of the endpoint yet.
    Unknown,
    /// It is late even on an idle endpoint, and none was refused lately.
    Stretched,
    /// It may be late, and none was refused lately.
    Favour,
    /// It may be late by an endpoint that failed, and none was refused lately.
    Again,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No endpoint would answer in time.
    Overload,
    /// One would, but the tenant has more than its share and others have less.
    TenantShare,
    /// No endpoint is up.
    NoEndpoint,
}

impl Request {
    /// One without an objective: nothing else about it counts.
    pub fn whenever() -> Self {
        Self {
            objective: None,
            priority: Priority::Normal,
            prompt: 0,
            waited: Duration::ZERO,
            share: 1.0,
            again: false,
        }
    }
}

impl Way {
    /// Whether the answer was predicted to be in time, so that it says something
    /// about predictions if it is not.
    pub fn is_promise(self) -> bool {
        self == Self::InTime
    }

    fn why(self) -> &'static str {
        match self {
            Self::InTime | Self::Soonest => "it is answered soonest there",
            Self::Probe => "it is to show whether the endpoint does well again",
            Self::Forgotten => "nothing was heard of the endpoint lately",
            Self::Unknown => "nothing is known of the endpoint yet",
            Self::Stretched => "it would be late on any, but none was refused lately",
            Self::Favour => "it may be late, but none was refused lately",
            Self::Again => "it may be late by an endpoint that failed, but none was refused lately",
        }
    }
}

impl Decision {
    /// The reason, in a few words.
    pub fn why(&self) -> &'static str {
        match self {
            Self::At { way, .. } => way.why(),
            Self::Hold { why, .. } | Self::Refuse { why, .. } => why,
        }
    }
}
