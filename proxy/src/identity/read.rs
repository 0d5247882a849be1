//! From the text of a keys file to the entries in it and their lines. A value
//! of the wrong type is reported and left out, so that the rest can be checked
//! in the same run.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};
use toml::value::Datetime;

use super::entry::{Entry, FIELDS};
use super::problem::{KeyProblem, Problems};
use crate::config::{Place, suggest};

/// The entries, with the problems found on the way.
pub(super) fn entries(text: &str) -> Result<(Vec<Entry>, Problems), Vec<KeyProblem>> {
    let document = document(text)?;
    let mut reader = Reader {
        lines: Lines::of(text),
        problems: Problems::default(),
    };
    let entries = reader.file(document.get_ref());
    Ok((entries, reader.problems))
}

/// The file, if it is TOML.
pub(super) fn document(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<KeyProblem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(document);
    }
    let lines = Lines::of(text);
    let mut problems: Vec<_> = errors.iter().map(|error| syntax(error, &lines)).collect();
    problems.sort_by_key(|problem| problem.line);
    Err(problems)
}

fn syntax(error: &Error, lines: &Lines) -> KeyProblem {
    KeyProblem {
        place: String::new(),
        line: error.span().map(|span| lines.at(span.start)),
        message: error.message().replace('\n', ", "),
    }
}

struct Reader {
    lines: Lines,
    problems: Problems,
}

impl Reader {
    fn file(&mut self, file: &DeTable<'_>) -> Vec<Entry> {
        let root = Place::default();
        self.names(file, &["keys"], &root);
        let at = root.key("keys");
        let keys = self.field(file, "keys", &root, "a list of tables", DeValue::as_array);
        keys.into_iter()
            .flat_map(|keys| keys.iter())
            .enumerate()
            .map(|(index, entry)| self.entry(entry, &at.index(index)))
            .collect()
    }

    fn entry(&mut self, entry: &Spanned<DeValue<'_>>, at: &Place) -> Entry {
        self.problems.locate(at, self.lines.at(entry.span().start));
        let Some(table) = entry.get_ref().as_table() else {
            self.problems.push(at, "must be a table");
            return Entry::default();
        };
        self.names(table, &FIELDS, at);
        Entry {
            id: self.required(table, "id", at),
            hash: self.required(table, "hash", at),
            tenant: self.required(table, "tenant", at),
            class: self.string(table, "class", at),
            models: self.field(table, "models", at, "a list of strings", strings),
            created: self.date(table, "created", at),
            revoked: self.date(table, "revoked", at),
            note: self.string(table, "note", at),
        }
    }

    /// Learns where the values of a table stand, and refuses unknown ones.
    fn names(&mut self, table: &DeTable<'_>, known: &[&str], at: &Place) {
        for name in table.keys() {
            let place = at.key(name.get_ref());
            self.problems
                .locate(&place, self.lines.at(name.span().start));
            if !known.contains(&&**name.get_ref()) {
                let hint = suggest(name.get_ref(), known.iter().copied());
                self.problems.push(&place, format!("unknown key{hint}"));
            }
        }
    }

    /// Empty if it is missing, which is no good value of anything.
    fn required(&mut self, table: &DeTable<'_>, name: &str, at: &Place) -> String {
        if table.get(name).is_none() {
            self.problems.push(&at.key(name), "is missing");
        }
        self.string(table, name, at).unwrap_or_default()
    }

    fn string(&mut self, table: &DeTable<'_>, name: &str, at: &Place) -> Option<String> {
        self.field(table, name, at, "a string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    fn date(&mut self, table: &DeTable<'_>, name: &str, at: &Place) -> Option<Datetime> {
        self.field(table, name, at, "a date without quotes", |value| {
            value.as_datetime().copied()
        })
    }

    /// What was written is not repeated: it may be a key.
    fn field<'value, 'text, T>(
        &mut self,
        table: &'value DeTable<'text>,
        name: &str,
        at: &Place,
        expected: &str,
        read: impl Fn(&'value DeValue<'text>) -> Option<T>,
    ) -> Option<T> {
        let found = read(table.get(name)?.get_ref());
        if found.is_none() {
            self.problems
                .push(&at.key(name), format!("must be {expected}"));
        }
        found
    }
}

fn strings(value: &DeValue<'_>) -> Option<Vec<String>> {
    let strings = value.as_array()?.iter();
    strings
        .map(|value| value.get_ref().as_str().map(str::to_owned))
        .collect()
}

/// The offsets at which lines start.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The line, from 1, that has the byte at this offset.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
