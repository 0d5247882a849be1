//! Headworks.
