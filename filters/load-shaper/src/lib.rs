//! The built-in filter load-shaper.
