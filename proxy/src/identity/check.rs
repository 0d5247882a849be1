//! From what people write of keys to keys that can be looked up. Every problem
//! is collected; where there is one, no keys leave.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use toml::value::Datetime;

use super::keys::{Home, Known};
use super::moment::moment;
use super::problem::{KeyProblem, Problems};
use super::{Client, Entry, Keys, read};
use crate::config::Place;

/// Longest name of a tenant, a class or a key, in characters.
const NAME: usize = 64;

/// Longest name of a model and longest note, in characters.
const TEXT: usize = 256;

impl Keys {
    /// Reads the text of a keys file, finding every problem at once. `origin`
    /// names the file when another one has the same key.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, Vec<KeyProblem>> {
        let (entries, problems) = read::entries(text)?;
        keys(entries, problems, origin)
    }

    /// Takes keys that stand elsewhere, such as in the main configuration.
    pub fn from_entries(entries: Vec<Entry>) -> Result<Self, Vec<KeyProblem>> {
        keys(entries, Problems::default(), Path::new(""))
    }
}

/// The keys that entries stand for; `origin` names their file.
fn keys(entries: Vec<Entry>, problems: Problems, origin: &Path) -> Result<Keys, Vec<KeyProblem>> {
    let mut checker = Checker {
        problems,
        keys: Keys::default(),
    };
    let origin: Arc<Path> = origin.into();
    for (index, entry) in entries.into_iter().enumerate() {
        checker.entry(entry, index, &origin);
    }
    checker.problems.into_result(checker.keys)
}

/// Whether a tenant or a class may be called this; else what it must be.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=NAME).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(format!(
        "must be 1 to {NAME} of the characters a-z, A-Z, 0-9, `.`, `_` and `-`"
    ))
}

/// An id is told from an option of a command, and from nobody's, by its start.
fn check_id(id: &str) -> Result<(), String> {
    check_name(id)?;
    if id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err("must start with a letter or a digit".to_owned())
}

/// Whether a model may be called this; else what it must be.
pub(super) fn check_model(model: &str) -> Result<(), String> {
    if model.is_empty() {
        return Err("must not be empty".to_owned());
    }
    check_note(model)
}

/// Whether this can be a note; else what it must be. A note is shown on
/// terminals, which obey control characters.
pub(super) fn check_note(note: &str) -> Result<(), String> {
    if note.chars().count() <= TEXT && !note.contains(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "must be at most {TEXT} characters, none of them a control character"
    ))
}

struct Checker {
    problems: Problems,
    keys: Keys,
}

impl Checker {
    fn entry(&mut self, entry: Entry, index: usize, origin: &Arc<Path>) {
        let at = Place::default().key("keys").index(index);
        let home = Home {
            origin: origin.clone(),
            index,
            line: self.problems.line(&at.to_string()),
        };
        let id: Arc<str> = entry.id.as_str().into();
        let free = check_id(&id).and_then(|()| self.keys.claim(&id, &home));
        self.accept(free, &at.key("id"));
        self.moment(entry.created.as_ref(), &at.key("created"));
        let revoked = self.moment(entry.revoked.as_ref(), &at.key("revoked"));
        let note = entry.note.as_deref().unwrap_or_default();
        self.accept(check_note(note), &at.key("note"));
        let hash = entry.hash.parse();
        let known = Known {
            client: Arc::new(self.client(entry, id, &at)),
            revoked,
            home,
        };
        let free = hash.and_then(|digest| self.keys.insert(digest, known));
        self.accept(free, &at.key("hash"));
    }

    fn client(&mut self, entry: Entry, key: Arc<str>, at: &Place) -> Client {
        self.accept(check_name(&entry.tenant), &at.key("tenant"));
        self.accept(check_name(entry.class()), &at.key("class"));
        Client {
            key,
            class: entry.class().into(),
            tenant: entry.tenant.into(),
            models: entry
                .models
                .map(|models| self.models(models, &at.key("models"))),
        }
    }

    fn models(&mut self, models: Vec<String>, at: &Place) -> BTreeSet<Arc<str>> {
        if models.is_empty() {
            self.problems.push(
                at,
                "must name at least one model; leave it out to allow all",
            );
        }
        for (index, model) in models.iter().enumerate() {
            self.accept(check_model(model), &at.index(index));
        }
        models.into_iter().map(Arc::from).collect()
    }

    fn moment(&mut self, date: Option<&Datetime>, at: &Place) -> Option<SystemTime> {
        self.accept(moment(date?), at)
    }

    fn accept<T>(&mut self, value: Result<T, String>, at: &Place) -> Option<T> {
        value
            .map_err(|message| self.problems.push(at, message))
            .ok()
    }
}
