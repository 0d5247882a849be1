//! `setup`: what a filter asks and declares while it is configured.

use wasmtime::Result;

use super::super::bindings::setup::Host;
use super::super::failure::BadCall;
use super::super::state::{Declared, State};
use crate::config::{Grant, suggest};

/// Most models that one filter may serve.
const MODELS: usize = 10_000;

impl Host for State {
    fn name(&mut self) -> Result<String> {
        self.declared("setup.name")?;
        Ok(self.scope.name.to_string())
    }

    fn serves_model(&mut self, id: String) -> Result<()> {
        let models = &mut self.declared("setup.serves-model")?.models;
        if models.len() >= MODELS {
            return Err(BadCall(format!("a filter may serve {MODELS} models at most")).into());
        }
        models.insert(id);
        Ok(())
    }

    fn uses_pool(&mut self, name: String) -> Result<Result<(), String>> {
        self.declared("setup.uses-pool")?;
        let pools = &self.scope.pools;
        if pools.get(&name).is_some() {
            return Ok(Ok(()));
        }
        let known: Vec<&str> = pools.names().map(|known| &**known).collect();
        let hint = suggest(&name, known);
        Ok(Err(format!("no pool `{name}`{hint}")))
    }

    fn needs_grant(&mut self, grant: String) -> Result<Result<(), String>> {
        self.declared("setup.needs-grant")?;
        Ok(match grant.as_str() {
            "content" if self.scope.grants.contains(&Grant::Content) => Ok(()),
            "content" => Err(
                "needs the grant `content`; add grants = [\"content\"] to the filter".to_owned(),
            ),
            _ => Err(format!(
                "needs the grant `{grant}`, which this gateway does not know; there is `content`"
            )),
        })
    }
}

impl State {
    pub(super) fn declared(&mut self, function: &str) -> Result<&mut Declared, BadCall> {
        let fault = || BadCall(format!("`{function}` is for `configure` only"));
        self.declared.as_mut().ok_or_else(fault)
    }
}
