//! One event of a stream: what it is, and what the caller is told of it.

use std::borrow::Cow;

use super::Told;
use crate::api::route::Dialect;

/// OpenAI's word for the end of a stream.
pub(super) const DONE: &[u8] = b"[DONE]";

/// An event of the upstream, as the caller gets it.
#[derive(Debug, PartialEq)]
pub struct Event<'a> {
    /// What it is.
    pub kind: Kind,
    /// The data of the caller's event; `None` when there is none. Borrowed when
    /// it is the upstream's own.
    pub data: Option<Cow<'a, [u8]>>,
}

/// What an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// So many tokens, one or more.
    Token(u32),
    /// Something about the stream.
    Other,
    /// The upstream failed, or refused. Before anything else was passed on it
    /// can still become a status.
    Error(Told),
    /// Nothing follows.
    End,
}

impl<'a> Event<'a> {
    pub(super) fn as_it_came(kind: Kind, data: &'a [u8]) -> Self {
        Self {
            kind,
            data: Some(Cow::Borrowed(data)),
        }
    }

    pub(super) fn new(kind: Kind, data: String) -> Self {
        Self {
            kind,
            data: Some(Cow::Owned(data.into_bytes())),
        }
    }

    pub(super) fn unsaid(kind: Kind) -> Self {
        Self { kind, data: None }
    }

    pub(super) fn error(told: Told, dialect: Dialect) -> Self {
        let data = told.body(dialect).to_vec();
        Self {
            kind: Kind::Error(told),
            data: Some(Cow::Owned(data)),
        }
    }

    /// Appends the event as it travels; nothing if the caller is told nothing.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Some(data) = &self.data else { return };
        for line in data.split(|byte| *byte == b'\n') {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out.push(b'\n');
    }
}

/// Whether an event says that something failed, in TGI's form or in one of
/// OpenAI servers.
pub(super) fn is_error(data: &[u8]) -> bool {
    const FORMS: [&[u8]; 3] = [
        b"{\"error\"",
        b"{\"object\":\"error\"",
        b"{\"object\": \"error\"",
    ];
    FORMS.iter().any(|form| data.starts_with(form))
}
