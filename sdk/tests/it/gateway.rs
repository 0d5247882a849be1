//! What a filter finds around it: pools, store, clock, chance and log.

use headworks_sdk::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

#[on_request]
fn two_a_minute(request: &mut Request) -> Verdict {
    let key = request.header("x-key").unwrap_or_default();
    match store::increment(&key, 1, Some(MINUTE)) {
        ..=2 => Verdict::Next,
        _ => Verdict::too_many(MINUTE, "two requests a minute are allowed"),
    }
}

#[test]
fn a_number_in_the_store_ends_with_its_first_addition() {
    let mut host = testing::host::<TwoAMinute>(json!({})).unwrap();
    let allowed = |host: &mut testing::MockHost<_>, key| {
        host.chat("llama3")
            .header("x-key", key)
            .send()
            .rejection()
            .is_none()
    };
    assert!(allowed(&mut host, "a"));
    host.advance(MINUTE / 2);
    assert!(allowed(&mut host, "a"));
    assert!(!allowed(&mut host, "a"));
    assert!(allowed(&mut host, "b"));
    host.advance(MINUTE / 2);
    assert!(allowed(&mut host, "a"));
}

#[config]
struct Config {
    pool: String,
}

#[on_request]
fn fixed(request: &mut Request, config: &Config) -> Verdict {
    request.route(&config.pool);
    Verdict::Next
}

#[test]
#[should_panic(
    expected = "the filter routes to a pool that is not there: no pool `bgi`; there are: big"
)]
fn a_route_to_nowhere_fails_the_test() {
    let mut host = testing::gateway()
        .pool("big", &[])
        .load::<Fixed>(json!({"pool": "bgi"}))
        .unwrap();
    host.chat("llama3").send();
}

#[on_request]
fn look_around(request: &mut Request) -> Verdict {
    for pool in upstreams::pools() {
        let endpoints = upstreams::snapshot(&pool);
        let urls = endpoints
            .iter()
            .filter_map(|at| upstreams::endpoint_name(&pool, at.id));
        request.tag(&pool, &urls.collect::<Vec<_>>().join(" "));
    }
    store::set("last", request.model().as_bytes(), None);
    log::warn(&format!("the time is {:?}", clock::monotonic()));
    request.tag("chance", &random::below(1000).to_string());
    request.tag("unit", &random::unit().to_string());
    Verdict::Next
}

#[test]
fn the_pools_of_the_gateway_can_be_looked_at() {
    let endpoints = [1, 4].map(|id| Candidate {
        id,
        ..Candidate::default()
    });
    let gateway = testing::gateway()
        .pool("big", &endpoints)
        .pool("small", &[]);
    let answer = gateway
        .load::<LookAround>(json!({}))
        .unwrap()
        .chat("llama3")
        .send();
    assert_eq!(answer.tags()["big"], "http://big-1 http://big-4");
    assert_eq!(answer.tags()["small"], "");
}

#[test]
fn the_clock_stands_still_until_it_is_turned() {
    let mut host = testing::host::<LookAround>(json!({})).unwrap();
    host.chat("llama3").send();
    host.advance(Duration::from_millis(1500));
    host.chat("llama3").send();
    assert_eq!(
        host.logs(),
        ["warn: the time is 0ns", "warn: the time is 1.5s"]
    );
}

#[test]
fn chance_is_the_same_in_every_run_and_another_with_another_seed() {
    let draw = |seed| {
        let mut host = testing::gateway()
            .seed(seed)
            .load::<LookAround>(json!({}))
            .unwrap();
        let answer = host.chat("llama3").send();
        let unit: f64 = answer.tags()["unit"].parse().unwrap();
        assert!((0.0..1.0).contains(&unit));
        answer.tags()["chance"].clone()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
#[should_panic(expected = "the SDK needs a gateway: run the filter through `testing::host`")]
fn the_sdk_does_not_work_outside_of_a_gateway() {
    let _ = store::get("key");
}

#[on_request]
fn late(_: &mut Request) -> Verdict {
    setup::serves_model("llama3");
    Verdict::Next
}

#[test]
#[should_panic(expected = "`setup::serves_model` is for `configure` only")]
fn setup_is_over_when_requests_come() {
    testing::host::<Late>(json!({}))
        .unwrap()
        .chat("llama3")
        .send();
}

#[on_request]
fn odd(_: &mut Request) -> Verdict {
    Verdict::reject(200, "odd", "all is well")
}

#[test]
#[should_panic(expected = "the filter refuses with 200, which is not in 400 to 599")]
fn a_refusal_has_a_status_of_an_error() {
    testing::host::<Odd>(json!({}))
        .unwrap()
        .chat("llama3")
        .send();
}

#[test]
fn settings_that_are_wrong_leave_the_instance_that_was() {
    let mut host = testing::host::<Fixed>(json!({"pool": "big"})).unwrap();
    let before = host.chat("llama3").send();
    assert!(host.reload(json!({"pol": "small"})).is_err());
    assert_eq!(host.chat("llama3").send().pool(), Some("big"));
    host.reload(json!({"pool": "small"})).unwrap();
    assert_eq!(host.chat("llama3").send().pool(), Some("small"));
    assert_eq!(before.pool(), Some("big"));
}
