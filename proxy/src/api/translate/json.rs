//! JSON written from parts that are JSON already. What was read stays as it
//! was spelled: numbers as they came, strings as escaped as they came.

use serde_json::value::RawValue;

use crate::api::body::quote;

/// A JSON object, written member by member.
#[derive(Debug)]
pub(super) struct Object(String);

impl Object {
    /// No members.
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member; `value` must be JSON text.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quote(key));
        self.0.push(':');
        self.0.push_str(value);
    }

    /// Adds a member; `value` must be JSON text.
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.add(key, value);
        self
    }

    /// The object as JSON text.
    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON array; the items must be JSON text.
pub(super) fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// What stands between the quotes of a JSON string. Put one after the other
/// such insides are the inside of the joined string, even where a character's
/// two surrogates were told in two pieces.
pub(super) fn inside(string: &RawValue) -> Option<&str> {
    string.get().strip_prefix('"')?.strip_suffix('"')
}

/// A JSON string of insides.
pub(super) fn string(insides: &[&str]) -> String {
    format!("\"{}\"", insides.concat())
}
