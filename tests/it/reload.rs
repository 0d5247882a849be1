//! Changes of the configuration and of filters, applied while requests run.

mod broken;
mod under_load;
mod ways;
