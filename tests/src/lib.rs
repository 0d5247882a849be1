//! What tests at the gateway's edge are made of: a gateway in a process of its
//! own, model servers behind it, and clients before it.
//!
//! A test starts what it needs, asks over real sockets, and waits for
//! conditions, never for time. Whatever it started ends with it; when it fails
//! the gateway's log is printed.
//!
//! ```no_run
//! use headworks_tests::{Guest, ModelServer, TestProxy};
//!
//! # async fn test() {
//! let qwen = ModelServer::named("qwen2");
//! let mut proxy = TestProxy::to(&qwen).filter(Guest::of("allow_all")).start().await;
//! assert_eq!(proxy.chat("hi").await.status(), 200);
//! assert_eq!(qwen.seen(), 1);
//!
//! let refused = proxy.replace_guest("allow_all", "traps_in_configure").await;
//! assert!(refused.unwrap_err().contains("filters[0].module"));
//! assert_eq!(proxy.chat("hi").await.status(), 200);
//! # }
//! ```
//!
//! `cargo xtask test` builds the gateway and the guests before it runs tests;
//! who runs them by other means builds those first.

mod collector;
mod events;
mod guest;
mod model;
mod port;
mod program;
mod prometheus;
mod proxy;
mod redis;
mod scripted;
mod setup;
mod statsd;
mod wait;
mod wire;

pub use collector::{Collector, TakenSpan};
pub use events::Told;
pub use guest::{Guest, guest_bytes, unlike};
pub use model::ModelServer;
pub use port::Port;
pub use program::{Ran, clean, gateway, program, root, run};
pub use prometheus::Prometheus;
pub use proxy::{EndpointState, Live, LiveFilter, Refused, TestProxy, http2_client};
pub use redis::RedisServer;
pub use scripted::Scripted;
pub use setup::Setup;
pub use statsd::StatsdDaemon;
pub use wait::{PATIENCE, until};
pub use wire::{Message, Wire};

// Part of what the harness returns and takes.
pub use headworks_stub::{Fault, FaultKind, Options, Profile, Snapshot};
pub use nix::sys::signal::Signal;
