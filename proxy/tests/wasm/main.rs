//! Filters in the host that runs them: what a guest does to itself, to its
//! request and to nobody else. The guests are in `tests/guests`.

#![allow(clippy::unwrap_used, reason = "what helps a test is a test")]

mod hostile;
mod loading;
mod sound;
mod support;
