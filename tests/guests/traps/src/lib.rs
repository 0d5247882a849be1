//! A guest that traps.
