//! Why a command about keys was not done.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::identity::KeyProblem;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error(
        "there is no file `{}`; `headworks keys new` makes it with its first key",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The file or its folder cannot be used.
    #[error("cannot {action} `{}`", .path.display())]
    Io {
        /// What was tried: `read`, `write`, `lock`.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is not as it should be, or would not be afterwards.
    #[error("{}: {}", .path.display(), Listed(.problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Vec<KeyProblem>,
    },
    /// A table cannot be added to an array in brackets.
    #[error(
        "cannot add to `keys = [..]` in `{}`; write each key below a `[[keys]]` of its own",
        .0.display()
    )]
    InBrackets(PathBuf),
    /// No key has this id.
    #[error("no key `{id}`{hint}")]
    NoKey {
        /// The id.
        id: String,
        /// What may have been meant.
        hint: String,
    },
    /// A key was given in the place of its id.
    #[error("this is a key; give its id, `{0}`")]
    NotAnId(String),
    /// What is brought cannot be a key.
    #[error("the key on standard input {0}")]
    BadKey(String),
    /// The key that is brought is in the file.
    #[error("the key on standard input is in the file already, as `{0}`")]
    Known(String),
    /// The operating system has no randomness.
    #[error("cannot make a key")]
    Random(#[source] io::Error),
    /// Standard input cannot be read.
    #[error("cannot read the key from standard input")]
    Input(#[source] io::Error),
    /// Nobody was told what was done.
    #[error("cannot print the result")]
    Output(#[from] io::Error),
    /// The key is in the file, but nobody knows it.
    #[error("cannot print the new key; revoke it, its id is `{id}`")]
    Lost {
        /// The id.
        id: String,
        /// Why it cannot be printed.
        source: io::Error,
    },
}

/// Their number, then a line for each.
struct Listed<'a>(&'a [KeyProblem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} problem{plural}")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
