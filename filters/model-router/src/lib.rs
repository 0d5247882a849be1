//! The built-in filter model-router.
