//! What went wrong in a call, in words for the operator.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Error, Trap, WasmBacktrace};

use super::limits::OverMemory;

/// What a filter was doing: a function that it exports, or coming to life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// It is instantiated: memory, tables and start function.
    Start,
    /// Reads settings; runs in each new instance.
    Configure,
    /// Judges a request.
    OnRequest,
    /// Chooses an endpoint.
    Place,
    /// Learns how an exchange ended.
    OnComplete,
}

/// How a filter failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It stopped on an instruction that no program means to reach.
    Trap,
    /// It panicked.
    Panic,
    /// It ran past its deadline.
    Deadline,
    /// It wanted more memory than it may have.
    Memory,
    /// It called itself too deeply.
    Stack,
    /// It asked the host for something that is not, or that it may not.
    BadCall,
    /// It gave an answer that means nothing.
    BadAnswer,
    /// A new instance could not be made.
    Start,
}

/// A call of a filter that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("filter `{filter}` failed in {hook}: {message}")]
pub struct Failure {
    /// Its name.
    pub filter: Arc<str>,
    /// What was called.
    pub hook: Hook,
    /// How it failed.
    pub kind: FailureKind,
    /// What happened, one line.
    pub message: String,
    /// Where in the guest, a line for each frame.
    pub backtrace: Option<String>,
}

/// The guest asked the host for something that is not, or that it may not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadCall(pub(super) String);

impl BadCall {
    /// An error of the host as a fault of the filter.
    pub(super) fn of(error: impl std::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// What is known of a call that came to nothing, besides its error.
pub(super) struct Circumstances {
    /// The last error that the guest logged in this call; the SDK logs a panic
    /// so before it traps.
    pub(super) last_words: Option<String>,
    /// How long the call might have taken.
    pub(super) deadline: Duration,
}

/// How a panic begins, as the standard library words it.
const PANICKED: &str = "panicked at ";

/// Says what an error of wasmtime means.
pub(super) fn explain(error: &Error, call: Circumstances) -> (FailureKind, String) {
    if let Some(bad) = error.downcast_ref::<BadCall>() {
        return (FailureKind::BadCall, bad.to_string());
    }
    if let Some(over) = error.downcast_ref::<OverMemory>() {
        return (FailureKind::Memory, over.to_string());
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        return (FailureKind::Trap, without_backtrace(error));
    };
    match (trap, call.last_words) {
        (Trap::Interrupt, _) => (
            FailureKind::Deadline,
            format!("ran past its deadline of {:?}", call.deadline),
        ),
        (Trap::StackOverflow, _) => (
            FailureKind::Stack,
            "called itself too deeply: the stack is exhausted".to_owned(),
        ),
        (Trap::UnreachableCodeReached, Some(words)) if words.starts_with(PANICKED) => {
            (FailureKind::Panic, words.replace('\n', " "))
        }
        // The stack of a guest in Rust lies at the start of its memory.
        (Trap::MemoryOutOfBounds, _) => (
            FailureKind::Trap,
            format!("{trap}; large values on the stack, too deep, end so as well"),
        ),
        _ => (FailureKind::Trap, trap.to_string()),
    }
}

/// An error with its causes. A backtrace counts as one, and has a place of its own.
fn without_backtrace(error: &Error) -> String {
    if error.is::<WasmBacktrace>() {
        error.root_cause().to_string()
    } else {
        one_line(error)
    }
}

/// An error with its causes; the errors of wasmtime and `anyhow` show them so.
pub(super) fn one_line(error: &impl Display) -> String {
    format!("{error:#}").replace('\n', " ")
}

/// Where in the guest an error arose.
pub(super) fn backtrace(error: &Error) -> Option<String> {
    Some(error.downcast_ref::<WasmBacktrace>()?.to_string())
}

impl Hook {
    /// The name in the contract, in metrics and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Configure => "configure",
            Self::OnRequest => "on-request",
            Self::Place => "place",
            Self::OnComplete => "on-complete",
        }
    }
}

impl FailureKind {
    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Panic => "panic",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::BadCall => "bad-call",
            Self::BadAnswer => "bad-answer",
            Self::Start => "start",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
