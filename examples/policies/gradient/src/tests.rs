use headworks_sdk::prelude::*;

use crate::Gradient;

type Host = testing::MockHost<Gradient>;

const SECOND: Duration = Duration::from_secs(1);
/// A window, and what is rounded.
const WINDOW: Duration = Duration::from_millis(101);

/// A gateway that runs for a while.
fn host() -> Host {
    let mut host = testing::host::<Gradient>(json!({})).unwrap();
    host.advance(SECOND * 100);
    host
}

/// How many the pool may have in flight.
fn limit(host: &mut Host) -> u32 {
    let mut is_full = |in_flight: &u32| {
        let endpoint = Candidate {
            in_flight: *in_flight,
            ..Candidate::default()
        };
        let mut answer = host.chat("qwen2").routed("gpu").send();
        matches!(
            answer.place(&[endpoint], Duration::ZERO),
            Placement::Reject(_)
        )
    };
    (0..).find(|in_flight| is_full(in_flight)).unwrap()
}

/// Requests end that took so long, one in each window.
fn answers(host: &mut Host, count: u32, took: Duration) {
    for _ in 0..count {
        host.advance(WINDOW);
        let ended = testing::Ended::ok().latency(took);
        host.chat("qwen2").routed("gpu").send().complete(ended);
    }
}

#[test]
fn three_may_be_in_flight_until_fifty_have_shown_the_best_time() {
    let mut host = host();
    answers(&mut host, 50, SECOND);
    assert_eq!(limit(&mut host), 3);
    answers(&mut host, 1, SECOND);
    // 3 x 1.25 and its square root.
    assert_eq!(limit(&mut host), 5);
}

#[test]
fn the_limit_grows_until_requests_take_longer_than_the_best_time() {
    let mut host = host();
    answers(&mut host, 60, SECOND);
    let grown = limit(&mut host);
    assert!(grown > 40, "{grown}");
    // Twice what is as good as the best.
    answers(&mut host, 1, SECOND * 5 / 2);
    let half = f64::from(grown) / 2.0;
    assert_eq!(limit(&mut host), (half + half.sqrt()) as u32);
    answers(&mut host, 10, SECOND * 5);
    assert_eq!(limit(&mut host), 3, "the least");
}

#[test]
fn the_median_of_a_window_counts_and_not_who_is_slow() {
    let mut host = host();
    answers(&mut host, 51, SECOND);
    for took in [SECOND * 60, SECOND, SECOND] {
        let ended = testing::Ended::ok().latency(took);
        host.chat("qwen2").routed("gpu").send().complete(ended);
    }
    assert_eq!(limit(&mut host), 5, "the window is not over");
    answers(&mut host, 1, SECOND);
    assert_eq!(limit(&mut host), 8);
}

#[test]
fn after_a_minute_the_best_time_is_measured_anew_among_few() {
    let mut host = host();
    answers(&mut host, 60, SECOND);
    host.advance(SECOND * 70);
    answers(&mut host, 1, SECOND);
    assert_eq!(limit(&mut host), 3);
    // Those that began before take longer, since they were among many.
    answers(&mut host, 29, SECOND * 3);
    answers(&mut host, 50, SECOND * 2);
    let before = limit(&mut host);
    assert!(before > 40, "{before}");
    answers(&mut host, 1, SECOND * 2);
    assert!(
        limit(&mut host) > before,
        "two seconds are the best time now"
    );
}

#[test]
fn a_best_time_that_keeps_the_limit_at_its_least_is_measured_again() {
    let mut host = host();
    answers(&mut host, 50, SECOND);
    answers(&mut host, 5, SECOND * 5);
    // Some that began before, and fifty that show what is possible now.
    answers(&mut host, 49 + 50, SECOND * 5);
    assert_eq!(limit(&mut host), 3);
    answers(&mut host, 1, SECOND * 5);
    assert_eq!(limit(&mut host), 5);
}

#[test]
fn who_fails_says_nothing() {
    let mut host = host();
    for _ in 0..60 {
        host.advance(WINDOW);
        let ended = testing::Ended::by(End::UpstreamError);
        host.chat("qwen2").routed("gpu").send().complete(ended);
    }
    assert_eq!(limit(&mut host), 3);
}
