//! `headworks keys revoke`.

use std::time::SystemTime;

use super::store::{Locked, Store};
use super::{Console, Error, Revoke, edit};
use crate::config::did_you_mean;
use crate::identity::key::id_within;
use crate::identity::{Entry, moment};

impl Revoke {
    pub(super) fn run(&self, console: &mut Console<'_>, now: SystemTime) -> Result<(), Error> {
        // Before anything can repeat it.
        if let Some(id) = id_within(&self.id) {
            return Err(Error::NotAnId(id.to_owned()));
        }
        let id = &self.id;
        let file = Locked::open(&self.file.path)?;
        let entry = self.entry(&file.store)?;
        if let Some(date) = entry.revoked
            && moment::moment(&date).is_ok_and(|revoked| revoked <= now)
        {
            writeln!(console.notes, "key `{id}` was revoked before, at {date}")?;
            return Ok(());
        }
        let text = edit::revoke(&file.store.text, id, &moment::date(now))
            .ok_or_else(|| self.no_key(&file.store))?;
        let tenant = entry.tenant.clone();
        file.replace(text)?;
        writeln!(console.notes, "revoked key `{id}` of tenant `{tenant}`")?;
        Ok(())
    }

    fn entry<'a>(&self, store: &'a Store) -> Result<&'a Entry, Error> {
        let found = store.entries.iter().find(|entry| entry.id == self.id);
        found.ok_or_else(|| self.no_key(store))
    }

    fn no_key(&self, store: &Store) -> Error {
        let ids = store.entries.iter().map(|entry| entry.id.as_str());
        Error::NoKey {
            id: self.id.clone(),
            hint: match did_you_mean(&self.id, ids) {
                Some(id) => format!("; did you mean `{id}`?"),
                None => "; `headworks keys list` shows all there are".to_owned(),
            },
        }
    }
}
