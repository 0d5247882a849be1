//! The gateway at its edge: a module for each feature, real sockets all the way.

#![allow(clippy::unwrap_used, reason = "what helps a test is a test")]

mod docs;
mod filters;
mod hostile;
mod lifecycle;
mod limits;
mod observe;
mod reload;
mod serve;
mod support;
mod traffic;
mod upgrade;
mod upstream;
