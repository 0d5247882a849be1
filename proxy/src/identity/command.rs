//! `headworks keys`: makes, lists and revokes keys of a keys file. What is
//! typed is here; each command has a file of its own.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};

use super::check::{check_model, check_name, check_note};

mod edit;
mod error;
mod list;
mod new;
mod revoke;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;

/// What to do with API keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Make a key and add its hash to a keys file
    ///
    /// The key goes to standard output, everything else to standard error, so
    /// that KEY=$(headworks keys new --tenant acme) works. It is shown this
    /// once: only its hash is kept. The file is made if it is not there, and
    /// what stands in it stays as it is.
    New(New),
    /// Show the keys of a keys file
    List(List),
    /// Refuse a key from now on
    ///
    /// The key stays in the file with the time at which it was revoked.
    Revoke(Revoke),
}

/// The file with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct KeysFile {
    /// The keys file
    #[arg(
        long = "file",
        value_name = "FILE",
        default_value = "keys.toml",
        env = "HEADWORKS_KEYS"
    )]
    pub path: PathBuf,
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct New {
    /// Where the key is added.
    #[command(flatten)]
    pub file: KeysFile,
    /// Who is accounted for what is asked with the key
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub tenant: String,
    /// How those who use it are treated, such as gold [default: standard]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub class: Option<String>,
    /// The only models it is good for, with commas between [default: all]
    #[arg(long, value_name = "MODEL,..", value_delimiter = ',', value_parser = model)]
    pub models: Vec<String>,
    /// For people, such as "Bob's laptop"
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub note: Option<String>,
    /// Read a key of your own from standard input
    ///
    /// It must be 16 to 512 characters of printable ASCII. Let a machine make
    /// it: one that a person thought of can be guessed from its hash. It is
    /// not printed again.
    #[arg(long)]
    pub key_from_stdin: bool,
}

/// How to show keys.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct List {
    /// Where the keys stand.
    #[command(flatten)]
    pub file: KeysFile,
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A key to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Revoke {
    /// Where the key stands.
    #[command(flatten)]
    pub file: KeysFile,
    /// The id of the key, as `headworks keys list` shows it; not the key
    #[arg(value_name = "ID")]
    pub id: String,
}

/// What a command reads and where it writes.
pub struct Console<'a> {
    /// Where a key that is brought comes from.
    pub input: &'a mut dyn Read,
    /// What was asked for: a new key, a list.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub notes: &'a mut dyn Write,
}

/// Does what is asked, on the standard streams.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let console = &mut Console {
        input: &mut io::stdin().lock(),
        out: &mut io::stdout().lock(),
        notes: &mut io::stderr().lock(),
    };
    Ok(command.run(console, SystemTime::now())?)
}

impl Command {
    /// Does what is asked. Nothing is changed where it fails, but for a new key
    /// that could not be printed: see `Error::Lost`.
    pub fn run(&self, console: &mut Console<'_>, now: SystemTime) -> Result<(), Error> {
        match self {
            Self::New(new) => new.run(console, now),
            Self::List(list) => list.run(console, now),
            Self::Revoke(revoke) => revoke.run(console, now),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn model(text: &str) -> Result<String, String> {
    check_model(text).map(|()| text.to_owned())
}

fn note(text: &str) -> Result<String, String> {
    check_note(text).map(|()| text.to_owned())
}
