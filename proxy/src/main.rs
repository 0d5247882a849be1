//! The gateway binary.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser as _;
use headworks::admin::ready;
use headworks::cli::{self, Cli, Command, Log, LogFormat};
use headworks::config::Config;
use headworks::filter::Loader;
use headworks::filter::reload::Reloader;
use headworks::observe::Registry;
use headworks::wasm::{Options, Runtime};
use headworks::{bench, identity, ledger, server};
use tikv_jemallocator::Jemalloc;
use tracing_subscriber::EnvFilter;

/// A gateway allocates much that lives for one request, on many threads; this
/// takes a third less time for it than the system's allocator.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli.log);
    let result = match &cli.command {
        Command::Run { config } => run(config),
        Command::Check { file } => check(file),
        Command::Keys { command } => identity::command::run(command),
        Command::Bench(args) => bench::run(args),
        Command::Ready { admin } => ready::ask(*admin),
        Command::Usage(args) => ledger::command::run(args, &mut io::stdout().lock()),
        Command::Schema { markdown } => {
            cli::print_schema(*markdown, &mut io::stdout().lock()).map_err(Into::into)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Path) -> Result<()> {
    let registry = Arc::new(Registry::new());
    show_build(&registry)?;
    let loader = loader(&registry)?;
    let (reloader, trigger) = Reloader::start(config.to_owned(), loader, &registry)?;
    server::run(reloader, trigger, &registry)
}

/// So that a rollout shows on a dashboard.
fn show_build(registry: &Registry) -> Result<()> {
    let build = registry.gauge("build.info.{version}", &["version".to_owned()])?;
    build.set(1, &[env!("CARGO_PKG_VERSION")])?;
    Ok(())
}

fn check(file: &Path) -> Result<()> {
    let config = Config::load(file)?;
    let registry = Arc::new(Registry::new());
    let generation = loader(&registry)?.load(config, None)?;
    let pools = counted(generation.pools.names().count(), "pool");
    let filters = counted(generation.chain.filters().count(), "filter");
    let file = file.display();
    writeln!(
        io::stdout().lock(),
        "{file}: good, with {pools} and {filters}"
    )?;
    Ok(())
}

/// `1 pool`, `2 pools`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn loader(registry: &Arc<Registry>) -> Result<Loader> {
    let options = Options {
        cache: cache(),
        ..Options::default()
    };
    let runtime = Runtime::new(options, registry.clone())?;
    Ok(Loader::new(runtime, registry.clone()))
}

/// Where compiled filters are kept between starts.
fn cache() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let folder = base.filter(|path| path.is_absolute()).or_else(home)?;
    Some(folder.join("headworks"))
}

fn start_log(log: &Log) {
    // Libraries speak up when something is wrong; what happens is ours to tell. A
    // handover has its successor wait for up to a second, which Pingora calls an error.
    let quiet = "pingora_core::server::transfer_fd=off";
    let levels = format!("warn,{quiet},headworks={}", log.level);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(levels))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match log.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}
