//! The built-in filter telemetry.
