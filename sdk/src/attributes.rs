//! The attributes, documented here, where what they speak of is in scope.

/// Makes a struct or an enum the settings of a filter, or a part of them.
///
/// It derives `Deserialize` and refuses unknown keys. Defaults are serde's:
/// `#[serde(default)]` on a field or on the whole. With `#[config(check)]` the
/// type's own `fn check(&self, problems: &mut Problems)` is called as well.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[config(check)]
/// pub struct Config {
///     header: String,
///     #[serde(default)]
///     limits: Vec<Limit>,
/// }
///
/// #[config]
/// pub struct Limit {
///     tokens: u32,
/// }
///
/// impl Config {
///     fn check(&self, problems: &mut Problems) {
///         for (i, limit) in self.limits.iter().enumerate() {
///             if limit.tokens == 0 {
///                 problems.add(format!("limits[{i}].tokens"), "must be greater than 0, got 0");
///             }
///         }
///     }
/// }
/// ```
///
/// A `check` that is not there is the compiler's error, at the attribute:
///
/// ```compile_fail,E0599
/// use headworks_sdk::prelude::*;
///
/// #[config(check)]
/// pub struct Unchecked {}
/// ```
pub use headworks_sdk_macros::config;

/// Exports a filter, on its `impl Filter for ...`.
///
/// The hooks that the impl has are the hooks that the host calls. Without
/// `type Config` and `configure` the filter is its own settings.
///
/// A hook that does not exist is the compiler's error, at its line:
///
/// ```compile_fail,E0407
/// use headworks_sdk::prelude::*;
///
/// #[config]
/// pub struct Typo {}
///
/// #[filter]
/// impl Filter for Typo {
///     fn on_requst(&self, request: &mut Request) -> Verdict {
///         Verdict::Next
///     }
/// }
/// ```
pub use headworks_sdk_macros::filter;

/// Makes a filter of one function: `fn name(request: &mut Request) -> Verdict`,
/// with the settings as a last parameter (`config: &Config`) if it has any.
///
/// The filter's type has the function's name in camel case.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[on_request]
/// fn no_streams(request: &mut Request) -> Verdict {
///     if request.streaming() { Verdict::forbid("streams are off") } else { Verdict::Next }
/// }
///
/// let mut host = testing::host::<NoStreams>(json!({})).unwrap();
/// assert_eq!(host.chat("llama3").send().verdict(), &Verdict::Next);
/// ```
///
/// ```compile_fail
/// use headworks_sdk::prelude::*;
///
/// // Three parameters: `#[on_request]` takes the request and the settings.
/// #[on_request]
/// fn too_much(request: &mut Request, config: &NoSettings, waited: Duration) -> Verdict {
///     Verdict::Next
/// }
/// ```
pub use headworks_sdk_macros::on_request;

/// As [`on_request`](macro@crate::on_request), for
/// `fn name(request: &mut Request, candidates: &[Candidate], waited: Duration) -> Placement`.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[place]
/// fn least_work(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
///     let best = candidates.iter().min_by_key(|at| (at.health, at.outstanding_tokens));
///     best.map_or(Placement::Wait, Placement::at)
/// }
/// ```
pub use headworks_sdk_macros::place;

/// As [`on_request`](macro@crate::on_request), for `fn name(request: &Request, outcome: &Outcome)`.
///
/// ```
/// use headworks_sdk::prelude::*;
///
/// #[on_complete]
/// fn slow_log(request: &Request, outcome: &Outcome) {
///     if outcome.latency() > Duration::from_secs(30) {
///         log::warn(&format!("`{}` took {:?}", request.model(), outcome.latency()));
///     }
/// }
/// ```
pub use headworks_sdk_macros::on_complete;
