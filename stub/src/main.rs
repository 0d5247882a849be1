//! The stub as a program: reads arguments, starts the server, waits for a signal.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use headworks_stub::{Server, selfcheck};
use tokio::signal::unix::{SignalKind, signal};

use cli::Args;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if args.self_check {
        let report = selfcheck::run()?;
        print(format_args!("{report}"));
        return Ok(if report.passed() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(args.options()?)?;
    print(format_args!("listening on {}", server.url()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::print_stdout,
    reason = "the address and the report are this program's output"
)]
fn print(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}
