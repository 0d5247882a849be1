//! What can be asked of `cargo xtask`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::guests::Toolchain;
use crate::workspace::{Binaries, Profile, Workspace};
use crate::{bench, ci, clients, compose, demo, guests, helm, scripts, test, tidy};

/// Builds, tests and shows Headworks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the gateway at work: two models, a stream, refusals, a reload under traffic
    Demo(demo::Options),
    /// Build what tests need, then run them all
    Test {
        /// Passed to the test runner, such as `-p headworks reload`; doc tests run only without
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Build every filter and test guest to WebAssembly, into `target/guests/`
    ///
    /// Finds a toolchain by itself: rustup's target when it is installed, Debian's packages when
    /// they are, else it adds the target by rustup, else it installs the packages when run by root.
    Guests {
        /// Use this toolchain and no other
        #[arg(long, value_enum)]
        toolchain: Option<Toolchain>,
    },
    /// Measure; `cargo xtask bench -- --help` lists what there is
    Bench {
        /// Passed to the bench: what to measure, and how
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check the house rules that no linter knows
    Tidy,
    /// Run scripts/*.py against two stubs and a gateway, in an environment of their own
    Scripts,
    /// Run client libraries (OpenAI's, Hugging Face's, LangChain's) against gateways and stubs
    Clients,
    /// Render the Helm chart with several sets of values, and look at what comes out
    Helm,
    /// Have Docker Compose read docker-compose.yml, in both profiles; it starts nothing
    Compose,
    /// Run all that a change must pass
    Ci,
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        match self.command {
            Command::Demo(options) => demo::run(&workspace, &options)?,
            Command::Test { args } => return Ok(test::run(&workspace, &args)?.report()),
            Command::Guests { toolchain } => guests::build(&workspace, toolchain)?,
            Command::Bench { args } => bench::run(&workspace, &args)?,
            Command::Tidy => tidy::run(&workspace)?,
            Command::Scripts => {
                guests::build(&workspace, None)?;
                scripts::run(&workspace, &Binaries::build(&workspace, Profile::Dev)?)?;
            }
            Command::Clients => {
                guests::build(&workspace, None)?;
                clients::run(&workspace, &Binaries::build(&workspace, Profile::Dev)?)?;
            }
            Command::Helm => {
                guests::build(&workspace, None)?;
                helm::run(&workspace, &Binaries::build(&workspace, Profile::Dev)?)?;
            }
            Command::Compose => compose::run(&workspace)?,
            Command::Ci => return Ok(ci::run(&workspace)),
        }
        Ok(ExitCode::SUCCESS)
    }
}
