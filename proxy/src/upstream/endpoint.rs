//! One upstream server: what runs on it, how fast it was lately, and what is
//! known of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use parking_lot::Mutex;

use super::address::Address;
use super::answer::Answer;
use super::info::Limits;
use super::kept::Kept;
use super::report::Report;
use super::scrape::Gauges;
use super::standing::{Condition, Standing};
use crate::config;
use crate::filter::{Candidate, Health, candidate};
use crate::shape::{Demand, Need, Prediction, Predictor, Prefix, Ticket};

/// One upstream server.
#[derive(Debug)]
pub struct Endpoint {
    /// `http://host:port/prefix`.
    pub url: Arc<str>,
    pub(super) address: Address,
    /// The value of `Host`.
    pub(super) host: HeaderValue,
    pub(super) kept: Kept,
    in_flight: AtomicU32,
    outstanding: AtomicU64,
    drained: AtomicBool,
    known: Mutex<Known>,
    limits: ArcSwapOption<Limits>,
}

/// What changes with each exchange, check and scrape; under one lock, since
/// whoever places a request reads it all.
#[derive(Debug, Default)]
struct Known {
    predictor: Predictor,
    prefix: Prefix,
    standing: Standing,
    scraped: Option<Scraped>,
}

/// What the endpoint's own gauges said.
#[derive(Debug, Clone, Copy)]
struct Scraped {
    gauges: Gauges,
    believed_until: Instant,
}

/// A request that its predictor follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) ticket: Ticket,
    /// Tokens that it may cost in all.
    tokens: u64,
}

/// How an endpoint is seen: by which pool, for which request, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Its weight in the pool.
    pub(super) weight: u32,
    /// How long the pool has a share grow.
    pub(super) slow_start: Duration,
    /// What the request asks for; without it nothing is predicted.
    pub(super) demand: Option<&'a Demand>,
    pub(super) now: Instant,
}

/// The endpoint's address as people write it.
pub(super) fn url(endpoint: &config::Endpoint) -> String {
    let scheme = if endpoint.tls { "https" } else { "http" };
    let config::Endpoint { port, prefix, .. } = endpoint;
    format!("{scheme}://{}:{port}{prefix}", in_url(&endpoint.host))
}

/// The value of `Host`; the port is left out where the scheme implies it.
fn host(endpoint: &config::Endpoint) -> HeaderValue {
    let host = in_url(&endpoint.host);
    let implied = if endpoint.tls { 443 } else { 80 };
    let value = if endpoint.port == implied {
        host
    } else {
        format!("{host}:{}", endpoint.port)
    };
    HeaderValue::try_from(value).expect("the configuration takes hosts of URLs only")
}

/// An IPv6 address has brackets in a URL.
fn in_url(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

impl Endpoint {
    pub(super) fn new(config: &config::Endpoint) -> Self {
        Self {
            url: url(config).into(),
            host: host(config),
            address: Address::new(config.clone()),
            kept: Kept::default(),
            in_flight: AtomicU32::new(0),
            outstanding: AtomicU64::new(0),
            drained: AtomicBool::new(false),
            known: Mutex::default(),
            limits: ArcSwapOption::empty(),
        }
    }

    /// Keeps the connection of an answer for the next request, if it was read
    /// to its end.
    pub(super) async fn release(&self, answer: Answer, now: Instant) {
        if let Some(connection) = answer.into_connection().await {
            self.kept.give(connection, now);
        }
    }

    /// Counts a request, and follows it if it is to generate something.
    pub(super) fn begins(&self, demand: Option<&Demand>, now: Instant) -> Option<Followed> {
        self.in_flight.fetch_add(1, Relaxed);
        let demand = demand?;
        let tokens = tokens(demand);
        self.outstanding.fetch_add(tokens, Relaxed);
        let mut known = self.known.lock();
        let need = known.need(demand);
        known.prefix.learn(&demand.prompt);
        let ticket = known.predictor.begins(need, demand.deadline, now);
        Some(Followed { ticket, tokens })
    }

    /// Counts a request no more.
    pub(super) fn ended(&self, followed: Option<Followed>, now: Instant) {
        self.in_flight.fetch_sub(1, Relaxed);
        if let Some(Followed { ticket, tokens }) = followed {
            self.outstanding.fetch_sub(tokens, Relaxed);
            self.predictor(|predictor| predictor.ended(ticket, now));
        }
    }

    /// It has something to do, and shows nothing for longer than that explains.
    pub(super) fn has_stalled(&self, now: Instant) -> bool {
        self.predictor(|predictor| predictor.has_stalled(now))
    }

    /// Tells its predictor something, or asks it.
    pub(super) fn predictor<T>(&self, act: impl FnOnce(&mut Predictor) -> T) -> T {
        act(&mut self.known.lock().predictor)
    }

    /// Learns that it answers, whatever it says.
    pub fn answered(&self) {
        self.standing(Standing::answered);
    }

    /// Learns that an exchange went well.
    pub fn succeeded(&self) {
        self.standing(Standing::succeeded);
    }

    /// Learns that it cannot be reached: it is left alone for a while, longer
    /// each time in a row.
    pub fn unreachable(&self, now: Instant) {
        self.known.lock().standing.unreachable(now);
    }

    /// Begins little by little, since others are at work already.
    pub(super) fn joins(self) -> Self {
        self.standing(Standing::comes_back);
        self
    }

    /// Gives it no new requests from now on; what runs may end.
    pub fn drain(&self) {
        self.drained.store(true, Relaxed);
    }

    /// Gives it requests again, little by little.
    pub fn undrain(&self) {
        if self.drained.swap(false, Relaxed) {
            self.standing(Standing::comes_back);
        }
    }

    /// Whether it is to get no new requests.
    pub fn is_drained(&self) -> bool {
        self.drained.load(Relaxed)
    }

    /// Takes down what its own gauges said, to be believed until then.
    pub fn scraped(&self, gauges: Gauges, believed_until: Instant) {
        let mut known = self.known.lock();
        known
            .predictor
            .set_engine_load(gauges.running + gauges.queue_depth);
        if let Some(tokens) = gauges.batch_total_tokens {
            known.predictor.set_capacity(tokens);
            known.prefix.set_capacity(tokens);
        }
        known.scraped = Some(Scraped {
            gauges,
            believed_until,
        });
    }

    /// Takes down what it says of itself.
    pub(super) fn set_limits(&self, limits: Limits) {
        self.limits.store(Some(Arc::new(limits)));
    }

    /// What it says of itself, once it did.
    pub fn limits(&self) -> Option<Arc<Limits>> {
        self.limits.load_full()
    }

    /// Changes how it stands, or looks.
    pub(super) fn standing<T>(&self, act: impl FnOnce(&mut Standing, Instant) -> T) -> T {
        act(&mut self.known.lock().standing, Instant::now())
    }

    pub(super) fn is_up(&self, now: Instant) -> bool {
        self.condition(&self.known.lock(), now).health() != Health::Down
    }

    fn condition(&self, known: &Known, now: Instant) -> Condition {
        if self.is_drained() {
            return Condition::Drained;
        }
        known.standing.condition(now)
    }

    /// What a filter is shown of it.
    pub(super) fn candidate(&self, id: u32, view: View<'_>) -> Candidate {
        let in_flight = self.in_flight.load(Relaxed);
        let outstanding = self.outstanding.load(Relaxed);
        let known = self.known.lock();
        let condition = self.condition(&known, view.now);
        let share = known.standing.share(view.slow_start, view.now);
        let gauges = known.gauges(view.now).unwrap_or_default();
        let need = view.demand.map(|demand| known.need(demand));
        let predict = |need: &Need| known.predictor.predict(need, view.now);
        let predicted = need.as_ref().map(predict).unwrap_or_default();
        Candidate {
            id,
            health: health(condition, &known, view.now),
            in_flight,
            outstanding_tokens: outstanding.try_into().unwrap_or(u32::MAX),
            queue_depth: gauges.queue_depth,
            predicted_ttft_us: micros(predicted.ttft),
            predicted_e2e_us: micros(predicted.whole),
            predicted_usual_us: micros(predicted.whole_usual),
            unloaded_us: micros(predicted.unloaded),
            prefill_us: micros(predicted.own_prefill),
            inflicted_us: micros(predicted.inflicted),
            step_us: micros(predicted.step),
            free_kv_tokens: gauges.free_kv_tokens.unwrap_or(u32::MAX),
            prefix_hit_tokens: need.map_or(0, |need| need.cached),
            weight: candidate::weight(view.weight, share),
            marks: marks(condition, in_flight, share) | known.marks(&predicted, view.now),
        }
    }

    /// What an operator is shown of it.
    pub(super) fn report(&self, view: View<'_>) -> Report {
        let candidate = self.candidate(0, view);
        let known = self.known.lock();
        let condition = self.condition(&known, view.now);
        let failure = known
            .standing
            .check_failure()
            .filter(|_| condition == Condition::Unhealthy);
        Report {
            url: self.url.clone(),
            health: candidate.health,
            why: why(condition, &known, view.now).map(|why| match failure {
                Some(failure) => format!("{why}: {failure}"),
                None => why.to_owned(),
            }),
            drained: self.is_drained(),
            share: known.standing.share(view.slow_start, view.now),
            weight: view.weight,
            in_flight: candidate.in_flight,
            outstanding_tokens: candidate.outstanding_tokens,
            gauges: known.gauges(view.now),
            limits: self.limits(),
        }
    }
}

impl Known {
    /// What a request needs here.
    fn need(&self, demand: &Demand) -> Need {
        Need {
            cached: self.prefix.cached_tokens(&demand.prompt),
            ..demand.need
        }
    }

    /// What predictions say.
    fn marks(&self, predicted: &Prediction, now: Instant) -> u32 {
        bit(self.predictor.wants_probe(now), candidate::PROBE)
            | bit(predicted.makes_late, candidate::MAKES_LATE)
            | bit(predicted.is_idle_without_news, candidate::SILENT)
    }

    /// Its gauges, if they were read lately.
    fn gauges(&self, now: Instant) -> Option<Gauges> {
        let lately = self.scraped.filter(|scraped| now < scraped.believed_until);
        lately.map(|scraped| scraped.gauges)
    }
}

/// What it is worth: one that has stalled is suspect.
fn health(condition: Condition, known: &Known, now: Instant) -> Health {
    match known.predictor.is_suspect(now) {
        true => condition.health().max(Health::Degraded),
        false => condition.health(),
    }
}

/// Why it is not up.
fn why(condition: Condition, known: &Known, now: Instant) -> Option<&'static str> {
    let stalled = || "it shows nothing for longer than what it has to do explains";
    let is_suspect = || known.predictor.is_suspect(now);
    condition.why().or_else(|| is_suspect().then(stalled))
}

fn marks(condition: Condition, in_flight: u32, share: f64) -> u32 {
    // One exchange is enough to find out.
    let probe = condition == (Condition::OnTrial { probe: true }) && in_flight == 0;
    bit(probe, candidate::PROBE) | bit(share < 1.0, candidate::SLOW_START)
}

fn bit(is_set: bool, mark: u32) -> u32 {
    if is_set { mark } else { 0 }
}

/// Tokens that a request may cost in all.
fn tokens(demand: &Demand) -> u64 {
    u64::from(demand.need.prompt) + u64::from(demand.need.cap)
}

/// Microseconds, as many as fit.
fn micros(duration: Duration) -> u32 {
    duration.as_micros().try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Blocks;

    fn config(host: &str, port: u16) -> config::Endpoint {
        config::Endpoint {
            tls: false,
            host: host.to_owned(),
            port,
            prefix: "/p".to_owned(),
            weight: 1,
        }
    }

    fn endpoint() -> Endpoint {
        Endpoint::new(&config("a", 1))
    }

    fn view(weight: u32) -> View<'static> {
        View {
            weight,
            slow_start: Duration::from_secs(10),
            demand: None,
            now: Instant::now(),
        }
    }

    /// Of a stream of 100 tokens after a prompt of as many.
    fn demand() -> Demand {
        Demand {
            need: Need {
                prompt: 100,
                cached: 0,
                mean: 100,
                usual: 100,
                cap: 100,
                streams: true,
            },
            prompt: Blocks::default(),
            tenant: "-".into(),
            deadline: None,
        }
    }

    #[test]
    fn url_and_host_are_written_as_rfc_3986_has_them() {
        let endpoint = Endpoint::new(&config("::1", 8080));
        assert_eq!(&*endpoint.url, "http://[::1]:8080/p");
        assert_eq!(endpoint.host, "[::1]:8080");
        assert_eq!(Endpoint::new(&config("a", 80)).host, "a");
    }

    #[test]
    fn what_runs_on_it_is_counted() {
        let endpoint = endpoint();
        let followed = endpoint.begins(Some(&demand()), Instant::now());
        let busy = endpoint.candidate(0, view(1));
        assert_eq!((busy.in_flight, busy.outstanding_tokens), (1, 200));
        endpoint.ended(followed, Instant::now());
        let idle = endpoint.candidate(0, view(1));
        assert_eq!((idle.in_flight, idle.outstanding_tokens), (0, 0));
    }

    #[test]
    fn predictions_follow_what_was_observed() {
        let endpoint = endpoint();
        let (demand, now) = (demand(), Instant::now());
        let predicted = |now| {
            let view = View {
                demand: Some(&demand),
                now,
                ..view(1)
            };
            endpoint.candidate(0, view).predicted_e2e_us
        };
        assert_eq!(predicted(now), 0);
        let followed = endpoint.begins(Some(&demand), now).unwrap();
        let tokens = |tokens: u32| {
            let now = now + Duration::from_millis(10) * tokens;
            let mut known = endpoint.known.lock();
            known.predictor.progressed(followed.ticket, tokens, now);
        };
        (1..=100).for_each(tokens);
        endpoint.ended(Some(followed), now);
        // A hundred tokens of 10 ms, and the prompt.
        assert!((1_000_000..1_500_000).contains(&predicted(now)));
    }

    #[test]
    fn a_drained_endpoint_is_down_and_comes_back_little_by_little() {
        let endpoint = endpoint();
        endpoint.drain();
        assert_eq!(endpoint.candidate(0, view(1)).health, Health::Down);
        assert!(!endpoint.is_up(Instant::now()));
        endpoint.undrain();
        let back = endpoint.candidate(0, view(20));
        assert_eq!(
            (back.health, back.marks),
            (Health::Up, candidate::SLOW_START)
        );
        assert_eq!(back.weight, 2 * candidate::WEIGHT);
    }

    #[test]
    fn one_probe_at_a_time_is_wanted_on_an_endpoint_that_failed() {
        let endpoint = endpoint();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        endpoint.unreachable(long_ago);
        let suspect = endpoint.candidate(0, view(1));
        assert_eq!(
            (suspect.health, suspect.wants_probe()),
            (Health::Degraded, true)
        );
        endpoint.begins(None, long_ago);
        assert!(!endpoint.candidate(0, view(1)).wants_probe());
        endpoint.succeeded();
        assert_eq!(endpoint.candidate(0, view(1)).health, Health::Up);
    }

    #[test]
    fn gauges_are_shown_while_they_are_fresh() {
        let endpoint = endpoint();
        let gauges = Gauges {
            queue_depth: 3,
            ..Gauges::default()
        };
        endpoint.scraped(gauges, Instant::now() + Duration::from_secs(60));
        assert_eq!(endpoint.candidate(0, view(1)).queue_depth, 3);
        endpoint.scraped(gauges, Instant::now());
        assert_eq!(endpoint.candidate(0, view(1)).queue_depth, 0);
    }
}
