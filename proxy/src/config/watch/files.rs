//! The watched files, what they held when last looked at, and the directories
//! in which the system reports changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode};
use notify::{
    ErrorKind, Event, EventHandler, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
};
use sha2::{Digest, Sha256};
use tracing::{debug, warn};

use super::trail::trail;

/// SHA-256 of a file's content; nothing where it cannot be read.
type Content = Option<[u8; 32]>;

/// Without a watcher by default: then somebody has to look from time to time.
#[derive(Default)]
pub(super) struct Files {
    contents: BTreeMap<PathBuf, Content>,
    /// The directory entries whose change may change a file.
    entries: BTreeSet<PathBuf>,
    directories: BTreeSet<PathBuf>,
    /// None where the system does not tell.
    watcher: Option<RecommendedWatcher>,
}

impl Files {
    /// Files whose changes the system tells, where it does.
    pub(super) fn new(on_event: impl EventHandler) -> Self {
        let watcher = notify::recommended_watcher(on_event)
            .inspect_err(|error| warn!(%error, "cannot be told of file changes; looking every second instead"))
            .ok();
        Self {
            watcher,
            ..Self::default()
        }
    }

    /// Whether the system tells of changes; otherwise look from time to time.
    pub(super) fn are_watched(&self) -> bool {
        self.watcher.is_some()
    }

    /// Exchanges the set of files. Those that stay keep what they held, so that
    /// a change since the last look is still found by the next.
    pub(super) fn replace(&mut self, files: Vec<PathBuf>) {
        let mut before = std::mem::take(&mut self.contents);
        let files: Vec<_> = files
            .into_iter()
            .map(|file| std::path::absolute(&file).unwrap_or(file))
            .collect();
        self.contents = files.iter().map(|file| (file.clone(), None)).collect();
        self.follow();
        for (file, held) in &mut self.contents {
            *held = before.remove(file).unwrap_or_else(|| content(file));
        }
    }

    /// Whether this event may have changed a file.
    pub(super) fn concerned_by(&self, event: &notify::Result<Event>) -> bool {
        let Ok(event) = event else { return true };
        let may_change = match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            _ => true,
        };
        may_change
            && (event.paths.is_empty()
                || event.paths.iter().any(|path| self.entries.contains(path)))
    }

    /// Whether any file holds something else than at the last look.
    pub(super) fn look(&mut self) -> bool {
        self.follow();
        let mut changed = false;
        for (file, held) in &mut self.contents {
            let holds = content(file);
            changed |= holds != *held;
            *held = holds;
        }
        changed
    }

    /// Watches the directories that lead to the files now. A link that changes
    /// meanwhile leads elsewhere, so it is followed until it holds still.
    fn follow(&mut self) {
        loop {
            let entries = self.trails();
            let directories = entries
                .iter()
                .filter_map(|entry| entry.parent().map(Path::to_owned))
                .collect();
            self.watch(directories);
            self.entries = entries;
            if self.trails() == self.entries {
                return;
            }
        }
    }

    fn trails(&self) -> BTreeSet<PathBuf> {
        self.contents.keys().flat_map(|file| trail(file)).collect()
    }

    fn watch(&mut self, directories: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.directories.difference(&directories) {
            // An error means that the directory itself is gone.
            watcher.unwatch(gone).ok();
        }
        // Known ones as well: a new directory may stand in an old one's place.
        for directory in &directories {
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                    warn!(%error, "cannot watch more files; looking every second instead");
                    self.watcher = None;
                    return;
                }
                // Missing, which its parent tells; or closed to us, as those far up may be.
                Err(error) => debug!(%error, directory = %directory.display(), "not watched"),
            }
        }
        self.directories = directories;
    }
}

fn content(file: &Path) -> Content {
    fs::read(file)
        .ok()
        .map(|bytes| Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_is_no_change_and_a_write_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        fs::write(&file, "one").unwrap();
        let mut files = Files::new(|_| {});
        files.replace(vec![file.clone()]);

        fs::write(&file, "one").unwrap();
        assert!(!files.look());
        fs::write(&file, "two").unwrap();
        assert!(files.look());
        assert!(!files.look());
    }

    #[test]
    fn a_change_before_the_set_is_exchanged_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "one").unwrap();
        let mut files = Files::new(|_| {});
        files.replace(vec![old.clone()]);

        fs::write(&old, "two").unwrap();
        files.replace(vec![old, new]);
        assert!(files.look());
    }

    #[test]
    fn a_file_that_left_the_set_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "one").unwrap();
        let mut files = Files::new(|_| {});
        files.replace(vec![old.clone()]);
        files.replace(vec![new]);

        fs::write(&old, "two").unwrap();
        assert!(!files.look());
    }
}
