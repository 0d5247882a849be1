//! The one trait that a filter implements.

use std::time::Duration;

use crate::{Candidate, Outcome, Placement, Problems, Request, Settings, Verdict};

/// A policy: settings in, decisions out.
///
/// [`#[filter]`](crate::filter) on the impl exports it. A hook that the impl
/// lacks is never called and costs nothing. When the settings are the whole
/// filter, `Config` and `configure` may be left out:
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[config]
/// pub struct AllowList {
///     models: Vec<String>,
/// }
///
/// #[filter]
/// impl Filter for AllowList {
///     fn on_request(&self, request: &mut Request) -> Verdict {
///         if self.models.iter().any(|model| model == request.model()) {
///             Verdict::Next
///         } else {
///             Verdict::forbid("model not allowed")
///         }
///     }
/// }
/// ```
///
/// A filter with something to prepare names its settings and builds itself:
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[config]
/// pub struct Config {
///     label: String,
/// }
///
/// pub struct CountTokens {
///     label: String,
///     tokens: Counter,
/// }
///
/// #[filter]
/// impl Filter for CountTokens {
///     type Config = Config;
///
///     fn configure(config: Config) -> Result<Self, Problems> {
///         let tokens = Counter::new("tokens.{kind}", &["kind"]);
///         Ok(Self { label: config.label, tokens })
///     }
///
///     fn on_complete(&self, _request: &Request, outcome: &Outcome) {
///         self.tokens.add(outcome.output_tokens().into(), &[&self.label]);
///     }
/// }
/// ```
///
/// Instances are interchangeable, run one call at a time and may vanish at any
/// moment: what is to last belongs into [`store`](crate::store), what belongs
/// to one request into [`Request::set_state`].
pub trait Filter: Sized + 'static {
    /// The settings; with `#[filter]` the filter itself when left out.
    type Config: Settings;

    /// The hooks that the impl has; `#[filter]` fills it in.
    const HOOKS: Hooks;

    /// Builds the filter from its settings, in every instance.
    ///
    /// # Errors
    /// The problems with the settings; the configuration is then not applied.
    fn configure(config: Self::Config) -> Result<Self, Problems>;

    /// The hooks that these settings take: all that the impl has, unless it leaves
    /// out one that would have nothing to do.
    fn hooks(&self) -> Hooks {
        Self::HOOKS
    }

    /// Runs for each request, in the order of the chain.
    fn on_request(&self, request: &mut Request) -> Verdict {
        let _ = request;
        Verdict::Next
    }

    /// Chooses an endpoint of the routed pool. Asked again when capacity frees
    /// while the request waits, and for a retry, without the endpoints already
    /// tried; the last filter of the chain that has the hook decides.
    fn place(
        &self,
        request: &mut Request,
        candidates: &[Candidate],
        waited: Duration,
    ) -> Placement {
        let _ = (request, candidates, waited);
        Placement::Wait
    }

    /// Runs once for every filter whose `on_request` ran, in reverse order,
    /// however the exchange ended.
    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        let _ = (request, outcome);
    }
}

/// The hooks in use; the host calls no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hooks {
    /// Calls [`Filter::on_request`].
    pub on_request: bool,
    /// Calls [`Filter::place`].
    pub place: bool,
    /// Calls [`Filter::on_complete`].
    pub on_complete: bool,
}
