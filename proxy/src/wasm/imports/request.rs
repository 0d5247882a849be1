//! `request`: what filters see and change of the request of the call.

use std::time::Duration;

use wasmtime::Result;

use super::super::bindings::request::Host;
use super::super::failure::BadCall;
use super::super::log::cut;
use super::super::state::State;
use super::micros;
use crate::config::Grant;
use crate::exchange::Exchange;
use crate::shape::Hold;

/// Most bytes that a filter may store for an exchange.
const STATE: usize = 64 << 10;

/// Most notes of all filters on an exchange.
const TAGS: usize = 64;

/// Most budgets that an exchange may be charged to.
const CLAIMS: usize = 32;

/// Most header fields of a request to an upstream.
const HEADERS: usize = 256;

impl Host for State {
    fn api(&mut self) -> Result<String> {
        Ok(self.exchange()?.call.api.as_str().to_owned())
    }

    fn model(&mut self) -> Result<String> {
        Ok(self.exchange()?.call.model().to_owned())
    }

    fn model_label(&mut self) -> Result<String> {
        Ok(self.exchange()?.model_label().to_owned())
    }

    fn scenario(&mut self) -> Result<Option<String>> {
        Ok(self.exchange()?.call.scenario().map(str::to_owned))
    }

    fn streaming(&mut self) -> Result<bool> {
        Ok(self.exchange()?.call.streaming())
    }

    fn path(&mut self) -> Result<String> {
        Ok(self.exchange()?.head.uri.path().to_owned())
    }

    fn header(&mut self, name: String) -> Result<Option<String>> {
        Ok(self.exchange()?.header(&name).map(str::to_owned))
    }

    fn prompt_tokens(&mut self) -> Result<u32> {
        Ok(self.exchange()?.prompt_tokens())
    }

    fn max_new_tokens(&mut self) -> Result<Option<u32>> {
        Ok(self.exchange()?.call.max_new_tokens())
    }

    fn parameter(&mut self, name: String) -> Result<Option<String>> {
        Ok(self.exchange()?.call.parameter(&name))
    }

    fn json(&mut self, pointer: String) -> Result<Option<String>> {
        if let Err(refused) = self.may_touch(&pointer)? {
            return Err(BadCall(refused).into());
        }
        Ok(self.exchange()?.call.json(&pointer))
    }

    fn attempt(&mut self) -> Result<u32> {
        Ok(self.exchange()?.attempt)
    }

    fn pool(&mut self) -> Result<Option<String>> {
        Ok(pool(self.exchange()?))
    }

    fn tenant(&mut self) -> Result<Option<String>> {
        let client = self.exchange()?.client.as_deref();
        Ok(client.map(|client| client.tenant.to_string()))
    }

    fn key(&mut self) -> Result<Option<String>> {
        let client = self.exchange()?.client.as_deref();
        Ok(client.map(|client| client.key.to_string()))
    }

    fn class(&mut self) -> Result<Option<String>> {
        let client = self.exchange()?.client.as_deref();
        Ok(client.map(|client| client.class.to_string()))
    }

    fn charge(&mut self, budget: u32) -> Result<()> {
        let declared = self.budgets.get(budget as usize).cloned();
        let budget = declared.ok_or_else(|| BadCall(format!("has no budget {budget}")))?;
        let exchange = self.exchange()?;
        if exchange.claims.len() >= CLAIMS {
            let message = format!("the exchange is charged to {CLAIMS} budgets already");
            return Err(BadCall(message).into());
        }
        exchange.charge(&budget);
        Ok(())
    }

    fn route(&mut self, pool: String) -> Result<()> {
        let routed = self.exchange()?.route(&pool);
        Ok(routed.map_err(BadCall::of)?)
    }

    fn fall_back(&mut self, pool: String) -> Result<()> {
        let chosen = self.exchange()?.fall_back(&pool);
        Ok(chosen.map_err(BadCall::of)?)
    }

    fn set_model(&mut self, model: String) -> Result<()> {
        self.exchange()?.call.set_model(model);
        Ok(())
    }

    fn set_max_new_tokens(&mut self, tokens: u32) -> Result<()> {
        let set = self.exchange()?.call.set_max_new_tokens(tokens);
        Ok(set.map_err(BadCall::of)?)
    }

    fn set_parameter(&mut self, name: String, value: String) -> Result<Result<(), String>> {
        let set = self.exchange()?.call.set_parameter(&name, &value);
        Ok(set.map_err(|error| error.to_string()))
    }

    fn wrap_prompt(&mut self, before: String, after: String) -> Result<Result<(), String>> {
        let wrapped = self.exchange()?.call.wrap_prompt(&before, &after);
        Ok(wrapped.map_err(|error| error.to_string()))
    }

    fn set_json(&mut self, pointer: String, value: String) -> Result<Result<(), String>> {
        if let Err(refused) = self.may_touch(&pointer)? {
            return Ok(Err(refused));
        }
        let set = self.exchange()?.call.set_json(&pointer, &value);
        Ok(set.map_err(|error| error.to_string()))
    }

    fn set_header(&mut self, name: String, value: String) -> Result<Result<(), String>> {
        let exchange = self.exchange()?;
        if exchange.head.headers.len() >= HEADERS {
            return Ok(Err(format!(
                "the request has {HEADERS} header fields already"
            )));
        }
        Ok(exchange
            .set_header(&name, &value)
            .map_err(|error| error.to_string()))
    }

    fn remove_header(&mut self, name: String) -> Result<()> {
        self.exchange()?.remove_header(&name);
        Ok(())
    }

    fn tag(&mut self, key: String, value: String) -> Result<()> {
        let (key, value) = (cut(&key).to_owned(), cut(&value).to_owned());
        let tags = &mut self.exchange()?.tags;
        if let Some((_, old)) = tags.iter_mut().find(|(known, _)| *known == key) {
            *old = value;
            return Ok(());
        }
        if tags.len() >= TAGS {
            return Err(BadCall(format!("the exchange has {TAGS} tags already")).into());
        }
        tags.push((key, value));
        Ok(())
    }

    fn expected_new_tokens(&mut self) -> Result<u32> {
        Ok(self.exchange()?.expected_new_tokens())
    }

    fn age_us(&mut self) -> Result<u64> {
        Ok(micros(self.exchange()?.outcome.started.elapsed()))
    }

    fn tenant_share(&mut self) -> Result<u32> {
        Ok(self.exchange()?.tenant_share())
    }

    fn objective_ms(&mut self) -> Result<Option<u32>> {
        let objective = self.exchange()?.objective;
        Ok(objective.map(|objective| u32::try_from(objective.as_millis()).unwrap_or(u32::MAX)))
    }

    fn set_objective(&mut self, ms: u32) -> Result<()> {
        self.exchange()?.objective = Some(Duration::from_millis(ms.into()));
        Ok(())
    }

    fn hold(&mut self, behind_ms: u32, at_most_ms: u32) -> Result<()> {
        self.exchange()?.hold = Some(Hold {
            behind: Duration::from_millis(behind_ms.into()),
            at_most: Duration::from_millis(at_most_ms.into()),
        });
        Ok(())
    }

    fn explain(&mut self, why: String) -> Result<()> {
        self.exchange()?.why = Some(cut(&why).to_owned());
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<u8>> {
        let place = self.scope.place;
        Ok(self.exchange()?.state(place).to_vec())
    }

    fn set_state(&mut self, state: Vec<u8>) -> Result<()> {
        if state.len() > STATE {
            return Err(BadCall(format!(
                "a state of {} bytes is more than {STATE}",
                state.len()
            ))
            .into());
        }
        let place = self.scope.place;
        self.exchange()?.set_state(place, state);
        Ok(())
    }
}

impl State {
    /// Whether the filter may read or set what a pointer leads to.
    fn may_touch(&mut self, pointer: &str) -> Result<Result<(), String>, BadCall> {
        let granted = self.scope.grants.contains(&Grant::Content);
        if granted || !self.exchange()?.call.is_content(pointer) {
            return Ok(Ok(()));
        }
        Ok(Err(format!(
            "`{pointer}` leads to prompt content, which needs the grant `content`; add grants = [\"content\"] to the filter"
        )))
    }
}

/// The name of the pool chosen so far.
pub(super) fn pool(exchange: &Exchange) -> Option<String> {
    exchange.pool.as_ref().map(|pool| pool.name.to_string())
}
