//! `headworks usage`: what is asked for, and the answer.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::{Column, Filter, Format, Usage, render};
use crate::day::Day;

/// What of a ledger to show, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The ledger's file, as the configuration names it; a gateway may be
    /// writing to it
    #[arg(long, value_name = "FILE", env = "HEADWORKS_LEDGER")]
    pub file: PathBuf,
    /// First day to show, YYYY-MM-DD in UTC [default: the first there is]
    #[arg(long, value_name = "DAY")]
    pub from: Option<Day>,
    /// Last day to show, YYYY-MM-DD in UTC [default: the last there is]
    #[arg(long, value_name = "DAY")]
    pub to: Option<Day>,
    /// Only what this tenant used; `-` for whoever was not known
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub tenant: Option<String>,
    /// Only what was used with the key of this name; `-` for without one
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub key: Option<String>,
    /// Only what this model answered
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub model: Option<String>,
    /// What to sum by, in this order, with commas between
    #[arg(
        long,
        value_name = "COLUMN",
        value_enum,
        value_delimiter = ',',
        default_value = "day,tenant"
    )]
    pub by: Vec<Column>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Writes what is asked for. That a reader such as `head` has seen enough is no
/// failure.
pub fn run(args: &Args, out: &mut impl Write) -> Result<()> {
    let rows = Usage::read(&args.file, &args.filter()?)?;
    let mut out = BufWriter::new(out);
    let written = render(&rows, args.format, &args.by, &mut out).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

impl Args {
    fn filter(&self) -> Result<Filter> {
        if let (Some(from), Some(to)) = (self.from, self.to) {
            ensure!(from <= to, "--from {from} is after --to {to}; swap them");
        }
        Ok(Filter {
            from: self.from,
            to: self.to,
            tenant: self.tenant.clone(),
            key: self.key.clone(),
            model: self.model.clone(),
        })
    }
}
