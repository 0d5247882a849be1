//! The keys file on disk. Whoever changes it holds a lock on its folder, so
//! that two commands at once lose nothing; whoever reads it sees it as it was
//! before or after a change.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use super::Error;
use crate::identity::{Entry, Keys, read};

/// A keys file as it was read.
pub(super) struct Store {
    path: PathBuf,
    pub(super) text: String,
    pub(super) keys: Keys,
    pub(super) entries: Vec<Entry>,
}

/// A keys file that nobody else changes for now.
pub(super) struct Locked {
    pub(super) store: Store,
    /// The file itself, where the path given is a symlink to it.
    target: PathBuf,
    folder: File,
}

impl Store {
    /// Reads and checks a file.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NoFile(path.to_owned()),
            _ => failed("read", path)(error),
        })?;
        Self::parse(text, path)
    }

    fn parse(text: String, path: &Path) -> Result<Self, Error> {
        let invalid = |problems| Error::Invalid {
            path: path.to_owned(),
            problems,
        };
        let keys = Keys::parse(&text, path).map_err(invalid)?;
        let (entries, _) = read::entries(&text).map_err(invalid)?;
        Ok(Self {
            path: path.to_owned(),
            text,
            keys,
            entries,
        })
    }
}

impl Locked {
    /// Waits for others to be done with the file, and reads it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Self::read_with(path, || Store::read(path))
    }

    /// The same, of a file that may not be there yet; `text` is how it starts.
    pub(super) fn open_or_new(path: &Path, text: &str) -> Result<Self, Error> {
        Self::read_with(path, || match Store::read(path) {
            Err(Error::NoFile(_)) => Store::parse(text.to_owned(), path),
            other => other,
        })
    }

    fn read_with(path: &Path, read: impl FnOnce() -> Result<Store, Error>) -> Result<Self, Error> {
        let target = target(path)?;
        let folder = lock(&target)?;
        let store = read()?;
        Ok(Self {
            store,
            target,
            folder,
        })
    }

    /// Gives the file this text, all at once, if it is a good one.
    pub(super) fn replace(self, text: String) -> Result<(), Error> {
        let after = Store::parse(text, &self.store.path)?;
        swap(&self.target, &after.text)
            .and_then(|()| self.folder.sync_all())
            .map_err(failed("write", &after.path))
    }
}

/// Where the file is or will be. A symlink to it stays one.
fn target(path: &Path) -> Result<PathBuf, Error> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        other => other.map_err(failed("read", path)),
    }
}

/// The lock is gone when the file that is returned is closed. It is on the
/// folder since the keys file is another one after each change.
fn lock(path: &Path) -> Result<File, Error> {
    let folder = folder(path);
    let file = File::open(folder).map_err(failed("open the folder", folder))?;
    file.lock().map_err(failed("lock the folder", folder))?;
    Ok(file)
}

/// A temporary file is readable by its owner only. One that takes the place of
/// another gets its owner and mode: who could read the keys still can.
fn swap(path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".keys-")
        .tempfile_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(path) {
        Ok(old) => become_like(file.as_file(), &old)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn become_like(file: &File, old: &fs::Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))
            .map_err(|error| io::Error::other(format!("its owner cannot be kept: {error}")))?;
    }
    file.set_permissions(old.permissions())
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
