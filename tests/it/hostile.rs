//! Filters that misbehave: each costs its own request, and nobody else's.

mod endurance;
mod one_request;
