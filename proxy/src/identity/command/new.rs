//! `headworks keys new`.

use std::io::Read;
use std::time::SystemTime;

use super::store::Locked;
use super::{Console, Error, New, edit};
use crate::identity::digest::Digest;
use crate::identity::key::{Key, check_brought};
use crate::identity::keys::LONGEST;
use crate::identity::{Entry, moment};

/// How a keys file starts.
const HEAD: &str = "# API keys of Headworks, as hashes; a key itself is not kept.\n";

impl New {
    pub(super) fn run(&self, console: &mut Console<'_>, now: SystemTime) -> Result<(), Error> {
        // Before the lock, which others would wait for as long as somebody types.
        let key = self.key(console.input)?;
        let path = &self.file.path;
        let file = Locked::open_or_new(path, HEAD)?;
        let digest = Digest::of(&key.text);
        if let Some(id) = file.store.keys.id(&digest) {
            return Err(Error::Known(id.to_owned()));
        }
        let entry = self.entry(&key.id, &digest, now);
        let text =
            edit::append(&file.store.text, entry).ok_or_else(|| Error::InBrackets(path.clone()))?;
        file.replace(text)?;
        self.report(&key, console)
    }

    fn key(&self, input: &mut dyn Read) -> Result<Key, Error> {
        if !self.key_from_stdin {
            return Key::random().map_err(Error::Random);
        }
        let text = line(input)?;
        check_brought(&text).map_err(Error::BadKey)?;
        Key::brought(&text).map_err(Error::Random)
    }

    fn entry(&self, id: &str, digest: &Digest, now: SystemTime) -> Entry {
        Entry {
            id: id.to_owned(),
            hash: digest.to_string(),
            tenant: self.tenant.clone(),
            class: self.class.clone(),
            models: Some(self.models.clone()).filter(|models| !models.is_empty()),
            created: Some(moment::date(now)),
            revoked: None,
            note: self.note.clone(),
        }
    }

    fn report(&self, key: &Key, console: &mut Console<'_>) -> Result<(), Error> {
        let Key { id, text } = key;
        let file = self.file.path.display();
        if !self.key_from_stdin {
            let lost = |source| Error::Lost {
                id: id.clone(),
                source,
            };
            writeln!(console.out, "{text}")
                .and_then(|()| console.out.flush())
                .map_err(lost)?;
        }
        let tenant = &self.tenant;
        writeln!(
            console.notes,
            "added key `{id}` of tenant `{tenant}` to {file}"
        )?;
        if !self.key_from_stdin {
            writeln!(console.notes, "keep the key; it is not shown again")?;
        }
        Ok(())
    }
}

/// What is on standard input, without the newline at its end.
fn line(input: &mut dyn Read) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let most = LONGEST as u64 * 2;
    input
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(Error::Input)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
