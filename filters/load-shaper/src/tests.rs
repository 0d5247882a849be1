//! The filter in a mock of the gateway.

mod objectives;
mod routing;
mod sharing;

use headworks_sdk::prelude::*;

use crate::LoadShaper;

type Host = testing::MockHost<LoadShaper>;
type Answer = testing::Answer<LoadShaper>;

const POOL: &str = "gpu";

fn host(settings: Value) -> Host {
    testing::host(settings).unwrap()
}

/// The settings' problems, in one line.
fn problems(settings: Value) -> String {
    testing::host::<LoadShaper>(settings)
        .unwrap_err()
        .to_string()
}

/// An endpoint on which a long answer takes so many milliseconds, and a second
/// with nothing else to do.
fn takes(id: u32, ms: u32) -> Candidate {
    Candidate {
        id,
        in_flight: 3,
        predicted_e2e_us: ms * 900,
        predicted_usual_us: ms * 1000,
        unloaded_us: 1_000_000,
        step_us: 7_500,
        weight: 10,
        ..Candidate::default()
    }
}

fn ask(host: &mut Host) -> Answer {
    host.chat("llama3").routed(POOL).send()
}

fn place(answer: &mut Answer, candidates: &[Candidate]) -> Placement {
    answer.place(candidates, Duration::ZERO)
}

/// The refusal of a request.
fn refusal(answer: &mut Answer, candidates: &[Candidate]) -> Rejection {
    let placement = place(answer, candidates);
    let Placement::Reject(rejection) = placement else {
        panic!("{placement:?}")
    };
    rejection
}

/// Lets the time pass in which one late request is let through.
fn use_up_the_favour(host: &mut Host) {
    let placement = place(&mut ask(host), &[takes(0, 1600)]);
    assert_eq!(placement, Placement::At(0));
}

fn decisions(host: &Host, decision: &str) -> u64 {
    host.counter("shaper.decisions.{pool}.{decision}", &[POOL, decision])
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}
