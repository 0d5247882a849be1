//! Requests in every dialect, whole and streamed, and what HTTP asks around them.

mod answers;
mod bodies;
mod connections;
mod errors;
mod models;
mod tokens;
