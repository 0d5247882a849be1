//! The filters that come with the gateway, in the gateway, end to end.

mod edits;
mod examples;
mod limits;
mod router;
mod shaper;
mod telemetry;
