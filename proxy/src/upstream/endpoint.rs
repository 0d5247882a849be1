//! One upstream server: what runs on it, how fast it was lately, and whether
//! it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::HeaderValue;
use parking_lot::Mutex;

use super::Queue;
use super::address::Address;
use super::answer::Answer;
use super::kept::Kept;
use crate::config;
use crate::filter::{Candidate, Health};

/// Weight of the newest observation in the averages.
const NEWEST: f64 = 0.15;

/// First and longest time an endpoint that cannot be reached is left alone.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

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
    pace: Mutex<Pace>,
    outage: Mutex<Option<Outage>>,
}

/// How fast the endpoint was lately; zero before any observation.
#[derive(Debug, Default, Clone, Copy)]
struct Pace {
    ttft: Duration,
    per_token: Duration,
}

/// The endpoint could not be reached.
#[derive(Debug, Clone, Copy)]
struct Outage {
    until: Instant,
    back_off: Duration,
}

/// A request's place on an endpoint, held until its answer's last byte.
#[derive(Debug)]
pub struct Slot {
    endpoint: Arc<Endpoint>,
    queue: Arc<Queue>,
    id: u32,
    tokens: u32,
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
            pace: Mutex::default(),
            outage: Mutex::default(),
        }
    }

    /// Keeps the connection of an answer for the next request, if it was read
    /// to its end.
    pub(super) async fn release(&self, answer: Answer) {
        if let Some(connection) = answer.into_connection().await {
            self.kept.give(connection);
        }
    }

    /// Learns that it answers, whatever it says.
    pub fn answered(&self) {
        *self.outage.lock() = None;
    }

    /// Learns from an answer that went well.
    pub fn observe(&self, ttft: Duration, per_token: Duration) {
        self.answered();
        let mut pace = self.pace.lock();
        pace.ttft = blend(pace.ttft, ttft);
        pace.per_token = blend(pace.per_token, per_token);
    }

    /// Learns that it cannot be reached: it is left alone for a while, longer
    /// each time in a row.
    pub fn unreachable(&self, now: Instant) {
        let mut outage = self.outage.lock();
        let back_off = outage.map_or(BACK_OFF.0, |last| (last.back_off * 2).min(BACK_OFF.1));
        *outage = Some(Outage {
            until: now + back_off,
            back_off,
        });
    }

    fn health(&self) -> Health {
        match *self.outage.lock() {
            None => Health::Up,
            Some(outage) if Instant::now() < outage.until => Health::Down,
            Some(_) => Health::Degraded,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.health() != Health::Down
    }

    /// What a filter is shown of it.
    pub(super) fn candidate(&self, id: u32, weight: u32, new_tokens: u32) -> Candidate {
        let pace = *self.pace.lock();
        Candidate {
            id,
            health: self.health(),
            in_flight: self.in_flight.load(Relaxed),
            outstanding_tokens: self
                .outstanding
                .load(Relaxed)
                .try_into()
                .unwrap_or(u32::MAX),
            queue_depth: 0,
            predicted_ttft_us: micros(pace.ttft),
            predicted_e2e_us: micros(pace.ttft + pace.per_token * new_tokens),
            free_kv_tokens: u32::MAX,
            prefix_hit_tokens: 0,
            weight,
            marks: 0,
        }
    }
}

impl Slot {
    /// Counts the request on the endpoint, and tells `queue` when it has ended.
    pub(super) fn new(endpoint: Arc<Endpoint>, queue: Arc<Queue>, id: u32, tokens: u32) -> Self {
        endpoint.in_flight.fetch_add(1, Relaxed);
        endpoint.outstanding.fetch_add(tokens.into(), Relaxed);
        Self {
            endpoint,
            queue,
            id,
            tokens,
        }
    }

    /// Where the place is.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The endpoint's id in its pool.
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Relaxed);
        let tokens = self.tokens.into();
        self.endpoint.outstanding.fetch_sub(tokens, Relaxed);
        self.queue.free();
    }
}

fn blend(average: Duration, newest: Duration) -> Duration {
    if average.is_zero() {
        return newest;
    }
    average.mul_f64(1.0 - NEWEST) + newest.mul_f64(NEWEST)
}

fn micros(duration: Duration) -> u32 {
    duration.as_micros().try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn url_and_host_are_written_as_rfc_3986_has_them() {
        let endpoint = Endpoint::new(&config("::1", 8080));
        assert_eq!(&*endpoint.url, "http://[::1]:8080/p");
        assert_eq!(endpoint.host, "[::1]:8080");
        assert_eq!(Endpoint::new(&config("a", 80)).host, "a");
    }

    #[test]
    fn a_slot_counts_until_it_is_let_go() {
        let endpoint = Arc::new(endpoint());
        let slot = Slot::new(endpoint.clone(), Arc::default(), 0, 100);
        let busy = endpoint.candidate(0, 1, 10);
        assert_eq!((busy.in_flight, busy.outstanding_tokens), (1, 100));
        drop(slot);
        let idle = endpoint.candidate(0, 1, 10);
        assert_eq!((idle.in_flight, idle.outstanding_tokens), (0, 0));
    }

    #[test]
    fn predictions_follow_what_was_observed() {
        let endpoint = endpoint();
        assert_eq!(endpoint.candidate(0, 1, 10).predicted_e2e_us, 0);
        endpoint.observe(Duration::from_micros(500), Duration::from_micros(20));
        let candidate = endpoint.candidate(0, 1, 10);
        assert_eq!(
            (candidate.predicted_ttft_us, candidate.predicted_e2e_us),
            (500, 700)
        );
    }

    #[test]
    fn an_unreachable_endpoint_is_down_then_suspect_and_an_answer_clears_it() {
        let endpoint = endpoint();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        endpoint.unreachable(Instant::now());
        assert_eq!(endpoint.health(), Health::Down);
        endpoint.unreachable(long_ago);
        assert_eq!(endpoint.health(), Health::Degraded);
        endpoint.observe(Duration::from_millis(1), Duration::from_millis(1));
        assert_eq!(endpoint.health(), Health::Up);
    }
}
