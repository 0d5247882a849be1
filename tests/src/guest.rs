//! Filters for tests, and filters in a chain.

use std::path::PathBuf;

use serde::Serialize;
use toml::{Table, Value};

use crate::program;

/// A filter of a chain.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The file to lay beside the configuration, and what is in it.
    pub(crate) module: Option<(String, Vec<u8>)>,
    pub(crate) table: Table,
}

impl Guest {
    /// A guest of `tests/guests`, or an example or filter, by its name with
    /// underscores. The filter is named as the guest is.
    pub fn of(guest: &str) -> Self {
        Self::module(guest, guest_bytes(guest))
    }

    /// A filter of this name with this code.
    pub fn module(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let file = format!("{name}.wasm");
        Self {
            table: table([("name", name), ("module", &file)]),
            module: Some((file, bytes.into())),
        }
    }

    /// A filter that comes with the gateway.
    pub fn builtin(name: &str) -> Self {
        let module = format!("builtin:{name}");
        Self {
            table: table([("name", name), ("module", &module)]),
            module: None,
        }
    }

    /// Gives it settings.
    #[must_use]
    pub fn settings(self, settings: impl Serialize) -> Self {
        self.set("settings", settings)
    }

    /// Sets a key of its table, such as `on_error`.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Serialize) -> Self {
        let value = Value::try_from(value).expect("TOML has such values");
        self.table.insert(key.to_owned(), value);
        self
    }
}

fn table<const N: usize>(pairs: [(&str, &str); N]) -> Table {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), Value::from(value)));
    pairs.into_iter().collect()
}

/// The code of a guest, by its name with underscores.
///
/// # Panics
/// When it is not built.
pub fn guest_bytes(guest: &str) -> Vec<u8> {
    let folder = program::root().join("target/guests");
    let for_tests = folder.join(format!("guest_{guest}.wasm"));
    let path = if for_tests.is_file() {
        for_tests
    } else {
        folder.join(PathBuf::from(guest).with_extension("wasm"))
    };
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()))
}

/// The same code with another digest: a custom section, which means nothing,
/// holds a number. A host that knows the code has to compile this.
pub fn unlike(module: &[u8], number: u64) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    const NAME: &[u8] = b"test";
    let mut content = vec![NAME.len() as u8];
    content.extend_from_slice(NAME);
    content.extend_from_slice(&number.to_le_bytes());
    let mut bytes = module.to_vec();
    bytes.extend_from_slice(&[CUSTOM, content.len() as u8]);
    bytes.extend_from_slice(&content);
    bytes
}
