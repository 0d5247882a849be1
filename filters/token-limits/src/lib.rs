//! The built-in filter token-limits.
