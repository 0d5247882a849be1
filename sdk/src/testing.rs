//! A mock of the gateway, to run a filter under plain `cargo test`.
//!
//! It stands in for what a filter sees of the gateway: requests, pools, store,
//! metrics, clock and chance. It holds a filter to the contract as the gateway
//! does: what would be a fault of the filter there is a panic here.
//!
//! ```
//! use headworks_sdk::prelude::*;
//!
//! #[on_request]
//! fn cap(request: &mut Request) -> Verdict {
//!     request.set_max_new_tokens(request.max_new_tokens().unwrap_or(256).min(256));
//!     Verdict::Next
//! }
//!
//! let mut host = testing::host::<Cap>(json!({})).unwrap();
//! let answer = host.chat("llama3").max_new_tokens(4096).send();
//! assert_eq!(answer.max_new_tokens(), Some(256));
//! ```
//!
//! [`gateway`] declares pools, models and grants; without any declared, every
//! name is a pool and a model. The clock stands still until
//! [`MockHost::advance`], and chance is the same in every run.

mod answer;
mod body;
mod call;
mod ended;
pub(crate) mod exchange;
mod gateway;
mod host;
pub(crate) mod imports;
mod registry;
mod store;
mod world;

pub use answer::Answer;
pub use call::Call;
pub use ended::Ended;
pub use exchange::Hold;
pub use gateway::{Gateway, gateway, host};
pub use host::MockHost;
