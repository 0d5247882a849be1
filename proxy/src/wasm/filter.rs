//! A loaded filter: the hooks, as the chain calls them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Result, Store};

use super::bindings::hooks::Guest;
use super::bindings::types;
use super::failure::{Failure, FailureKind, Hook};
use super::idle::Idle;
use super::imports::facts;
use super::meter::Meter;
use super::recipe::Recipe;
use super::state::State;
use crate::exchange::Exchange;
use crate::filter::{Candidate, Placement, Plan, Rejection, Verdict};

/// A filter, loaded and configured. Its instances are used again and again,
/// by one call at a time. One that failed is dropped, so a failure costs the
/// call it happened in; it is logged and counted here.
pub struct Filter {
    pub(super) recipe: Recipe,
    pub(super) plan: Plan,
    pub(super) models: BTreeSet<String>,
    pub(super) deadline: Duration,
    pub(super) idle: Idle,
    pub(super) meter: Meter,
}

impl Filter {
    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.recipe.scope.name
    }

    /// SHA-256 of its code, hexadecimal.
    pub fn digest(&self) -> &Arc<str> {
        &self.recipe.code.digest
    }

    /// The hooks in use.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// The model ids that it serves.
    pub fn models(&self) -> &BTreeSet<String> {
        &self.models
    }

    /// Asks what the filter says of a request.
    pub fn on_request(&self, exchange: Box<Exchange>) -> (Box<Exchange>, Result<Verdict, Failure>) {
        self.call(Hook::OnRequest, exchange, |hooks, store| {
            let verdict = hooks.call_on_request(store)?.into();
            Ok(match &verdict {
                Verdict::Next => Ok(verdict),
                Verdict::Reject(rejection) => has_meaning(rejection).map(|()| verdict),
            })
        })
    }

    /// Asks where the filter puts a request that has waited so long.
    pub fn place(
        &self,
        exchange: Box<Exchange>,
        candidates: &[Candidate],
        waited: Duration,
    ) -> (Box<Exchange>, Result<Placement, Failure>) {
        let flat: Vec<types::Candidate> = candidates
            .iter()
            .copied()
            .map(types::Candidate::from)
            .collect();
        let waited_ms = u32::try_from(waited.as_millis()).unwrap_or(u32::MAX);
        self.call(Hook::Place, exchange, |hooks, store| {
            let placement = hooks.call_place(store, &flat, waited_ms)?.into();
            Ok(match &placement {
                Placement::Wait => Ok(placement),
                Placement::At(id) => is_among(*id, candidates).map(|()| placement),
                Placement::Reject(rejection) => has_meaning(rejection).map(|()| placement),
            })
        })
    }

    /// Tells the filter how an exchange ended.
    pub fn on_complete(&self, exchange: Box<Exchange>) -> (Box<Exchange>, Result<(), Failure>) {
        let facts = facts(&exchange);
        self.call(Hook::OnComplete, exchange, |hooks, store| {
            hooks.call_on_complete(store, facts)?;
            Ok(Ok(()))
        })
    }

    fn call<R>(
        &self,
        hook: Hook,
        exchange: Box<Exchange>,
        enter: impl FnOnce(&Guest, &mut Store<State>) -> Result<Answer<R>>,
    ) -> (Box<Exchange>, Result<R, Failure>) {
        let start = Instant::now();
        let (exchange, result) = self.enter(hook, exchange, enter);
        self.meter.called(hook, start);
        if let Err(failure) = &result {
            self.meter.failed(failure, self.digest());
        }
        (exchange, result)
    }

    fn enter<R>(
        &self,
        hook: Hook,
        exchange: Box<Exchange>,
        enter: impl FnOnce(&Guest, &mut Store<State>) -> Result<Answer<R>>,
    ) -> (Box<Exchange>, Result<R, Failure>) {
        let instance = self
            .idle
            .take()
            .map_or_else(|| self.recipe.restart(hook), Ok);
        let mut instance = match instance {
            Ok(instance) => instance,
            Err(failure) => return (exchange, Err(failure)),
        };
        // It is nobody's until it has proved sound: what fails, or unwinds, drops it.
        let (exchange, result) = instance.call(hook, exchange, self.deadline, enter);
        let answer = match result {
            Ok(answer) => answer,
            Err(stopped) => {
                return (exchange, Err(self.recipe.failure(stopped, self.deadline)));
            }
        };
        if instance.calls < self.recipe.runtime.options().calls_per_instance {
            self.idle.give(instance);
        }
        let nonsense = |message| self.recipe.fault(hook, FailureKind::BadAnswer, message);
        (exchange, answer.map_err(nonsense))
    }
}

/// What a filter answered, or why that means nothing.
type Answer<R> = Result<R, String>;

fn has_meaning(rejection: &Rejection) -> Answer<()> {
    let status = rejection.status;
    if (400..=599).contains(&status) {
        return Ok(());
    }
    Err(format!(
        "it rejects with status {status}, which is not in 400 to 599"
    ))
}

fn is_among(id: u32, candidates: &[Candidate]) -> Answer<()> {
    if candidates.iter().any(|candidate| candidate.id == id) {
        return Ok(());
    }
    Err(format!("it places at {id}, which is not a candidate"))
}
