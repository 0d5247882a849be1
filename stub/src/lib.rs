//! A model server without a model: the protocol of text-generation-inference, or
//! of vLLM's OpenAI server, over continuous batching in simulated time. Demos,
//! tests and benches use it as their upstream; a real server is one config line
//! away.
//!
//! A request walks: `api` reads it, validates it and takes a slot; `script`
//! decides what will be said; `engine` queues it for the card; `batch` decides
//! what each pass does and `profile` what the pass costs; `api::events` tells
//! the tokens as they come. `faults` breaks any of it on demand.
//!
//! ```no_run
//! use headworks_stub::{Options, Server};
//!
//! let server = Server::start(Options::named("qwen2"))?;
//! println!("{} has seen {} requests", server.url(), server.stats().seen);
//! # Ok::<(), headworks_stub::StartError>(())
//! ```

mod api;
mod batch;
mod engine;
mod faults;
mod group;
mod metrics;
mod options;
mod profile;
mod script;
pub mod selfcheck;
mod server;
pub mod simulate;
mod socket;
mod stats;
mod tokens;

pub use engine::Lateness;
pub use faults::{Fault, Kind as FaultKind, OneOrMany as Faults};
pub use options::{Dialect, Limits, Options, StartError};
pub use profile::Profile;
pub use server::{Running, Server};
pub use stats::{LastRequest, Snapshot};
