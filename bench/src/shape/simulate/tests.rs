//! What a load shaper must not do, each a mistake that one was seen to make, and
//! what it must do for long: in simulated time, so that nothing waits.

mod mistakes;
mod soak;

use super::super::events::End;
use super::super::row::Row;
use super::super::scenario::Case;
use super::*;

/// A case like another, with something changed.
fn like(name: &str, change: impl FnOnce(&mut Case)) -> &'static Case {
    let mut case = *Case::named(name).expect(name)[0];
    change(&mut case);
    // Cases live as long as the program; a test makes one or two.
    Box::leak(Box::new(case))
}

fn job(case: &'static Case, policy: Policy) -> Job {
    Job {
        case,
        policy,
        rate: case.rate,
        seed: 1,
        scale: 1.0,
    }
}

fn figures(case: &'static Case, policy: Policy) -> Row {
    run(&job(case, policy), Row::default()).expect("a simulation")
}

/// A run whose requests are changed before they are sent.
fn changed(case: &'static Case, change: impl FnMut(&mut Request)) -> Simulation {
    let job = job(case, Policy::Shaper);
    let Plan::Open(mut requests) = Plan::make(case, job.rate, job.seed, case.span(1.0).whole())
    else {
        panic!("an open loop");
    };
    requests.iter_mut().for_each(change);
    Simulation::new(&job, Plan::Open(requests)).expect("a simulation")
}

/// The share of some outcomes that were answered within the objective.
fn in_time(case: &Case, outcomes: &[Outcome], counts: impl Fn(&Outcome) -> bool) -> f64 {
    let counted: Vec<_> = outcomes.iter().filter(|it| counts(it)).collect();
    assert!(!counted.is_empty(), "nothing to count");
    let in_time =
        |it: &&&Outcome| it.end == Some(End::Answered) && it.took <= case.objective.of(it.output);
    counted.iter().filter(in_time).count() as f64 / counted.len() as f64
}

#[test]
fn the_same_seed_brings_the_same_run() {
    let case = like("A6", |case| case.seconds = 20.0);
    let [one, other] = [(); 2].map(|()| figures(case, Policy::Shaper));
    assert_eq!(one, other);
    assert!(one.answered > 500 && one.refused > 100, "{one:?}");
}

#[test]
fn every_policy_and_case_runs() {
    for case in Case::all() {
        let short = like(case.id, |case| case.seconds = 6.0);
        for policy in short.policies {
            let row = figures(short, *policy);
            assert!(row.answered > 0, "{} under {policy}", case.id);
            assert_eq!(row.failed, 0, "{} under {policy}", case.id);
        }
    }
}
