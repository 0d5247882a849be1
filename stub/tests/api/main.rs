//! The stub over real sockets: answers, refusals, faults and what tests read off it.

mod faults;
mod life;
mod openai;
mod support;
mod tgi;
