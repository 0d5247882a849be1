//! What the filter made of a request, and the hooks that come after.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::ended::Ended;
use super::exchange::{Exchange, Hold, max_new_tokens};
use super::imports::outcome::Facts;
use super::world::World;
use crate::{Candidate, Filter, Outcome, Placement, Rejection, Request, Verdict};

/// A request after `on_request`.
pub struct Answer<F> {
    world: Rc<World>,
    filter: Rc<F>,
    exchange: Exchange,
    verdict: Verdict,
}

/// The hooks.
impl<F: Filter> Answer<F> {
    pub(super) fn ask(world: Rc<World>, filter: Rc<F>, exchange: Exchange) -> Self {
        let mut answer = Self {
            world,
            filter,
            exchange,
            verdict: Verdict::Next,
        };
        if F::HOOKS.on_request {
            answer.verdict = answer.lend(F::on_request);
        }
        if let Verdict::Reject(rejection) = &answer.verdict {
            judge(rejection);
        }
        answer
    }

    /// Runs `place` for a request that waits for `waited` now. What an earlier run
    /// said of its place in line, and why, is forgotten.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// #[place]
    /// fn first(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    ///     candidates.first().map_or(Placement::Wait, Placement::at)
    /// }
    ///
    /// let mut host = testing::host::<First>(json!({})).unwrap();
    /// let mut answer = host.chat("llama3").send();
    /// assert_eq!(answer.place(&[], Duration::ZERO), Placement::Wait);
    /// ```
    ///
    /// # Panics
    /// When the filter has no `place`, refused the request, or places it at
    /// none of the candidates.
    pub fn place(&mut self, candidates: &[Candidate], waited: Duration) -> Placement {
        assert!(F::HOOKS.place, "the filter has no `place`");
        assert_eq!(
            self.verdict,
            Verdict::Next,
            "a refused request is not placed"
        );
        self.exchange.hold = None;
        self.exchange.explanation = None;
        let placement = self.lend(|filter, request| filter.place(request, candidates, waited));
        match &placement {
            Placement::At(id) => {
                let known = candidates.iter().any(|candidate| candidate.id == *id);
                assert!(
                    known,
                    "the filter places at {id}, which is none of the candidates"
                );
            }
            Placement::Reject(rejection) => judge(rejection),
            Placement::Wait => {}
        }
        placement
    }

    /// The endpoint that it was placed at failed it: `place` may run anew, for the
    /// next attempt.
    pub fn endpoint_failed(&mut self) {
        self.exchange.attempt += 1;
    }

    /// Ends the exchange and runs `on_complete`.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// #[on_complete]
    /// fn note(_: &Request, outcome: &Outcome) {
    ///     log::info(&format!("{} tokens", outcome.output_tokens()));
    /// }
    ///
    /// let mut host = testing::host::<Note>(json!({})).unwrap();
    /// host.chat("llama3").send().complete(testing::Ended::ok().tokens(12, 34));
    /// assert_eq!(host.logs(), ["info: 34 tokens"]);
    /// ```
    ///
    /// # Panics
    /// When the filter has no `on_complete`.
    pub fn complete(mut self, ended: Ended) {
        assert!(F::HOOKS.on_complete, "the filter has no `on_complete`");
        let outcome = Outcome::new(Facts::from(&ended));
        self.exchange.ended = Some(ended);
        self.lend(|filter, request| filter.on_complete(request, &outcome));
    }

    /// Lends the exchange to a hook, as the host does for the time of a call.
    fn lend<T>(&mut self, hook: impl FnOnce(&F, &mut Request) -> T) -> T {
        let run = || hook(&self.filter, &mut Request::new());
        self.world.lend(&mut self.exchange, run)
    }
}

/// What became of the request.
impl<F> Answer<F> {
    /// What `on_request` decided.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The refusal, if it is one.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match &self.verdict {
            Verdict::Next => None,
            Verdict::Reject(rejection) => Some(rejection),
        }
    }

    /// The pool that the request goes to if that one fails.
    #[must_use]
    pub fn fallback(&self) -> Option<&str> {
        self.exchange.fallback.as_deref()
    }

    /// The pool that the request goes to.
    #[must_use]
    pub fn pool(&self) -> Option<&str> {
        self.exchange.pool.as_deref()
    }

    /// The model that later filters see.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.exchange.model
    }

    /// The cap on new tokens that the upstream gets.
    #[must_use]
    pub fn max_new_tokens(&self) -> Option<u32> {
        max_new_tokens(&self.exchange.body)
    }

    /// A generation parameter that the upstream gets, by its TGI name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.exchange.body.parameter(name)
    }

    /// A value of the body that the upstream gets, at a JSON pointer.
    #[must_use]
    pub fn json(&self, pointer: &str) -> Option<&Value> {
        self.exchange.body.json.pointer(pointer)
    }

    /// What was put before and after the prompt, if it was.
    #[must_use]
    pub fn prompt_wrapped(&self) -> Option<(&str, &str)> {
        let (before, after) = self.exchange.wrapping.as_ref()?;
        Some((before, after))
    }

    /// A header that the upstream gets.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.exchange
            .headers
            .get(&name.to_lowercase())
            .map(String::as_str)
    }

    /// The names of the budgets that the request is charged to, in order.
    #[must_use]
    pub fn charged(&self) -> &[String] {
        &self.exchange.charges
    }

    /// In which time from its arrival the answer should be complete, if a filter
    /// has said.
    #[must_use]
    pub fn objective(&self) -> Option<Duration> {
        let millis = self.exchange.objective_ms?;
        Some(Duration::from_millis(millis.into()))
    }

    /// How the request stands in line, if `place` said when it ran last.
    #[must_use]
    pub fn hold(&self) -> Option<Hold> {
        self.exchange.hold
    }

    /// Why `place` decided as it did when it ran last, if it said.
    #[must_use]
    pub fn explanation(&self) -> Option<&str> {
        self.exchange.explanation.as_deref()
    }

    /// The notes for the access log.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.exchange.tags
    }
}

impl<F> fmt::Debug for Answer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("verdict", &self.verdict)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

fn judge(rejection: &Rejection) {
    let status = rejection.status;
    assert!(
        (400..600).contains(&status),
        "the filter refuses with {status}, which is not in 400 to 599"
    );
}
