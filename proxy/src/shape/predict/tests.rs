mod properties;

use super::flights::MOST;
use super::*;

const MS: Duration = Duration::from_millis(1);

/// A request of so many prompt tokens that is to have 100 new ones.
fn need(prompt: u32) -> Need {
    Need {
        prompt,
        cached: 0,
        mean: 100,
        usual: 100,
        cap: 128,
        streams: true,
    }
}

/// A predictor, and the time on its wall.
struct Bench {
    at: Predictor,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self {
            at: Predictor::default(),
            now: Instant::now(),
        }
    }

    /// One that has answered one stream for some time: 10 ms for each token,
    /// and 0.2 ms for each token of a prompt.
    fn experienced() -> Self {
        let mut bench = Self::new();
        for _ in 0..5 {
            bench.stream(100, 100, 30 * MS, 10 * MS);
        }
        bench
    }

    fn begins(&mut self, prompt: u32) -> Ticket {
        self.at.begins(need(prompt), None, self.now)
    }

    /// The next token of a stream, after some time.
    fn token(&mut self, ticket: Ticket, count: u32, after: Duration) {
        self.now += after;
        self.at.progressed(ticket, count, self.now);
    }

    /// A whole stream, alone.
    fn stream(&mut self, prompt: u32, tokens: u32, first: Duration, each: Duration) {
        let ticket = self.begins(prompt);
        self.token(ticket, 1, first);
        (2..=tokens).for_each(|count| self.token(ticket, count, each));
        self.at.ended(ticket, self.now);
    }

    fn predict(&self, prompt: u32) -> Prediction {
        self.at.predict(&need(prompt), self.now)
    }

    fn is_suspect(&self) -> bool {
        self.at.is_suspect(self.now)
    }

    fn wants_probe(&self) -> bool {
        self.at.wants_probe(self.now)
    }
}

fn is_near(time: Duration, expected: Duration) -> bool {
    time.as_secs_f64() / expected.as_secs_f64() - 1.0 < 0.05
        && expected.as_secs_f64() / time.as_secs_f64() - 1.0 < 0.05
}

#[test]
fn of_an_endpoint_that_was_never_used_nothing_is_known() {
    let bench = Bench::new();
    let prediction = bench.predict(100);
    assert!(!prediction.is_known() && prediction.is_idle_without_news);
    assert!(!bench.is_suspect() && !bench.wants_probe() && !prediction.makes_late);
    assert_eq!(prediction.ttft, Duration::ZERO);
}

#[test]
fn a_prediction_follows_what_was_observed() {
    let bench = Bench::experienced();
    let prediction = bench.predict(100);
    assert!(is_near(prediction.ttft, 30 * MS), "{prediction:?}");
    assert!(is_near(prediction.whole, 1020 * MS), "{prediction:?}");
    assert!(is_near(prediction.own_prefill, 20 * MS), "{prediction:?}");
    // Ten times the prompt, nine of which are cached, cost the same.
    let cached = Need {
        cached: 900,
        ..need(1000)
    };
    let again = bench.at.predict(&cached, bench.now);
    assert_eq!(again.ttft, prediction.ttft);
}

#[test]
fn each_request_that_runs_makes_the_next_one_slower_and_is_delayed_by_it() {
    let mut bench = Bench::experienced();
    let idle = bench.predict(200);
    assert_eq!(idle.inflicted, Duration::ZERO);
    bench.begins(100);
    bench.begins(100);
    let busy = bench.predict(200);
    // The two prompts are read first, at 20 ms each.
    assert!(is_near(busy.ttft, idle.ttft + 40 * MS), "{busy:?}");
    assert!(busy.whole > idle.whole + 40 * MS);
    assert_eq!(busy.inflicted, busy.own_prefill);
    assert_eq!(busy.unloaded, idle.unloaded);
}

#[test]
fn an_endpoint_without_room_makes_wait() {
    let mut bench = Bench::experienced();
    for _ in 0..4 {
        bench.begins(122);
    }
    bench.at.set_capacity(2000);
    let before = bench.predict(122);
    // 1000 are reserved, and 250 more do not fit.
    bench.at.set_capacity(1000);
    assert!(bench.predict(122).ttft > before.ttft + 200 * MS);
}

#[test]
fn requests_of_others_count() {
    let mut bench = Bench::experienced();
    let alone = bench.predict(100);
    // What has just begun may be counted by one of us only.
    bench.at.set_engine_load(40);
    assert_eq!(bench.predict(100), alone);
    bench.at.set_engine_load(40);
    assert!(bench.predict(100).whole > alone.whole.mul_f64(1.4));
    bench.at.set_engine_load(0);
    assert_eq!(bench.predict(100), alone);
}

#[test]
fn what_a_server_says_of_whole_answers_is_as_good() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        let whole = Need {
            streams: false,
            ..need(100)
        };
        let ticket = bench.at.begins(whole, None, bench.now);
        bench.now += 1020 * MS;
        bench.at.told(ticket, 10 * MS, None, bench.now);
        bench.at.ended(ticket, bench.now);
    }
    let prediction = bench.predict(100);
    assert!(is_near(prediction.whole, 1030 * MS), "{prediction:?}");
    assert!(!bench.is_suspect());
}

#[test]
fn an_answer_that_comes_whole_is_silent_for_long_and_no_reason_for_suspicion() {
    let mut bench = Bench::experienced();
    let whole = Need {
        streams: false,
        ..need(100)
    };
    bench.at.begins(whole, None, bench.now);
    bench.now += 1900 * MS;
    assert!(!bench.is_suspect());
    bench.now += 1000 * MS;
    assert!(bench.is_suspect());
}

#[test]
fn an_endpoint_that_falls_silent_is_suspect_until_it_goes_on() {
    let mut bench = Bench::experienced();
    let ticket = bench.begins(100);
    bench.token(ticket, 1, 30 * MS);
    bench.now += 390 * MS;
    assert!(!bench.is_suspect());
    bench.now += 200 * MS;
    assert!(bench.is_suspect());
    bench.token(ticket, 2, MS);
    assert!(!bench.is_suspect());
    // The pause was no token's doing.
    assert!(bench.predict(100).whole < 1500 * MS);
}

#[test]
fn a_stall_that_is_over_says_nothing_of_the_pace() {
    let mut bench = Bench::experienced();
    let before = bench.predict(100);
    let ticket = bench.begins(100);
    bench.token(ticket, 1, 30 * MS);
    bench.token(ticket, 2, Duration::from_secs(10));
    bench.at.ended(ticket, bench.now);
    assert_eq!(bench.predict(100).whole, before.whole);
}

#[test]
fn an_endpoint_that_was_silent_to_the_end_gets_one_request_after_a_while() {
    let mut bench = Bench::experienced();
    let ticket = bench.begins(100);
    bench.now += 2000 * MS;
    bench.at.ended(ticket, bench.now);
    assert!(bench.is_suspect());
    assert!(bench.wants_probe() && bench.predict(100).is_idle_without_news);
    let ticket = bench.begins(100);
    assert!(bench.is_suspect() && !bench.wants_probe());
    bench.token(ticket, 1, 30 * MS);
    assert!(!bench.is_suspect());
}

#[test]
fn an_endpoint_that_stays_silent_gets_a_request_ever_more_rarely() {
    let mut bench = Bench::experienced();
    let began = bench.now;
    let mut probes = Vec::new();
    let mut ticket = Some(bench.begins(100));
    for _ in 0..36_000 {
        bench.now += 100 * MS;
        if let Some(hung) = ticket.take_if(|_| bench.at.has_stalled(bench.now)) {
            bench.at.ended(hung, bench.now);
        }
        if ticket.is_none() && bench.wants_probe() {
            probes.push(bench.now - began);
            ticket = Some(bench.begins(100));
        }
    }
    let until = |end| probes.iter().filter(|at| **at < end).count();
    assert_eq!(until(Duration::from_secs(10)), 6);
    assert!(until(Duration::from_secs(150)) < 25, "{probes:?}");
    assert!(probes.len() < 140, "{}", probes.len());
    for pair in probes.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart <= (pair[1] / 5 + 100 * MS).max(1600 * MS), "{pair:?}");
        assert!(apart <= Duration::from_millis(30_100), "{pair:?}");
    }
}

#[test]
fn one_request_that_hangs_does_not_keep_others_away_for_ever() {
    let mut bench = Bench::experienced();
    bench.begins(100);
    bench.now += 4900 * MS;
    assert!(bench.is_suspect() && !bench.wants_probe());
    bench.now += 200 * MS;
    assert!(bench.wants_probe());
    bench.begins(100);
    assert!(!bench.wants_probe());
}

#[test]
fn tickets_of_requests_that_are_over_do_no_harm() {
    let mut bench = Bench::experienced();
    let old = bench.begins(100);
    bench.at.ended(old, bench.now);
    let new = bench.begins(100);
    bench.token(old, 50, 10 * MS);
    bench.at.ended(old, bench.now);
    bench.at.told(old, MS, None, bench.now);
    assert_eq!(bench.at.in_flight(), 1);
    bench.at.ended(new, bench.now);
    assert_eq!(bench.at.in_flight(), 0);
}

#[test]
fn no_more_requests_are_followed_than_anybody_would_send() {
    let mut bench = Bench::experienced();
    let tickets: Vec<Ticket> = (0..MOST + 100).map(|_| bench.begins(1)).collect();
    assert_eq!(bench.at.in_flight(), MOST);
    for ticket in tickets {
        bench.at.ended(ticket, bench.now);
    }
    assert_eq!(bench.at.in_flight(), 0);
}
