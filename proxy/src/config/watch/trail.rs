//! The directory entries that decide which file a path leads to.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// As many symlinks as Linux follows.
const MOST_LINKS: usize = 40;

/// Every entry from the root to the file, with those that symlinks lead
/// through: a change of the file's content or identity is a change at one of
/// them. The path is absolute.
pub(super) fn trail(path: &Path) -> BTreeSet<PathBuf> {
    let mut entries = BTreeSet::new();
    let mut links = 0;
    let mut here = PathBuf::new();
    let mut ahead = parts(path);
    while let Some(part) = ahead.pop() {
        if part == ".." {
            here.pop();
            continue;
        }
        // A part that is the root replaces all before it.
        let entry = here.join(part);
        match fs::read_link(&entry) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                ahead.extend(parts(&target));
            }
            _ => here.clone_from(&entry),
        }
        entries.insert(entry);
    }
    entries
}

/// The parts of a path, the next one last.
fn parts(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .map(|part| part.as_os_str().to_owned())
        .filter(|part| part != ".")
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn follows_a_config_map_through_both_of_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("..2026")).unwrap();
        fs::write(root.join("..2026/a.toml"), "").unwrap();
        symlink("..2026", root.join("..data")).unwrap();
        symlink("..data/a.toml", root.join("a.toml")).unwrap();

        let below: Vec<_> = trail(&root.join("a.toml"))
            .iter()
            .filter_map(|e| Some(e.strip_prefix(&root).ok()?.to_owned()))
            .collect();
        assert_eq!(
            below,
            ["", "..2026", "..2026/a.toml", "..data", "a.toml"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_circle_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        assert!(trail(&folder.path().join("a")).contains(&folder.path().join("b")));
    }
}
