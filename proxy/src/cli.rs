//! The command line: what can be said, not what is done about it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

use crate::config::{markdown, schema};
use crate::{bench, identity, ledger};

/// A gateway for LLM inference whose policies are WebAssembly filters.
#[derive(Debug, Parser)]
#[command(name = "headworks", version, about, propagate_version = true)]
pub struct Cli {
    /// How to log.
    #[command(flatten)]
    pub log: Log,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How to log.
#[derive(Debug, Clone, Args)]
pub struct Log {
    /// How log lines are written
    #[arg(
        // `headworks usage` has a format of its own.
        id = "log-format",
        long = "log-format",
        global = true,
        value_enum,
        default_value_t,
        env = "HEADWORKS_LOG_FORMAT"
    )]
    pub format: LogFormat,
    /// Least level to log: off, error, warn, info, debug or trace
    #[arg(id = "log-level", long = "log-level", global = true, value_name = "LEVEL", default_value_t = LevelFilter::INFO, env = "HEADWORKS_LOG_LEVEL")]
    pub level: LevelFilter,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For machines: a JSON object a line
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until told to stop
    ///
    /// Changes of the configuration file and of filters' files are applied
    /// while running; SIGHUP applies them at once. SIGTERM lets running
    /// exchanges end. SIGUSR2 has the program that is at the same path now
    /// take over, and lets running exchanges end.
    Run {
        /// The configuration file
        #[arg(
            long,
            value_name = "FILE",
            default_value = "headworks.toml",
            env = "HEADWORKS_CONFIG"
        )]
        config: PathBuf,
    },
    /// Say everything that is wrong with a configuration file
    ///
    /// Filters are loaded and given their settings as in a running gateway,
    /// but nothing is served.
    Check {
        /// The configuration file
        file: PathBuf,
    },
    /// Make, list and revoke API keys
    ///
    /// A keys file stands in the configuration as `identity.keys_file`, and a
    /// running gateway applies its changes at once.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        command: identity::command::Command,
    },
    /// Show what was used: tokens and requests by day, tenant, key and model
    ///
    /// Reads the file that the configuration names as `usage.file`, also while
    /// a gateway writes it.
    Usage(ledger::command::Args),
    /// Put load on a running gateway, and say whether it meets its targets
    ///
    /// Users ask the unified API, `POST /v1/generate`, and pause after each
    /// answer. Rates, latencies, first tokens and errors are told by model, as
    /// a table and as JSON.
    Bench(bench::Args),
    /// Ask a gateway on this machine whether it can serve
    ///
    /// Exits with 0 if it can: a health check for containers.
    Ready {
        /// Where it listens for operators, `admin.listen`
        #[arg(
            long,
            value_name = "ADDRESS",
            default_value = "127.0.0.1:9090",
            env = "HEADWORKS_ADMIN"
        )]
        admin: SocketAddr,
    },
    /// Print the JSON Schema of the configuration file
    Schema {
        /// Print the reference, docs/CONFIG.md, instead
        #[arg(long)]
        markdown: bool,
    },
}

/// Prints the schema of the configuration file, or the reference made from it.
pub fn print_schema(markdown: bool, out: &mut impl Write) -> io::Result<()> {
    if markdown {
        write!(out, "{}", markdown::render())
    } else {
        writeln!(out, "{:#}", schema::json())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn log_options_may_follow_the_command() {
        let cli = Cli::parse_from([
            "headworks",
            "check",
            "a.toml",
            "--log-format",
            "json",
            "--log-level",
            "debug",
        ]);
        assert_eq!(
            (cli.log.format, cli.log.level),
            (LogFormat::Json, LevelFilter::DEBUG)
        );
        assert!(matches!(cli.command, Command::Check { file } if file.as_os_str() == "a.toml"));
    }
}
