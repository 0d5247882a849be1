//! Why a ledger cannot be opened, read or written.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::schema::VERSION;

/// What went wrong with which file. The cause is part of the message, and so
/// not named again as its source.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file can be neither opened nor created.
    #[error(
        "ledger `{}` cannot be opened: {cause}; its folder must exist and the gateway's user must be allowed to write to it",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// There is nothing to read.
    #[error(
        "there is no ledger `{}`; name the file that a gateway's configuration names",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else, and stays as it is.
    #[error(
        "`{}` is not a ledger of Headworks; move it away, or name another file",
        path.display()
    )]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the gateway has changed the file.
    #[error(
        "ledger `{}` was written by a newer Headworks: it has format {version} and this one knows {VERSION}; upgrade this one, or name another file",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: i64,
    },
    /// What is in the file makes no sense.
    #[error(
        "ledger `{path}` is damaged: {cause}; move it away with `{path}-wal` and a new one begins, and `sqlite3 {path} .recover` may save what it holds",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The file, or its folder, may not be written.
    #[error(
        "ledger `{}` cannot be used: {cause}; SQLite keeps files beside it, so the user that runs this, best the gateway's, must be allowed to write to it and to its folder",
        path.display()
    )]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The disk is full.
    #[error("ledger `{}` cannot grow: {cause}; make room on its disk", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// Another program keeps the file for itself.
    #[error(
        "ledger `{}` is locked: {cause}; end the transaction of the program that writes to it",
        path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The file cannot be shared with readers.
    #[error(
        "ledger `{}` is on a disk that cannot do SQLite's WAL mode; put it on a local one",
        path.display()
    )]
    NoWal {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("ledger `{}` cannot be used: {cause}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// There is no thread to write it.
    #[error("ledger `{}` cannot be written: no thread for it: {cause}", path.display())]
    Thread {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

impl LedgerError {
    /// What SQLite says of this file.
    pub(super) fn of(path: &Path, cause: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotALedger { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, cause },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Forbidden { path, cause }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path, cause },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { path, cause }
            }
            None if is_nonsense(&cause) => Self::Damaged { path, cause },
            _ => Self::Other { path, cause },
        }
    }
}

/// A value that the gateway does not write.
fn is_nonsense(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType};
    matches!(error, FromSqlConversionFailure(..) | InvalidColumnType(..))
}
