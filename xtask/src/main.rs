//! `cargo xtask`: everything one does with this repository, as commands.
//!
//! `cli` says what can be asked; each command has a module of its own. They
//! share `workspace` (what is built, and how cargo is called), `process` (tools
//! that run to their end, services that do not outlive us), `python` (tools with
//! pinned packages), `stage` (stubs and a gateway, running) and `ui` (steps and
//! their times).
#![expect(clippy::print_stdout, reason = "a command line tool answers on stdout")]

mod bench;
mod ci;
mod cli;
mod clients;
mod compose;
mod demo;
mod guests;
mod helm;
mod process;
mod python;
mod scripts;
mod stage;
mod test;
mod tidy;
mod ui;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    cli::Cli::parse().run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
