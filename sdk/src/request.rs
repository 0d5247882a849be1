//! The request being decided.

use std::cell::OnceCell;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::Budget;
use crate::host::request;
use crate::units::millis_at_least;

/// One exchange's request: facts to read, and everything that a filter may
/// change about it.
///
/// Facts come from the host one by one, so ask for what is needed. Changes
/// accumulate; later filters see them and may override them.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[on_request]
/// fn night_owl(request: &mut Request) -> Verdict {
///     if request.header("x-batch").is_some() && request.streaming() {
///         return Verdict::reject(400, "no_stream", "a batch request cannot be streamed");
///     }
///     request.route("batch");
///     request.tag("route", "night-owl");
///     Verdict::Next
/// }
/// ```
#[derive(Debug)]
pub struct Request {
    model: OnceCell<String>,
}

/// Facts.
impl Request {
    /// That of the hook under way.
    pub(crate) fn new() -> Self {
        Self {
            model: OnceCell::new(),
        }
    }

    /// The API called: `unified`, `tgi`, `tgi.generate`, `tgi.generate_stream`,
    /// `openai.chat` or `openai.completions`.
    #[must_use]
    pub fn api(&self) -> String {
        request::api()
    }

    /// The model id as the client sent it or as an earlier filter set it; empty
    /// when the client named none.
    #[must_use]
    pub fn model(&self) -> &str {
        self.model.get_or_init(request::model)
    }

    /// [`model`](Self::model) if the configuration knows it, else `other`: safe
    /// as a metric label, whatever strangers send.
    #[must_use]
    pub fn model_label(&self) -> String {
        request::model_label()
    }

    /// The `scenario` of a unified request.
    #[must_use]
    pub fn scenario(&self) -> Option<String> {
        request::scenario()
    }

    /// Whether the client asked for a stream.
    #[must_use]
    pub fn streaming(&self) -> bool {
        request::streaming()
    }

    /// The path that the client called.
    #[must_use]
    pub fn path(&self) -> String {
        request::path()
    }

    /// First value of a header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        request::header(name)
    }

    /// Prompt length in tokens, as well as the host knows it.
    #[must_use]
    pub fn prompt_tokens(&self) -> u32 {
        request::prompt_tokens()
    }

    /// The client's cap on new tokens, whatever its dialect calls it.
    #[must_use]
    pub fn max_new_tokens(&self) -> Option<u32> {
        request::max_new_tokens()
    }

    /// New tokens expected of the answer: as many as such answers have on
    /// average, and no more than the cap.
    #[must_use]
    pub fn expected_new_tokens(&self) -> u32 {
        request::expected_new_tokens()
    }

    /// A generation parameter by its TGI name (`temperature`, `top_p`, `seed`,
    /// ...), whatever the client's dialect calls it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Value> {
        request::parameter(name).as_deref().map(parse)
    }

    /// The value at a JSON pointer (RFC 6901) into the body. Pointers into
    /// prompt content need the grant `content`, see
    /// [`setup::needs_grant`](crate::setup::needs_grant).
    #[must_use]
    pub fn json(&self, pointer: &str) -> Option<Value> {
        request::json(pointer).as_deref().map(parse)
    }

    /// How many endpoints have been tried: 0 at first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        request::attempt()
    }

    /// Since the request arrived, to the microsecond.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_micros(request::age_us())
    }

    /// In which time from its arrival the answer should be complete, if a filter
    /// has set that; to the millisecond.
    #[must_use]
    pub fn objective(&self) -> Option<Duration> {
        let millis = request::objective_ms()?;
        Some(Duration::from_millis(millis.into()))
    }

    /// The pool chosen so far.
    #[must_use]
    pub fn pool(&self) -> Option<String> {
        request::pool()
    }

    /// Whose request it is, as its API key says; none where the gateway asks
    /// for no keys.
    #[must_use]
    pub fn tenant(&self) -> Option<String> {
        request::tenant()
    }

    /// The id of the API key, which is no secret.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        request::key()
    }

    /// The class of the API key.
    #[must_use]
    pub fn class(&self) -> Option<String> {
        request::class()
    }

    /// What the tenant has had of the pool lately, over an equal share of what all
    /// have had: 1.0 is just its share.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// /// Where room is scarce, it is for those who had less.
    /// fn may_have_the_last_one(request: &Request) -> bool {
    ///     request.tenant_share() <= 1.0
    /// }
    /// ```
    #[must_use]
    pub fn tenant_share(&self) -> f64 {
        f64::from(request::tenant_share()) / 1000.0
    }

    /// What this filter stored for this exchange; empty at first.
    #[must_use]
    pub fn state(&self) -> Vec<u8> {
        request::state()
    }
}

/// Changes.
impl Request {
    /// Sends the request to a pool; the last call wins. A pool that the
    /// configuration does not have is a fault of the filter, which
    /// [`setup::uses_pool`](crate::setup::uses_pool) finds at load.
    pub fn route(&mut self, pool: &str) {
        request::route(pool);
    }

    /// Sends the request to another pool if the one that it is routed to fails
    /// before its first token; the last call wins.
    pub fn fall_back(&mut self, pool: &str) {
        request::fall_back(pool);
    }

    /// Changes the model id that later filters see and metrics name. What the
    /// upstream is asked for is set by the pool.
    pub fn set_model(&mut self, model: &str) {
        self.model.take();
        request::set_model(model);
    }

    /// Caps the new tokens.
    pub fn set_max_new_tokens(&mut self, tokens: u32) {
        request::set_max_new_tokens(tokens);
    }

    /// Sets a generation parameter by its TGI name.
    ///
    /// ```
    /// # use headworks_sdk::prelude::*;
    /// fn make_repeatable(request: &mut Request) -> Result<(), Refused> {
    ///     request.set_parameter("seed", 42)?;
    ///     request.set_parameter("stop", json!(["\n\n"]))
    /// }
    /// ```
    ///
    /// # Errors
    /// When the client's dialect has no such parameter, or not with such a value.
    pub fn set_parameter(&mut self, name: &str, value: impl Into<Value>) -> Result<(), Refused> {
        let value = value.into().to_string();
        request::set_parameter(name, &value).map_err(Refused)
    }

    /// Puts text around the prompt without reading it.
    ///
    /// # Errors
    /// When the call has no prompt that text can be put around.
    pub fn wrap_prompt(&mut self, before: &str, after: &str) -> Result<(), Refused> {
        request::wrap_prompt(before, after).map_err(Refused)
    }

    /// Sets a value in the body.
    ///
    /// # Errors
    /// When there is no such place in the body, or the value cannot stand there.
    pub fn set_json(&mut self, pointer: &str, value: impl Into<Value>) -> Result<(), Refused> {
        let value = value.into().to_string();
        request::set_json(pointer, &value).map_err(Refused)
    }

    /// Sets a header on the request to the upstream.
    ///
    /// # Errors
    /// When the name or the value is not one, or the header is the host's own.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        request::set_header(name, value).map_err(Refused)
    }

    /// Removes a header from the request to the upstream.
    pub fn remove_header(&mut self, name: &str) {
        request::remove_header(name);
    }

    /// Leaves a note for the access log and the trace.
    pub fn tag(&mut self, key: &str, value: &str) {
        request::tag(key, value);
    }

    /// Charges the exchange to a budget. It goes on once there is room in all
    /// budgets that filters named, else it is refused with 429.
    pub fn charge(&mut self, budget: &Budget) {
        request::charge(budget.number());
    }

    /// Says in which time from its arrival the answer should be complete, to the
    /// millisecond; the last call wins. The host keeps it with what runs, and
    /// tells of a candidate when one more request would push another past its
    /// objective ([`Candidate::makes_late`](crate::Candidate::makes_late)).
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// #[on_request]
    /// fn interactive(request: &mut Request) -> Verdict {
    ///     if request.streaming() {
    ///         request.set_objective(Duration::from_secs(2));
    ///     }
    ///     Verdict::Next
    /// }
    ///
    /// let mut host = testing::host::<Interactive>(json!({})).unwrap();
    /// let answer = host.chat("llama3").stream().send();
    /// assert_eq!(answer.objective(), Some(Duration::from_secs(2)));
    /// ```
    pub fn set_objective(&mut self, objective: Duration) {
        request::set_objective(millis_at_least(objective));
    }

    /// Says how the request stands in line if [`place`](crate::Filter::place)
    /// returns [`Wait`](crate::Placement::Wait): as if it had come `behind` later
    /// than it has, and for `at_most` from now, after which `place` is asked
    /// again in any case. Without it requests are served in the order they came.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// /// Others may overtake a batch request for a minute.
    /// #[place]
    /// fn batch_last(request: &mut Request, at: &[Candidate], _: Duration) -> Placement {
    ///     if let Some(idle) = at.iter().find(|at| at.in_flight == 0) {
    ///         return Placement::at(idle);
    ///     }
    ///     if request.class().as_deref() == Some("batch") {
    ///         request.hold(Duration::from_secs(60), Duration::from_secs(600));
    ///     }
    ///     Placement::Wait
    /// }
    ///
    /// let mut host = testing::host::<BatchLast>(json!({})).unwrap();
    /// let mut answer = host.chat("llama3").class("batch").send();
    /// assert_eq!(answer.place(&[], Duration::ZERO), Placement::Wait);
    /// assert_eq!(answer.hold().unwrap().behind, Duration::from_secs(60));
    /// ```
    pub fn hold(&mut self, behind: Duration, at_most: Duration) {
        request::hold(millis_at_least(behind), millis_at_least(at_most));
    }

    /// Says in a few words why [`place`](crate::Filter::place) decides as it
    /// does: for the log, and for clients who ask. The last call wins.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// #[place]
    /// fn first(request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    ///     request.explain("it is the first in the file");
    ///     candidates.first().map_or(Placement::Wait, Placement::at)
    /// }
    ///
    /// let mut host = testing::host::<First>(json!({})).unwrap();
    /// let mut answer = host.chat("llama3").send();
    /// let _ = answer.place(&[Candidate::default()], Duration::ZERO);
    /// assert_eq!(answer.explanation(), Some("it is the first in the file"));
    /// ```
    pub fn explain(&mut self, why: &str) {
        request::explain(why);
    }

    /// Keeps bytes for this filter's later hooks of the same exchange, which
    /// may run in another instance.
    ///
    /// ```
    /// use headworks_sdk::prelude::*;
    ///
    /// pub struct Canary;
    ///
    /// #[filter]
    /// impl Filter for Canary {
    ///     type Config = NoSettings;
    ///
    ///     fn configure(_: NoSettings) -> Result<Self, Problems> {
    ///         Ok(Self)
    ///     }
    ///
    ///     fn on_request(&self, request: &mut Request) -> Verdict {
    ///         request.set_state(&[u8::from(random::unit() < 0.1)]);
    ///         Verdict::Next
    ///     }
    ///
    ///     fn on_complete(&self, request: &Request, outcome: &Outcome) {
    ///         if request.state() == [1] {
    ///             log::info(&format!("canary ended with {}", outcome.status()));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn set_state(&mut self, state: &[u8]) {
        request::set_state(state);
    }
}

/// Why the host did not make a change; the request is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("the host hands over JSON that it has parsed")
}
