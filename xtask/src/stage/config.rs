//! The gateway's configuration file on a stage: read, changed in places, and
//! written the way a careful operator would.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

/// A configuration file, as tables.
pub(crate) struct GatewayConfig {
    tables: Table,
    path: PathBuf,
}

impl GatewayConfig {
    /// Reads the file to begin with.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let tables = text
            .parse()
            .with_context(|| format!("{} is not TOML", path.display()))?;
        Ok(Self {
            tables,
            path: path.to_owned(),
        })
    }

    /// Where it was last read from or written to.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the addresses of both listeners.
    pub(crate) fn listen(&mut self, clients: SocketAddr, admin: SocketAddr) {
        for (table, address) in [("server", clients), ("admin", admin)] {
            let listen =
                Table::from_iter([("listen".to_owned(), Value::from(address.to_string()))]);
            self.tables.insert(table.to_owned(), Value::Table(listen));
        }
    }

    /// Sets what a pool speaks, and its only endpoint.
    pub(crate) fn set_pool(&mut self, pool: &str, protocol: &str, url: &str) -> Result<()> {
        let found = self
            .tables
            .get_mut("pools")
            .and_then(|pools| pools.get_mut(pool))
            .and_then(Value::as_table_mut);
        let found =
            found.with_context(|| format!("{} has no pool `{pool}`", self.path.display()))?;
        found.insert("protocol".to_owned(), Value::from(protocol));
        found.insert("endpoints".to_owned(), Value::Array(vec![Value::from(url)]));
        Ok(())
    }

    /// The settings of a filter.
    pub(crate) fn settings(&mut self, filter: &str) -> Result<&mut Table> {
        let filters = self.tables.get_mut("filters").and_then(Value::as_array_mut);
        filters
            .into_iter()
            .flatten()
            .find(|entry| entry.get("name").and_then(Value::as_str) == Some(filter))
            .and_then(|entry| entry.get_mut("settings"))
            .and_then(Value::as_table_mut)
            .with_context(|| format!("the configuration has no filter `{filter}` with settings"))
    }

    /// Writes it to a new place.
    pub(crate) fn write(&mut self, path: &Path) -> Result<()> {
        path.clone_into(&mut self.path);
        self.rewrite()
    }

    /// Writes it over itself, at once: whoever reads it finds all of the old or all of the new.
    pub(crate) fn rewrite(&self) -> Result<()> {
        let partial = self.path.with_extension("partial");
        fs::write(&partial, self.tables.to_string())
            .with_context(|| format!("cannot write {}", partial.display()))?;
        fs::rename(&partial, &self.path)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [pools.qwen2]
        protocol = "tgi"
        endpoints = ["http://127.0.0.1:1"]
        [[filters]]
        name = "router"
        [filters.settings]
        fallback = "qwen2"
    "#;

    #[test]
    fn addresses_and_settings_change_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (
            folder.path().join("old.toml"),
            folder.path().join("new.toml"),
        );
        fs::write(&old, TEXT).unwrap();
        let mut config = GatewayConfig::read(&old).unwrap();
        config.listen(
            "127.0.0.1:2".parse().unwrap(),
            "127.0.0.1:3".parse().unwrap(),
        );
        config
            .set_pool("qwen2", "openai", "http://127.0.0.1:4")
            .unwrap();
        config
            .settings("router")
            .unwrap()
            .insert("fallback".to_owned(), Value::from("llama3"));
        config.write(&new).unwrap();

        let written: Table = fs::read_to_string(&new).unwrap().parse().unwrap();
        let expected: Table = r#"
            server.listen = "127.0.0.1:2"
            admin.listen = "127.0.0.1:3"
            pools.qwen2 = { protocol = "openai", endpoints = ["http://127.0.0.1:4"] }
            filters = [{ name = "router", settings = { fallback = "llama3" } }]
        "#
        .parse()
        .unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_filter_or_pool_that_is_not_there_is_named() {
        let mut config = GatewayConfig {
            tables: TEXT.parse().unwrap(),
            path: PathBuf::from("demo.toml"),
        };
        assert!(
            config
                .settings("limits")
                .unwrap_err()
                .to_string()
                .contains("`limits`")
        );
        assert!(
            config
                .set_pool("phi", "tgi", "http://127.0.0.1:4")
                .unwrap_err()
                .to_string()
                .contains("`phi`")
        );
    }
}
