//! Carries what is in the book into the file, and what others put into the
//! file into the book.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::{Mutex, RwLock};

use super::book::Book;
use super::store::Store;
use super::{Entry, LedgerError, RowKey, Scope};
use crate::day::Day;

/// What tells the time.
pub(super) type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// The book and the file. Who needs both locks takes the file's first, and
/// the book's only for a moment: requests wait for that one.
pub(super) struct Keeper {
    clock: Clock,
    pub(super) store: Mutex<Store>,
    book: RwLock<Book>,
    failures: AtomicU64,
}

impl Keeper {
    pub(super) fn open(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let keeper = Self {
            store: Mutex::new(Store::open(path)?),
            book: RwLock::new(Book::new(Day::of(clock()))),
            failures: AtomicU64::new(0),
            clock,
        };
        keeper.catch_up()?;
        Ok(keeper)
    }

    /// See `Ledger::record`.
    pub(super) fn record(&self, entry: Entry) {
        let today = self.today();
        self.book.write().record(today, entry);
    }

    /// See `Ledger::used`.
    pub(super) fn used(&self, of: Scope, matches: impl Fn(&RowKey) -> bool) -> u64 {
        let today = self.today();
        self.book.read().used(today, of, matches)
    }

    /// See `Ledger::failures`.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Writes what is unwritten, or keeps it.
    pub(super) fn write(&self) -> Result<(), LedgerError> {
        let mut store = self.store.lock();
        let unwritten = self.book.write().take_unwritten();
        if unwritten.is_empty() {
            return Ok(());
        }
        let written = store.add(&unwritten);
        if written.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            self.book.write().give_back(unwritten);
        }
        written
    }

    /// Loads the month anew if others have written, or another day has begun.
    pub(super) fn catch_up(&self) -> Result<(), LedgerError> {
        // With the file locked nothing is on its way from the book to the file.
        let mut store = self.store.lock();
        if store.has_news()? || self.is_turned() {
            let today = self.today();
            let fresh = Book::of(today, &store.month_of(today)?);
            let old = self.book.write().renew(fresh);
            drop(old);
        }
        Ok(())
    }

    /// Whether another day has begun since the month was loaded.
    pub(super) fn is_turned(&self) -> bool {
        self.book.read().turned()
    }

    fn today(&self) -> Day {
        Day::of((self.clock)())
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Keeper")
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
