//! Opens the file: makes it if there is none, and refuses what is not a ledger
//! or one that a newer gateway has changed.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::LedgerError;

/// The format that this gateway reads and writes.
pub(super) const VERSION: i64 = 1;

/// Tells a ledger from other databases: the letters HWLG.
const APPLICATION: i64 = 0x4857_4c47;

/// How long another program may keep the file for itself.
const PATIENCE: Duration = Duration::from_secs(5);

const CREATE: &str = "
    CREATE TABLE usage (
        day TEXT NOT NULL,
        tenant TEXT NOT NULL,
        key TEXT NOT NULL,
        class TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        PRIMARY KEY (day, tenant, key, class, model)
    ) STRICT, WITHOUT ROWID";

/// Opens it for a gateway.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    if !exists(path)? {
        create_private(path)?;
    }
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let failed = |error| LedgerError::of(path, error);
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(failed)?;
    if is_new(path, &transaction)? {
        create(&transaction).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    share(path, &connection)?;
    Ok(connection)
}

/// Opens it for somebody who only looks.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, LedgerError> {
    if !exists(path)? {
        let path = path.to_owned();
        return Err(LedgerError::Missing { path });
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if is_new(path, &connection)? {
        let path = path.to_owned();
        return Err(LedgerError::NotALedger { path });
    }
    Ok(connection)
}

/// Whether there is a file; an error if there is something else. It is not
/// opened: to close it would end the locks that SQLite holds on it for this
/// process.
fn exists(path: &Path) -> Result<bool, LedgerError> {
    let path = path.to_owned();
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(LedgerError::NotALedger { path }),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(LedgerError::Open { path, cause }),
    }
}

/// SQLite gives the files beside it the same rights.
fn create_private(path: &Path) -> Result<(), LedgerError> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(LedgerError::Open {
            path: path.to_owned(),
            cause,
        }),
        _ => Ok(()),
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, LedgerError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(PATIENCE)?;
        Ok(connection)
    });
    opened.map_err(|error| LedgerError::of(path, error))
}

/// Whether there is nothing in it yet; an error if it is not ours to use.
fn is_new(path: &Path, connection: &Connection) -> Result<bool, LedgerError> {
    let facts = || {
        let application = number(connection, "PRAGMA application_id")?;
        let version = number(connection, "PRAGMA user_version")?;
        let tables = number(connection, "SELECT count(*) FROM sqlite_schema")?;
        Ok((application, version, tables))
    };
    let path = path.to_owned();
    match facts() {
        Err(error) => Err(LedgerError::of(&path, error)),
        Ok((0, 0, 0)) => Ok(true),
        Ok((APPLICATION, VERSION, _)) => Ok(false),
        Ok((APPLICATION, version, _)) if version > VERSION => {
            Err(LedgerError::Newer { path, version })
        }
        Ok(_) => Err(LedgerError::NotALedger { path }),
    }
}

/// The one number that a query gives.
pub(super) fn number(connection: &Connection, query: &str) -> rusqlite::Result<i64> {
    connection.query_row(query, [], |row| row.get(0))
}

fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(CREATE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// Lets others read while it is written. What is written is on the disk and
/// not only with the system, so that it outlives a power cut.
fn share(path: &Path, connection: &Connection) -> Result<(), LedgerError> {
    let to_wal = || connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
    let failed = |error| LedgerError::of(path, error);
    let mode: String = patiently(to_wal).map_err(failed)?;
    if mode != "wal" {
        let path = path.to_owned();
        return Err(LedgerError::NoWal { path });
    }
    let synced = connection.pragma_update(None, "synchronous", "FULL");
    synced.map_err(failed)
}

/// SQLite does not wait by itself where two change the mode at the same time.
fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
