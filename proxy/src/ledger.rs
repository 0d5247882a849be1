//! Who used how much: a row for each day, tenant, key, class of priority and
//! model, in a file that outlives the gateway. What an exchange used is added
//! in memory and written by a thread of its own, so no request waits for a
//! disk. What is allowed is for `limit` to decide.
//!
//! The file is an SQLite database in WAL mode: `headworks usage` and `sqlite3`
//! can read it, and a second gateway can add to it, while the gateway runs.
//! redb is Rust throughout and needs no C compiler, but it lets one process at a
//! time open its file, so an operator could not look without stopping the gateway.

mod book;
pub mod command;
mod entry;
mod error;
mod keeper;
mod read;
mod report;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub use book::{Period, Quantity, Scope};
pub use entry::{ABSENT, Entry, Row, RowKey, Sums};
pub use error::LedgerError;
use keeper::{Clock, Keeper};
pub use read::{Filter, Usage};
pub use report::{Column, Format, render};
use writer::Writer;

/// The usage of everybody, in memory and in a file.
#[derive(Debug)]
pub struct Ledger {
    keeper: Arc<Keeper>,
    writer: Writer,
}

impl Ledger {
    /// Opens the ledger of this file, or begins one that only its owner may
    /// read. Reads what was used this month, so that budgets outlive a restart.
    ///
    /// Gateways may share a file: each adds to what is there, and learns what
    /// the others added within seconds.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, Box::new(SystemTime::now))
    }

    fn open_with(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let keeper = Arc::new(Keeper::open(path, clock)?);
        let writer = Writer::start(keeper.clone()).map_err(|cause| LedgerError::Thread {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self { keeper, writer })
    }

    /// Adds what an exchange used. Never waits for the disk; it is in the file
    /// a fifth of a second later.
    ///
    /// There is a row for each value of each name, in memory too: the names
    /// must not be what strangers make up.
    pub fn record(&self, entry: Entry) {
        self.keeper.record(entry);
    }

    /// What was used in the current day or month, UTC, by rows that match.
    ///
    /// Looks at every row of that time, summed over days, so it takes time with
    /// their number. `matches` must not call the ledger.
    pub fn used(&self, of: Scope, matches: impl Fn(&RowKey) -> bool) -> u64 {
        self.keeper.used(of, matches)
    }

    /// Writes what is not in the file yet, before it returns. What cannot be
    /// written is kept, and tried again like everything else.
    pub fn flush(&self) -> Result<(), LedgerError> {
        self.keeper.write()
    }

    /// How many writes have failed. What they were to write is kept and tried
    /// again, so it is lost only if the gateway ends before one succeeds.
    pub fn failures(&self) -> u64 {
        self.keeper.failures()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.writer.stop();
        if let Err(error) = self.flush() {
            tracing::error!("the last of the usage is lost: {error}");
        }
    }
}
