//! Which hooks a filter has, and what they are given.

use std::cell::Cell;

use headworks_sdk::prelude::*;

/// Every hook, with state that goes from one to the next.
struct Whole {
    ends: Counter,
    first_token: Timer,
    calls: Cell<i64>,
    gauge: Gauge,
}

#[filter]
impl Filter for Whole {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        setup::serves_model("llama3");
        Ok(Self {
            ends: Counter::new("ends.{end}", &["end", "model"]),
            first_token: Timer::new("first_token", &[]),
            calls: Cell::new(0),
            gauge: Gauge::new("calls", &[]),
        })
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        self.calls.set(self.calls.get() + 1);
        self.gauge.set(self.calls.get(), &[]);
        request.set_state(b"seen");
        Verdict::Next
    }

    fn place(&self, request: &mut Request, at: &[Candidate], waited: Duration) -> Placement {
        assert_eq!(request.state(), b"seen");
        if waited > Duration::from_secs(1) {
            return Rejection::new(503, "busy", "every endpoint is busy").into();
        }
        let free = at.iter().filter(|at| at.in_flight == 0);
        free.min_by_key(|at| (at.health, at.outstanding_tokens))
            .map_or(Placement::Wait, Placement::at)
    }

    fn on_complete(&self, request: &Request, outcome: &Outcome) {
        assert_eq!(request.state(), b"seen");
        self.ends
            .increment(&[outcome.end().as_str(), &request.model_label()]);
        if let Some(ttft) = outcome.ttft() {
            self.first_token.record(ttft, &[]);
        }
    }
}

#[place]
fn last(_: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    candidates.last().map_or(Placement::Wait, Placement::at)
}

/// Lets others overtake a request by as much as it is old.
#[place]
fn by_age(request: &mut Request, at: &[Candidate], _: Duration) -> Placement {
    if let Some(free) = at.iter().find(|at| !at.makes_late()) {
        return Placement::at(free);
    }
    request.hold(request.age(), Duration::from_secs(1));
    request.explain("it would make others late");
    Placement::Wait
}

#[on_complete]
fn quiet(_: &Request, _: &Outcome) {}

/// Counts by a label with many values.
struct ByModel(Counter);

#[filter]
impl Filter for ByModel {
    type Config = NoSettings;

    fn configure(_: NoSettings) -> Result<Self, Problems> {
        Ok(Self(Counter::new("requests.{model}", &["model"])))
    }

    fn on_request(&self, request: &mut Request) -> Verdict {
        self.0.increment(&[request.model()]);
        Verdict::Next
    }
}

fn whole() -> testing::MockHost<Whole> {
    testing::host(json!({})).unwrap()
}

#[test]
fn the_hooks_of_a_filter_are_those_that_it_has() {
    let hooks = |on_request, place, on_complete| headworks_sdk::Hooks {
        on_request,
        place,
        on_complete,
    };
    assert_eq!(Whole::HOOKS, hooks(true, true, true));
    assert_eq!(Last::HOOKS, hooks(false, true, false));
    assert_eq!(Quiet::HOOKS, hooks(false, false, true));
}

#[test]
fn place_waits_until_an_endpoint_is_free_and_refuses_in_the_end() {
    let busy = Candidate {
        id: 1,
        in_flight: 1,
        ..Candidate::default()
    };
    let suspect = Candidate {
        id: 2,
        health: Health::Degraded,
        ..Candidate::default()
    };
    let loaded = Candidate {
        id: 3,
        outstanding_tokens: 900,
        ..Candidate::default()
    };

    let mut answer = whole().chat("llama3").send();
    assert_eq!(
        answer.place(std::slice::from_ref(&busy), Duration::ZERO),
        Placement::Wait
    );
    assert_eq!(
        answer.place(&[busy, suspect, loaded], Duration::ZERO),
        Placement::At(3)
    );
    assert!(matches!(
        answer.place(&[], Duration::from_secs(2)),
        Placement::Reject(_)
    ));
}

#[test]
fn how_a_request_stands_in_line_is_said_anew_each_time() {
    let mut host = testing::host::<ByAge>(json!({})).unwrap();
    let mut answer = host.chat("llama3").send();
    let busy = Candidate {
        marks: 4,
        ..Candidate::default()
    };
    host.advance(Duration::from_millis(300));
    let placement = answer.place(std::slice::from_ref(&busy), Duration::ZERO);
    assert_eq!(placement, Placement::Wait);
    let expected = testing::Hold {
        behind: Duration::from_millis(300),
        at_most: Duration::from_secs(1),
    };
    assert_eq!(answer.hold(), Some(expected));
    assert_eq!(answer.explanation(), Some("it would make others late"));

    let idle = Candidate { marks: 8, ..busy };
    assert!(idle.is_silent() && !idle.makes_late());
    assert_eq!(answer.place(&[idle], Duration::ZERO), Placement::At(0));
    assert_eq!((answer.hold(), answer.explanation()), (None, None));
}

#[test]
fn metrics_can_be_read_by_their_labels() {
    let mut host = whole();
    let ended = testing::Ended::ok().ttft(Duration::from_millis(40));
    host.chat("llama3").send().complete(ended);
    host.chat("stranger")
        .send()
        .complete(testing::Ended::by(End::Timeout));

    assert_eq!(host.counter("ends.{end}", &["ok", "llama3"]), 1);
    assert_eq!(host.counter("ends.{end}", &["timeout", "other"]), 1);
    assert_eq!(host.counter("ends.{end}", &["timeout", "llama3"]), 0);
    assert_eq!(host.timer("first_token", &[]), [Duration::from_millis(40)]);
    assert_eq!(host.gauge("calls", &[]), Some(2));
    assert_eq!(host.models(), ["llama3"]);
}

#[test]
fn more_label_sets_than_an_instance_remembers_are_told_apart() {
    let mut host = testing::host::<ByModel>(json!({})).unwrap();
    for model in (0..50).chain(0..50) {
        host.generate(&model.to_string()).send();
    }
    let counted = |model: i32| host.counter("requests.{model}", &[&model.to_string()]);
    assert!((0..50).map(counted).all(|count| count == 2));
}

#[test]
#[should_panic(expected = "the filter has no metric `endz` of this kind; it has: ends.{end}")]
fn a_misspelt_metric_fails_the_test() {
    let _ = whole().counter("endz", &[]);
}

#[test]
#[should_panic(expected = "the filter has no `on_complete`")]
fn a_hook_that_the_filter_lacks_is_not_run() {
    testing::host::<Last>(json!({}))
        .unwrap()
        .chat("llama3")
        .send()
        .complete(testing::Ended::ok());
}
