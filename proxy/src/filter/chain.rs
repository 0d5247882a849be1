//! Runs filters in order and stops at the first refusal. What becomes of an
//! exchange whose filter failed is decided here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use super::{Candidate, Choice, Placement, Refusal, Verdict};
use crate::config::{self, OnError};
use crate::exchange::Exchange;
use crate::observe::{Count, Gauge, RegisterError, Registry};
use crate::wasm::{Failure, Filter};

/// The filters of one generation, in order.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
    /// The last that chooses endpoints.
    placer: Option<usize>,
}

/// A filter in its place in the chain.
pub struct Link {
    filter: Filter,
    on_error: OnError,
    breaker: Breaker,
    /// 1 while the breaker is open.
    open: Arc<Gauge>,
    /// Calls that were not made because the breaker was open.
    skipped: Arc<Count>,
}

impl Chain {
    /// A chain of filters that were loaded for their places in it.
    pub fn new(links: Vec<Link>) -> Self {
        let placer = links.iter().rposition(|link| link.filter.plan().place);
        Self { links, placer }
    }

    /// The filters, in order.
    pub fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.links.iter().map(|link| &link.filter)
    }

    /// Asks filters what they say of a request, until one refuses.
    pub fn on_request(&self, mut exchange: Box<Exchange>) -> (Box<Exchange>, Result<(), Refusal>) {
        for (place, link) in self.links.iter().enumerate() {
            exchange.filters_run = place + 1;
            if !link.filter.plan().on_request {
                continue;
            }
            let verdict;
            (exchange, verdict) = link.call(exchange, Filter::on_request);
            match verdict {
                Ok(None | Some(Verdict::Next)) => {}
                Ok(Some(Verdict::Reject(rejection))) => {
                    return (exchange, Err(link.rejects(rejection)));
                }
                Err(refusal) => return (exchange, Err(refusal)),
            }
        }
        (exchange, Ok(()))
    }

    /// Whether a filter places requests.
    pub fn places(&self) -> bool {
        self.placer.is_some()
    }

    /// Asks the filter that places requests where to put one.
    pub fn place(
        &self,
        exchange: Box<Exchange>,
        candidates: &[Candidate],
        waited: Duration,
    ) -> (Box<Exchange>, Result<Choice, Refusal>) {
        let Some(link) = self.placer.map(|placer| &self.links[placer]) else {
            return (exchange, Ok(Choice::Open));
        };
        let (exchange, placement) = link.call(exchange, |filter, exchange| {
            filter.place(exchange, candidates, waited)
        });
        let choice = match placement {
            Ok(None) => Ok(Choice::Open),
            Ok(Some(Placement::At(id))) => Ok(Choice::At(id)),
            Ok(Some(Placement::Wait)) => Ok(Choice::Wait),
            Ok(Some(Placement::Reject(rejection))) => Err(link.rejects(rejection)),
            Err(refusal) => Err(refusal),
        };
        (exchange, choice)
    }

    /// Tells the filters that saw the request, the last first, how it ended.
    /// What fails here changes nothing for anybody but the filter.
    pub fn on_complete(&self, mut exchange: Box<Exchange>) -> Box<Exchange> {
        let run = exchange.filters_run.min(self.links.len());
        for link in self.links[..run].iter().rev() {
            if link.filter.plan().on_complete {
                (exchange, _) = link.call(exchange, Filter::on_complete);
            }
        }
        exchange
    }

    /// Shows all breakers as closed: those of a chain that goes live are, and of
    /// one that is replaced nobody wants to know any more.
    pub(super) fn show_breakers_closed(&self) {
        for link in &self.links {
            link.set_shown(false);
        }
    }
}

impl Link {
    /// A loaded filter, with what the configuration says of its failures.
    pub fn new(
        filter: Filter,
        config: &config::Filter,
        registry: &Registry,
    ) -> Result<Self, RegisterError> {
        let label = ["filter".to_owned()];
        let open = registry.gauge("filter.{filter}.breaker_open", &label)?;
        let skipped = registry.counter("filter.{filter}.calls_skipped", &label)?;
        let name = [&**filter.name()];
        let skipped = skipped.of(&name).expect("there is a value for each label");
        let breaker = Breaker::new(config.breaker);
        Ok(Self {
            filter,
            on_error: config.on_error,
            breaker,
            open,
            skipped,
        })
    }

    /// Calls the filter, if its breaker lets it; `None` if it failed and the
    /// exchange goes on without its answer.
    fn call<R>(
        &self,
        exchange: Box<Exchange>,
        hook: impl FnOnce(&Filter, Box<Exchange>) -> (Box<Exchange>, Result<R, Failure>),
    ) -> (Box<Exchange>, Result<Option<R>, Refusal>) {
        if !self.breaker.admits() {
            self.skipped.add(1);
            return (exchange, self.on_failure());
        }
        let (exchange, result) = hook(&self.filter, exchange);
        let Ok(answer) = result else {
            if self.breaker.failed(Instant::now()) {
                self.show_breaker(true);
            }
            return (exchange, self.on_failure());
        };
        if self.breaker.succeeded() {
            self.show_breaker(false);
        }
        (exchange, Ok(Some(answer)))
    }

    fn on_failure<R>(&self) -> Result<Option<R>, Refusal> {
        match self.on_error {
            OnError::FailOpen => Ok(None),
            OnError::FailClosed => Err(Refusal::Failed {
                filter: Arc::clone(self.filter.name()),
            }),
        }
    }

    fn rejects(&self, rejection: super::Rejection) -> Refusal {
        Refusal::Rejected {
            filter: Arc::clone(self.filter.name()),
            rejection,
        }
    }

    fn set_shown(&self, open: bool) {
        let shown = self.open.set(open.into(), &[self.filter.name()]);
        shown.expect("there is a value for each label");
    }

    fn show_breaker(&self, open: bool) {
        let filter = &**self.filter.name();
        self.set_shown(open);
        if open {
            tracing::error!(filter, on_error = ?self.on_error, "the filter failed too often and is taken out; it is tried again after its cooldown");
        } else {
            tracing::info!(filter, "the filter works again and is back");
        }
    }
}
