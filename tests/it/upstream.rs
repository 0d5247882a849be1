//! Model servers that are down, slow or broken, and clients that leave.

mod broken;
mod cancel;
mod client_gone;
mod faults;
mod health;
mod odd;
mod unreachable;
