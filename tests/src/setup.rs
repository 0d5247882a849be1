//! A gateway to be: its configuration, from a few words.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use crate::{Guest, ModelServer, Scripted, root};

/// The configuration of a gateway, and the modules it names.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    table: Table,
    modules: Vec<(String, Vec<u8>)>,
    pub(crate) compiles_anew: bool,
    pub(crate) logs_all: bool,
    pub(crate) notifies: Option<PathBuf>,
}

impl Setup {
    /// What a file of the repository says, such as `config/demo.toml`.
    ///
    /// # Panics
    /// When it is not there, or is no TOML.
    pub fn file(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path)).expect("the file can be read");
        Self {
            table: text.parse().expect("the file is TOML"),
            ..Self::default()
        }
    }

    /// A pool of TGI servers.
    #[must_use]
    pub fn pool<U: Into<String>>(self, name: &str, urls: impl IntoIterator<Item = U>) -> Self {
        self.pool_of("tgi", name, urls)
    }

    /// A pool of servers that speak a protocol.
    #[must_use]
    pub fn pool_of<U: Into<String>>(
        self,
        protocol: &str,
        name: &str,
        urls: impl IntoIterator<Item = U>,
    ) -> Self {
        let urls: Vec<String> = urls.into_iter().map(Into::into).collect();
        self.set(&format!("pools.{name}.protocol"), protocol)
            .set(&format!("pools.{name}.endpoints"), urls)
    }

    /// A pool named as the model, of this one server.
    #[must_use]
    pub fn model(self, model: &ModelServer) -> Self {
        self.pool(model.name(), [model.url()])
    }

    /// A pool of one scripted server, which is asked for nothing but what the
    /// test asks.
    #[must_use]
    pub fn scripted(self, name: &str, server: &Scripted) -> Self {
        self.pool(name, [server.url()]).unwatched(name)
    }

    /// Has nobody look after the endpoints of a pool.
    #[must_use]
    pub fn unwatched(self, pool: &str) -> Self {
        self.set(&format!("pools.{pool}.health.interval"), "0s")
            .set(&format!("pools.{pool}.health.scrape"), false)
    }

    /// Adds a filter to the end of the chain.
    #[must_use]
    pub fn filter(mut self, guest: Guest) -> Self {
        self.modules.extend(guest.module);
        let filters = self.table.entry("filters").or_insert(Value::Array(vec![]));
        let filters = filters.as_array_mut().expect("filters are a list");
        filters.push(guest.table.into());
        self
    }

    /// Compiles its filters itself, where gateways of tests else share what
    /// was compiled.
    #[must_use]
    pub fn compiles_anew(mut self) -> Self {
        self.compiles_anew = true;
        self
    }

    /// Tells this socket how far it is, as systemd has it.
    #[must_use]
    pub fn notifies(mut self, socket: &Path) -> Self {
        self.notifies = Some(socket.to_owned());
        self
    }

    /// Logs all that it can.
    #[must_use]
    pub fn logs_all(mut self) -> Self {
        self.logs_all = true;
        self
    }

    /// Sets a key by its path, such as `server.max_body`; numbers in it are
    /// places of lists.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Serialize) -> Self {
        self.change(path, value);
        self
    }

    /// As [`Setup::set`], in place.
    ///
    /// # Panics
    /// When the path leads through something that is no table or list.
    pub fn change(&mut self, path: &str, value: impl Serialize) {
        let value = Value::try_from(value).expect("TOML has such values");
        let mut keys = path.split('.').peekable();
        let first = keys.next().expect("a path has a first key");
        let root = self.table.entry(first);
        let mut at = root.or_insert_with(|| Table::new().into());
        for key in keys {
            at = match at {
                Value::Array(list) => {
                    let place: usize = key.parse().expect("a list has numbers");
                    &mut list[place]
                }
                Value::Table(table) => table.entry(key).or_insert_with(|| Table::new().into()),
                other => panic!("`{path}` leads through {other}"),
            };
        }
        *at = value;
    }

    /// The configuration as its file has it.
    pub fn text(&self) -> String {
        toml::to_string(&self.table).expect("a table can be written")
    }

    /// Lays the configuration and its modules into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        for (file, bytes) in &self.modules {
            fs::write(folder.join(file), bytes).expect("a test's folder can be written to");
        }
        fs::write(folder.join(FILE), self.text()).expect("a test's folder can be written to");
    }
}

/// The name of the configuration file.
pub(crate) const FILE: &str = "headworks.toml";
