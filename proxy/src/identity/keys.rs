//! Keys that can be looked up by what a request presents.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::Client;
use super::digest::Digest;
use super::problem::KeyProblem;

/// Longest key, in bytes; what is longer is not even hashed.
pub(super) const LONGEST: usize = 512;

/// The keys of one or more files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keys {
    by_digest: HashMap<Digest, Known>,
    /// Where the key with an id stands.
    ids: HashMap<Arc<str>, Home>,
}

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) client: Arc<Client>,
    /// From when on it is refused.
    pub(super) revoked: Option<SystemTime>,
    pub(super) home: Home,
}

/// Where a key stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Home {
    pub(super) origin: Arc<Path>,
    pub(super) index: usize,
    /// None where it is the main configuration.
    pub(super) line: Option<usize>,
}

impl Keys {
    /// These keys and others. An id or a key that both have is a problem of
    /// the others.
    pub fn merge(mut self, others: Self) -> Result<Self, Vec<KeyProblem>> {
        let mut others: Vec<_> = others.by_digest.into_iter().collect();
        others.sort_by_key(|(_, known)| known.home.index);
        let problems: Vec<_> = others
            .into_iter()
            .flat_map(|(digest, known)| self.take_in(digest, known))
            .collect();
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems)
        }
    }

    /// How many there are, revoked ones too.
    pub fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Who holds the key that is presented, unless it is revoked.
    pub fn find(&self, presented: &str, now: SystemTime) -> Option<Arc<Client>> {
        if presented.len() > LONGEST {
            return None;
        }
        let digest = Digest::of(presented);
        let found = self.by_digest.get_key_value(&digest);
        // The lookup may tell by its time how near a digest is, which leads to
        // no key. The comparison that counts does not, and is made of unknown
        // keys as well: they go the way of revoked ones.
        let stored = found.map_or(&Digest::NOBODY, |(stored, _)| stored);
        let is_same = digest.is_same(stored);
        let (_, known) = found?;
        (is_same && known.is_live(now)).then(|| known.client.clone())
    }

    /// The id of the key with this digest.
    pub(super) fn id(&self, digest: &Digest) -> Option<&str> {
        self.by_digest.get(digest).map(|known| &*known.client.key)
    }

    /// Takes an id, if it is free.
    pub(super) fn claim(&mut self, id: &Arc<str>, home: &Home) -> Result<(), String> {
        if let Some(other) = self.ids.get(id) {
            return Err(format!("`{id}` is taken by {other}"));
        }
        self.ids.insert(id.clone(), home.clone());
        Ok(())
    }

    /// Adds a key, if it is new.
    pub(super) fn insert(&mut self, digest: Digest, known: Known) -> Result<(), String> {
        if let Some(Known { home, .. }) = self.by_digest.get(&digest) {
            return Err(format!("is taken by {home}"));
        }
        self.by_digest.insert(digest, known);
        Ok(())
    }

    fn take_in(
        &mut self,
        digest: Digest,
        known: Known,
    ) -> impl Iterator<Item = KeyProblem> + use<> {
        let home = known.home.clone();
        let id = self.claim(&known.client.key, &home);
        let hash = self.insert(digest, known);
        [("id", id), ("hash", hash)]
            .into_iter()
            .filter_map(move |(name, free)| {
                Some(KeyProblem {
                    place: format!("keys[{}].{name}", home.index),
                    line: home.line,
                    message: free.err()?,
                })
            })
    }
}

impl Known {
    fn is_live(&self, now: SystemTime) -> bool {
        self.revoked.is_none_or(|revoked| now < revoked)
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(line) = self.line {
            return write!(f, ", line {line} of {}", self.origin.display());
        }
        f.write_str(" of the configuration")
    }
}
