//! What can be asked of `headworks-bench shape`.

use std::path::PathBuf;

use clap::{Args, ValueEnum as _};

use super::policy::Policy;
use super::scenario::Case;

/// Which scenarios to run, under which policies, how often and how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Scenarios, such as A3,A6 [default: all that have demands, which T1 and T2 do not]
    #[arg(long = "scenario", value_name = "A1,...", value_delimiter = ',', value_parser = Case::named)]
    scenarios: Vec<Vec<&'static Case>>,
    /// Policies [default: those that the scenario's demands are about; all if simulated]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) policies: Vec<Policy>,
    /// Runs of each, with other arrivals; the same seed brings the same ones to every policy
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) seeds: u64,
    /// Length of every run as a multiple of what the scenario asks for
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub(crate) scale: f64,
    /// Folder of results.csv and of the plots; what it holds already is not run again
    #[arg(long, value_name = "FOLDER", default_value = "target/shape")]
    pub(crate) results: PathBuf,
    /// Run in simulated time: minutes instead of hours, with the gateway's own predictor, queue
    /// and policies, but without sockets, HTTP and WebAssembly
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Run again what the results hold already
    #[arg(long)]
    pub(crate) again: bool,
    /// Run nothing: judge, plot and tell what the results hold
    #[arg(long)]
    pub(crate) report_only: bool,
    /// Find the highest rates that meet the objective, by bisection: many more runs
    #[arg(long)]
    pub(crate) search: bool,
    /// Runs at the same time, on sockets: each has servers and a gateway of its own, and one in
    /// which a pass or a request was late is void
    #[arg(long, value_name = "RUNS", default_value_t = 1, value_parser = at_once)]
    pub(crate) at_once: usize,
    /// How often a run is tried while it comes out void
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) attempts: u32,
    /// Write the tables into docs/PERFORMANCE.md, between its markers
    #[arg(long)]
    pub(crate) write_docs: bool,
    /// Exit with 1 if a demand is missed or was not measured
    #[arg(long)]
    pub(crate) enforce: bool,
    /// The Headworks binary [default: the one beside this binary]
    #[arg(long, value_name = "PATH")]
    pub(crate) headworks: Option<PathBuf>,
    /// The model server's binary [default: the one beside this binary]
    #[arg(long, value_name = "PATH")]
    pub(crate) stub: Option<PathBuf>,
    /// Folder of the policies' WebAssembly files [default: `guests` in cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) guests: Option<PathBuf>,
}

impl Options {
    /// The cases of all scenarios that were asked for.
    pub(crate) fn cases(&self) -> Vec<&'static Case> {
        if self.scenarios.is_empty() {
            return Case::all().filter(|case| case.has_demands()).collect();
        }
        self.scenarios.iter().flatten().copied().collect()
    }

    /// The policies that a case is run under. In simulated time that is all that it can
    /// be run under, since it costs little.
    pub(crate) fn policies(&self, case: &Case) -> Vec<Policy> {
        match (self.policies.is_empty(), self.simulate) {
            (false, _) => self.policies.clone(),
            (true, false) => case.policies.to_vec(),
            (true, true) => {
                let pinned = case.policies.contains(&Policy::Pinned);
                let all = Policy::value_variants().iter().copied();
                all.filter(|policy| pinned || *policy != Policy::Pinned)
                    .collect()
            }
        }
    }
}

fn at_once(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(runs @ 1..=32) => Ok(runs),
        _ => Err(format!("must be a number from 1 to 32, got {text}")),
    }
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if scale > 0.0 && scale <= 10.0 {
        Ok(scale)
    } else {
        Err(format!("must be greater than 0 and at most 10, got {text}"))
    }
}
