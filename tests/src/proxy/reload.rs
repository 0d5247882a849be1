//! Changes of what the gateway runs by, and what becomes of them.

use std::fs;
use std::path::Path;

use super::TestProxy;
use crate::setup::FILE;
use crate::{Guest, Setup, guest_bytes, until};

impl TestProxy {
    /// Changes the configuration, by a file renamed over it, and waits for what
    /// becomes of it: the new generation, or why there is none.
    pub async fn rewrite_config(&mut self, change: impl FnOnce(&mut Setup)) -> Result<u64, String> {
        change(&mut self.setup);
        let text = self.setup.text();
        self.becomes(|folder| rename_over(&folder.join(FILE), text.as_bytes()))
            .await
    }

    /// Puts something else into the configuration file, and waits for what
    /// becomes of it.
    pub async fn write_config(&self, text: impl AsRef<[u8]>) -> Result<u64, String> {
        self.becomes(|folder| rename_over(&folder.join(FILE), text.as_ref()))
            .await
    }

    /// Puts another guest into the file of one, and waits for what becomes of it.
    pub async fn replace_guest(&self, file: &str, guest: &str) -> Result<u64, String> {
        self.replace_module(file, &guest_bytes(guest)).await
    }

    /// Puts other code into the file of a guest, and waits for what becomes of it.
    pub async fn replace_module(&self, file: &str, bytes: &[u8]) -> Result<u64, String> {
        self.becomes(|_| self.write_module(file, bytes)).await
    }

    /// Does something to the files and waits for what becomes of it: the new
    /// generation, or why there is none.
    pub async fn becomes(&self, change: impl FnOnce(&Path)) -> Result<u64, String> {
        let before = self.generation().await;
        change(self.folder());
        until("the change is applied or refused", async || {
            let now = self.generation().await;
            if now.id > before.id {
                return Some(Ok(now.id));
            }
            let refused = now.last_error.clone()?;
            (Some(&refused) != before.last_error.as_ref()).then_some(Err(refused.message))
        })
        .await
    }

    /// Writes another configuration, and waits for nothing.
    pub fn write(&mut self, setup: &Setup) {
        self.setup = setup.clone();
        rename_over(&self.config_file(), setup.text().as_bytes());
    }

    /// Puts other code into the file of a guest, and waits for nothing.
    pub fn write_module(&self, file: &str, bytes: &[u8]) {
        rename_over(&self.folder().join(format!("{file}.wasm")), bytes);
    }

    /// Lays a guest's module beside the configuration, which may name it then.
    pub fn lay(&self, guest: &Guest) {
        if let Some((file, bytes)) = &guest.module {
            rename_over(&self.folder().join(file), bytes);
        }
    }

    /// What it runs by.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }
}

/// Replaces a file as careful writers do: nobody reads half of it.
fn rename_over(file: &Path, bytes: &[u8]) {
    let partial = file.with_extension("partial");
    fs::write(&partial, bytes).expect("a test's folder can be written to");
    fs::rename(&partial, file).expect("a test's folder can be written to");
}
