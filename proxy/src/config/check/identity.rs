//! Who may use the gateway: the keys of the configuration and of their file.

use std::path::PathBuf;
use std::sync::Arc;

use super::Checker;
use crate::config::{Identity, Place, file};
use crate::identity::{self, KeyProblem, Keys, check_name};

impl Checker<'_> {
    /// `None` where nothing is said of it.
    pub(super) fn identity(&mut self, file: &file::Identity, at: &Place) -> Option<Identity> {
        if *file == file::Identity::default() {
            return None;
        }
        let keys_file = file.keys_file.as_ref().map(|file| self.folder.join(file));
        let own = self.own_keys(file, at);
        let keys = match &keys_file {
            Some(path) => self.merged(own, path, &at.key("keys_file")),
            None => own,
        };
        let anonymous = file.anonymous.as_ref();
        if let Some(Err(problem)) = anonymous.map(|name| check_name(name)) {
            self.problem(&at.key("anonymous"), problem);
        }
        let anonymous = anonymous.map(|name| name.as_str().into());
        Some(Identity {
            known: Arc::new(identity::Identity::new(keys, anonymous)),
            keys_file,
        })
    }

    fn own_keys(&mut self, file: &file::Identity, at: &Place) -> Keys {
        Keys::from_entries(file.keys.clone()).unwrap_or_else(|problems| {
            for KeyProblem { place, message, .. } in problems {
                self.problem(at, format!("{place}: {message}"));
            }
            Keys::default()
        })
    }

    fn merged(&mut self, own: Keys, path: &PathBuf, at: &Place) -> Keys {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("`{}` cannot be read: {error}", path.display()));
        let text = match text {
            Ok(text) => text,
            Err(problem) => {
                self.problem(at, problem);
                return own;
            }
        };
        let merged = Keys::parse(&text, path).and_then(|keys| own.merge(keys));
        merged.unwrap_or_else(|problems| {
            for problem in problems {
                self.problem(at, format!("`{}`: {problem}", path.display()));
            }
            Keys::default()
        })
    }
}
