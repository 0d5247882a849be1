//! Where in a configuration file a value stands, so that a problem found long
//! after parsing can still name its line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration file and the lines of its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The file.
    pub origin: PathBuf,
    lines: BTreeMap<String, usize>,
}

/// The path of a value within the file: `pools.gpu.endpoints[0]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place(String);

impl Place {
    /// The place of the value with this key.
    pub fn key(&self, key: &str) -> Self {
        let bare = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let key = if bare {
            key.to_owned()
        } else {
            format!("{key:?}")
        };
        if self.0.is_empty() {
            Self(key)
        } else {
            Self(format!("{}.{key}", self.0))
        }
    }

    /// The place of the element with this index.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Source {
    /// A file of which nothing is known but its name.
    pub fn unread(origin: &Path) -> Self {
        Self {
            origin: origin.to_owned(),
            lines: BTreeMap::new(),
        }
    }

    pub(super) fn new(origin: &Path, text: &str, document: &DeTable<'_>) -> Self {
        let mut source = Self::unread(origin);
        source.add_table(&LineStarts::of(text), document, &Place::default());
        source
    }

    /// The line, from 1, of the value at this path or of the closest one that
    /// holds it.
    pub fn line(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    fn add_table(&mut self, starts: &LineStarts, table: &DeTable<'_>, at: &Place) {
        for (key, value) in table {
            let place = at.key(key.get_ref());
            self.lines
                .insert(place.to_string(), starts.line(key.span().start));
            self.add_inner(starts, value, &place);
        }
    }

    fn add_inner(&mut self, starts: &LineStarts, value: &Spanned<DeValue<'_>>, at: &Place) {
        match value.get_ref() {
            DeValue::Table(table) => self.add_table(starts, table, at),
            DeValue::Array(array) => {
                for (index, element) in array.iter().enumerate() {
                    let place = at.index(index);
                    self.lines
                        .insert(place.to_string(), starts.line(element.span().start));
                    self.add_inner(starts, element, &place);
                }
            }
            _ => {}
        }
    }
}

/// The byte offsets at which lines start.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
