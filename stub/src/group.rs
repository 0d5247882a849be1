//! Processes that share one card: each marks itself busy with a file lock, so
//! that a process that dies stops counting.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Members of one group at most.
const MEMBERS: usize = 8;

/// A place in a group of processes that share a card.
pub(crate) struct Group {
    /// Locked while the member of that number works.
    busy: Vec<File>,
    me: usize,
    /// Locked for as long as this process holds its place.
    _place: File,
}

impl Group {
    /// Takes a free place in the group called `name`.
    pub(crate) fn join(name: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("headworks-stub-{name}"));
        fs::create_dir_all(&folder)?;
        let (me, place) = free_place(&folder)?;
        let busy = (0..MEMBERS)
            .map(|member| open(&folder, "busy", member))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            busy,
            me,
            _place: place,
        })
    }

    /// Says whether this member works.
    pub(crate) fn mark(&self, busy: bool) {
        let file = &self.busy[self.me];
        // A member that looks holds the lock for an instant, so this waits.
        let marked = if busy { file.lock() } else { file.unlock() };
        if let Err(error) = marked {
            eprintln!("cannot mark this member of the group: {error}");
        }
    }

    /// How many members work, this one included.
    pub(crate) fn busy(&self) -> u32 {
        let others = self
            .busy
            .iter()
            .enumerate()
            .filter(|(member, _)| *member != self.me);
        1 + others.filter(|(_, file)| is_locked(file)).count() as u32
    }
}

fn free_place(folder: &Path) -> io::Result<(usize, File)> {
    for member in 0..MEMBERS {
        let place = open(folder, "place", member)?;
        match place.try_lock() {
            Ok(()) => return Ok((member, place)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!(
        "the group has {MEMBERS} members already, stop one or name another group"
    )))
}

fn open(folder: &Path, what: &str, member: usize) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(format!("{what}-{member}")))
}

fn is_locked(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().is_err(),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_see_who_works() {
        let name = format!("test-{}", std::process::id());
        let one = Group::join(&name).unwrap();
        let two = Group::join(&name).unwrap();
        assert_eq!(one.busy(), 1);
        two.mark(true);
        assert_eq!((one.busy(), two.busy()), (2, 1));
        two.mark(false);
        assert_eq!(one.busy(), 1);
        fs::remove_dir_all(std::env::temp_dir().join(format!("headworks-stub-{name}"))).unwrap();
    }
}
