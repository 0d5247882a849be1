//! Limits of what is used in some time: buckets of tokens and requests, from
//! which an exchange reserves before it goes on and settles when it has ended.
//!
//! All of it is mechanism: what the budgets are and who is charged to which is
//! a matter of filters. Pure but for a clock that `Now::read` looks at.

mod asked;
mod asking;
mod bucket;
mod budget;
mod counted;
mod denial;
mod gcra;
mod held;
mod keeper;
mod key;
mod lease;
mod level;
mod limiter;
mod listed;
mod now;
mod reservation;
mod reserve;
mod rounds;
mod shared;
mod standing;
mod table;
mod window;

#[cfg(test)]
mod tests;

pub use budget::{Budget, Period, Unit};
pub use denial::{Cause, Denial};
pub use keeper::{Filled, Keeper, Order};
pub use key::{Allowance, Attribute, Claim, Key};
pub use lease::Lease;
pub use limiter::Limiter;
pub use now::Now;
pub use reservation::Reservation;
pub use reserve::Cost;
pub use standing::{Standing, tightest};
